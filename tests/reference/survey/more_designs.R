# Writes more_designs.json, three_stage.csv, apiclus2.csv and half_samples.csv:
#   Rscript more_designs.R multistage.R
# R survey 4.1-1 (Debian), with onestage() and onestrat() of survey 4.5 (its file R/multistage.R, given as the
# argument), since older versions mis-centre totals under lonely.psu = "adjust".
suppressMessages(library(survey)); library(jsonlite)
source45 <- new.env(); sys.source(commandArgs(TRUE)[1], source45)
for (f in c("onestage", "onestrat")) {
  g <- source45[[f]]; environment(g) <- asNamespace("survey"); assignInNamespace(f, g, "survey")
}
data(api); data(scd)
numbers <- function(x) list(est = as.numeric(coef(x)), se = as.numeric(SE(x)))
by_domain <- function(x) c(list(key = as.character(x[[1]])), numbers(x))
everything <- function(d, na = FALSE) list(
  mean = numbers(svymean(~y, d, na.rm = na)), total = numbers(svytotal(~y, d, na.rm = na)),
  ratio = numbers(svyratio(~y, ~x, d, na.rm = na)),
  domain_mean = by_domain(svyby(~y, ~g, d, svymean, na.rm = na)),
  domain_total = by_domain(svyby(~y, ~g, d, svytotal, na.rm = na)))
out <- list()

# Two stages, corrections at both.
clus2 <- transform(apiclus2, y = api00, x = api.stu, g = stype)[, c("dnum", "snum", "fpc1", "fpc2", "pw", "y", "x", "g")]
clus2$x[is.na(clus2$x)] <- 300
write.csv(clus2, "apiclus2.csv", row.names = FALSE)
out$two_stage <- everything(svydesign(~dnum + snum, fpc = ~fpc1 + fpc2, data = clus2))
gaps <- clus2; gaps$y[seq(3, nrow(gaps), 7)] <- NA
out$missing_outcome <- everything(svydesign(~dnum + snum, fpc = ~fpc1 + fpc2, data = gaps), TRUE)

# Three stages with strata in the first two; made-up data.
set.seed(20)
rows <- expand.grid(tsu = 1:3, ssu = 1:4, psu = 1:4, stratum = 1:3)
rows <- rows[rep(seq_len(nrow(rows)), each = 2), ]
three <- data.frame(rows, N1 = c(20, 30, 45)[rows$stratum], N2 = 6 + rows$psu, N3 = 12 + rows$ssu,
                    half = rows$ssu %% 2)
three$y <- round(rnorm(nrow(three), 50 + 3 * three$psu, 10), 3)
three$x <- round(runif(nrow(three), 50, 90), 3)
three$g <- sample(c("a", "b"), nrow(three), TRUE)
three$w <- three$N1 / 4 * three$N2 / 2 * three$N3 / 3
write.csv(three, "three_stage.csv", row.names = FALSE)
out$three_stage <- everything(svydesign(~psu + ssu + tsu, strata = ~stratum + half, weights = ~w,
  fpc = ~N1 + N2 + N3, data = three, nest = TRUE))

# Lone PSUs: the stratum of high schools keeps one school. E lies in several strata, H in the lone one.
lone <- apistrat[apistrat$stype != "H" | apistrat$snum == apistrat$snum[apistrat$stype == "H"][1], ]
lone <- transform(lone, y = api00, x = enroll, g = ifelse(stype == "H", "only_lone", as.character(sch.wide)))
with_zeros <- function(d) list(
  est = sapply(sort(unique(d$variables$g)), function(k) coef(svytotal(~I(y * (g == k)), d))[[1]]),
  se = sapply(sort(unique(d$variables$g)), function(k) SE(svytotal(~I(y * (g == k)), d))[[1]]))
for (rule in c("certainty", "adjust", "average")) {
  options(survey.lonely.psu = rule)
  out[[paste0("zeros_", rule)]] <- with_zeros(svydesign(~1, strata = ~stype, weights = ~pw, data = lone))
  out[[paste0("lone_", rule)]] <- everything(svydesign(~1, strata = ~stype, weights = ~pw, data = lone))
  out[[paste0("lone_fpc_", rule)]] <- everything(svydesign(~1, strata = ~stype, weights = ~pw, fpc = ~fpc, data = lone))
}
options(survey.lonely.psu = "fail")

# Standard errors after trimming.
strat <- transform(apistrat, y = api00, x = enroll, g = sch.wide)
plain <- svydesign(~1, strata = ~stype, weights = ~pw, fpc = ~fpc, data = strat)
out$trimmed <- everything(trimWeights(plain, upper = 40, strict = TRUE))

# Given replicate weights.
mse <- function(d) everything(d)
jkn <- as.svrepdesign(svydesign(~dnum, strata = ~g, weights = ~pw, data = transform(apiclus1, y = api00, x = enroll,
  g = ifelse(dnum %% 2 == 0, "even", "odd"))), type = "JKn", mse = TRUE)
out$jkn <- mse(jkn)
jk1 <- as.svrepdesign(svydesign(~dnum, weights = ~pw, data = transform(apiclus1, y = api00, x = enroll, g = stype)),
  type = "JK1", mse = TRUE)
out$jk1 <- mse(jk1)
halves <- svydesign(~ambulance, strata = ~ESA, weights = ~w, nest = TRUE,
  data = transform(scd, w = 1 + ESA / 10, y = alive, x = arrests, g = ifelse(arrests > 100, "many", "few")))
write.csv(transform(scd, w = 1 + ESA / 10), "half_samples.csv", row.names = FALSE)
out$brr <- mse(as.svrepdesign(halves, type = "BRR", mse = TRUE))
out$fay <- mse(as.svrepdesign(halves, type = "Fay", fay.rho = 0.3, mse = TRUE))
fay <- as.svrepdesign(halves, type = "Fay", fay.rho = 0.3, mse = TRUE)
out$fay_weights <- as.data.frame(weights(fay, "analysis"))
out$fay_scale <- fay$scale
write_json(out, "more_designs.json", digits = NA, pretty = TRUE)
