# Writes further_designs.json:
#   Rscript further_designs.R multistage.R
# R survey 4.1-1 (Debian), with onestage() and onestrat() of survey 4.5 (its file R/multistage.R, given as the
# argument). Calibration, lone PSUs and replicates that more_designs.R doesn't cover.
suppressMessages(library(survey)); library(jsonlite)
source45 <- new.env(); sys.source(commandArgs(TRUE)[1], source45)
for (f in c("onestage", "onestrat")) {
  g <- source45[[f]]; environment(g) <- asNamespace("survey"); assignInNamespace(f, g, "survey")
}
data(api)
numbers <- function(x) list(est = as.numeric(coef(x)), se = as.numeric(SE(x)))
by_domain <- function(x) c(list(key = as.character(x[[1]])), numbers(x))
everything <- function(d) list(
  mean = numbers(svymean(~y, d)), total = numbers(svytotal(~y, d)), ratio = numbers(svyratio(~y, ~x, d)),
  domain_mean = by_domain(svyby(~y, ~g, d, svymean)), domain_total = by_domain(svyby(~y, ~g, d, svytotal)))
out <- list()

# A lone stratum in which nobody has what is counted: it counts among the strata all the same.
lone <- apistrat[apistrat$stype != "H" | apistrat$snum == apistrat$snum[apistrat$stype == "H"][1], ]
lone <- transform(lone, y = ifelse(stype == "H", 0, api00), x = enroll, g = sch.wide)
options(survey.lonely.psu = "average")
out$average_zero <- everything(svydesign(~1, strata = ~stype, weights = ~pw, fpc = ~fpc, data = lone))
options(survey.lonely.psu = "fail")

# Two stages with corrections at both, calibrated: logit within bounds, and exponential.
clus2 <- read.csv("apiclus2.csv")
clus2 <- transform(clus2, stype = g, g = ifelse(x < 350, "small", "large"))
two <- svydesign(~dnum + snum, fpc = ~fpc1 + fpc2, data = clus2)
totals <- c(`(Intercept)` = 6194, stypeH = 755, stypeM = 1018)
tight <- function(d, ...) calibrate(d, ~stype, totals, epsilon = 1e-13, maxit = 500, ...)
out$two_stage_logit <- everything(tight(two, calfun = "logit", bounds = c(0.4, 2.2)))
out$two_stage_raking <- everything(tight(two, calfun = "raking"))
out$two_stage_logit$weights <- as.numeric(weights(tight(two, calfun = "logit", bounds = c(0.4, 2.2))))

# Calibration repeated in every replicate.
strata <- transform(apiclus1, y = api00, x = enroll, g = sch.wide, h = ifelse(dnum %% 2 == 0, "even", "odd"))
clusters <- svydesign(~dnum, strata = ~h, weights = ~pw, data = strata)
jkn <- as.svrepdesign(clusters, type = "JKn", mse = TRUE)
known <- c(`(Intercept)` = 6194, sch.wideYes = 5122, awardsYes = 4027)
again <- function(d, ...) calibrate(d, ~sch.wide + awards, known, epsilon = 1e-13, maxit = 500, ...)
out$jkn_raking <- everything(again(jkn, calfun = "raking"))
out$jkn_linear <- everything(again(jkn, calfun = "linear"))
jk1 <- as.svrepdesign(svydesign(~dnum, weights = ~pw, data = strata), type = "JK1", mse = TRUE)
out$jk1_raking <- everything(again(jk1, calfun = "raking"))
halves <- subset(transform(read.csv("half_samples.csv"), y = alive, x = arrests, g = ifelse(ambulance == 1, "a", "b")))
halves <- svydesign(~ambulance, strata = ~ESA, weights = ~w, nest = TRUE, data = halves)
fay <- as.svrepdesign(halves, type = "Fay", fay.rho = 0.3, mse = TRUE)
out$fay_linear <- everything(calibrate(fay, ~g, c(`(Intercept)` = 10, gb = 4.5), calfun = "linear"))
out$fay_linear$weights <- as.data.frame(weights(fay, "analysis"))
out$fay_linear$scale <- fay$scale

# Given replicate weights with deviations from the replicates' mean, multipliers of their own, and degrees of freedom.
plain <- as.svrepdesign(clusters, type = "JKn", mse = FALSE)
given <- svrepdesign(data = strata, weights = ~pw, repweights = weights(plain, "analysis"), type = "other",
  scale = 1, rscales = plain$rscales, combined.weights = TRUE, mse = FALSE)
out$given_about_mean <- everything(given)
out$given_about_mean$degf <- degf(given)
write_json(out, "further_designs.json", digits = NA, pretty = TRUE)
