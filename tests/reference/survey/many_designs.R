# Writes many_designs.json from many_designs.csv, made-up data in several strata, two of them with a lone PSU:
#   Rscript many_designs.R
# R survey 4.5. Each entry holds the estimates of its domains, then their standard errors.
suppressMessages(library(survey)); library(jsonlite)
stopifnot(packageVersion("survey") == "4.5")
d <- read.csv("many_designs.csv", colClasses = c(age = "character"))
both <- function(x) c(as.numeric(coef(x)), as.numeric(SE(x)))
by_domain <- function(what, of, f, D, ...) both(svyby(what, of, D, f, ...))
everything <- function(D) list(
  mean = both(svymean(~y, D)), total = both(svytotal(~y, D)), ratio = both(svyratio(~y, ~x, D)),
  mean_missing = both(svymean(~ym, D, na.rm = TRUE)), total_missing = both(svytotal(~ym, D, na.rm = TRUE)),
  mean_g = by_domain(~y, ~g, svymean, D), total_g = by_domain(~y, ~g, svytotal, D),
  ratio_g = by_domain(~y, ~g, svyratio, D, denominator = ~x),
  mean_g2 = by_domain(~y, ~g2, svymean, D), total_g2 = by_domain(~y, ~g2, svytotal, D),
  mean_missing_g = by_domain(~ym, ~g, svymean, D, na.rm = TRUE),
  total_missing_g = by_domain(~ym, ~g, svytotal, D, na.rm = TRUE),
  zeros = {each <- lapply(c("lone", "u", "v"), function(k) svytotal(~I(y * (g == k)), D))
    c(sapply(each, coef), sapply(each, SE))},
  df = degf(D))
designs <- list(
  one_stage = function(x) svydesign(~psu, strata = ~h, weights = ~w, data = x),
  one_stage_corrected = function(x) svydesign(~psu, strata = ~h, weights = ~w, fpc = ~N1, data = x),
  two_stages = function(x) svydesign(~psu + ssu, strata = ~h, weights = ~w, fpc = ~N1 + N2, data = x, nest = TRUE),
  strata_in_both = function(x)
    svydesign(~psu + ssu, strata = ~h + half, weights = ~w, fpc = ~N1 + N2, data = x, nest = TRUE),
  three_stages = function(x)
    svydesign(~psu + ssu + tsu, strata = ~h, weights = ~w, fpc = ~N1 + N2 + N3, data = x, nest = TRUE),
  fractions = function(x) svydesign(~psu + ssu + tsu, strata = ~h, weights = ~w,
    fpc = ~I(n1 / N1) + I(n2 / N2) + I(n3 / N3), data = x, nest = TRUE))
# Population totals: round numbers near those of the sample.
known <- list(sex = c(f = 1150, m = 1350), age = c(`1` = 860, `2` = 870, `3` = 770), z = 31500)
out <- list(known = list(sex = as.list(known$sex), age = as.list(known$age), z = known$z))
p <- c(`(Intercept)` = 2500, sexm = 1350, age2 = 870, age3 = 770)
margin <- function(m) setNames(data.frame(names(known[[m]]), known[[m]]), c(m, "Freq"))
tight <- function(D, ...) calibrate(D, epsilon = 1e-12, maxit = 1000, ...)
calibrations <- list(
  poststratified = function(D) postStratify(D, ~sex, margin("sex")),
  raked = function(D) rake(D, list(~sex, ~age), list(margin("sex"), margin("age")), control = list(maxit = 1000, epsilon = 1e-11)),
  linear = function(D) tight(D, ~sex + age + z, c(p, z = known$z)),
  exponential = function(D) tight(D, ~sex + age + z, c(p, z = known$z), calfun = "raking"),
  logit = function(D) tight(D, ~sex + age, p, calfun = "logit", bounds = c(0.5, 2)))
for (rule in c("certainty", "adjust", "average")) {
  options(survey.lonely.psu = rule)
  for (name in names(designs)) {
    if (rule == "average" && name == "strata_in_both") next  # PSUs in which every stratum is a lone one
    D <- designs[[name]](d)
    out[[paste(name, rule)]] <- everything(D)
    if (name %in% c("one_stage", "two_stages")) for (how in names(calibrations))
      out[[paste(name, rule, how)]] <- everything(calibrations[[how]](D))
  }
}
options(survey.lonely.psu = "certainty")
trimmed <- function(D) trimWeights(D, upper = 50, strict = TRUE)
D <- designs$one_stage_corrected(d)
for (how in c("poststratified", "raked", "linear")) {
  out[[paste("one_stage_corrected certainty trimmed", how)]] <- everything(calibrations[[how]](trimmed(D)))
  out[[paste("one_stage_corrected certainty", how, "trimmed")]] <- everything(trimmed(calibrations[[how]](D)))
}
out[["one_stage_corrected certainty raked trimmed raked"]] <- everything(calibrations$raked(trimmed(calibrations$raked(D))))
out[["one_stage_corrected certainty poststratified linear"]] <- everything(calibrations$linear(calibrations$poststratified(D)))
bounded <- tight(D, ~sex + age + z, c(p, z = known$z), calfun = "linear", bounds = c(0.9, 1.3))
out[["one_stage_corrected certainty bounded"]] <- everything(bounded)
stopifnot(sum(abs(weights(bounded) / d$w - 1.3) < 1e-9) > 3, sum(abs(weights(bounded) / d$w - 0.9) < 1e-9) > 3)
# One factor for each household; R takes plain means within it, hence equal weights there.
d$w <- ave(d$w, paste(d$psu, d$ssu))
D <- designs$two_stages(d)
for (how in c("linear", "raking", "logit")) out[[paste("households", how)]] <- everything(
  tight(D, ~sex + age, p, aggregate.stage = 2, calfun = how, bounds = if (how == "logit") c(0.4, 3) else c(-Inf, Inf)))
d <- read.csv("many_designs.csv", colClasses = c(age = "character"))
# Functions of two estimates, and intervals.
D <- designs$two_stages(d)
means <- svyby(~y, ~g2, D, svymean, covmat = TRUE)
totals <- svytotal(~y + x + z, D)
out$functions <- list(difference = both(svycontrast(means, quote(north - south))),
  quotient = both(svycontrast(means, quote(north / south))), covariance = as.numeric(vcov(means)),
  quotient_of_totals = both(svycontrast(totals, quote(y / x))),
  difference_of_totals = both(svycontrast(totals, quote(y - z))), covariance_of_totals = as.numeric(vcov(totals)))
D <- designs$one_stage_corrected(d)
y <- svymean(~y, D); logarithm <- svycontrast(y, quote(log(y)))
out$intervals <- list(t = as.numeric(confint(y, df = degf(D))), log = exp(as.numeric(confint(logarithm, df = degf(D)))),
  logit = as.numeric(confint(svyciprop(~b, D, method = "xlogit"))), ninety = as.numeric(confint(y, level = 0.9, df = degf(D))),
  deff = as.numeric(deff(svymean(~y, D, deff = TRUE))))
# Given replicate weights, with multipliers of their own.
some <- d[!d$h %in% c("l1", "l2"), ]
jkn <- as.svrepdesign(svydesign(~psu, strata = ~h, weights = ~w, data = some), type = "JKn", mse = TRUE)
multipliers <- jkn$rscales * seq(0.8, 1.2, length.out = length(jkn$rscales)); multipliers[c(2, 9)] <- 0
out$multipliers <- multipliers
given <- function(weights, ...) svrepdesign(data = some, weights = ~w, repweights = as.data.frame(weights), type = "other",
  scale = 0.9, rscales = multipliers, ...)
replicated <- function(D) list(mean = both(svymean(~y, D)), total = both(svytotal(~y, D)), ratio = both(svyratio(~y, ~x, D)),
  mean_missing = both(svymean(~ym, D, na.rm = TRUE)), mean_g = by_domain(~y, ~g, svymean, D),
  total_g = by_domain(~y, ~g, svytotal, D), df = degf(D), interval = as.numeric(confint(svymean(~y, D), df = degf(D))),
  difference = both(svycontrast(svyby(~y, ~g, D, svymean, covmat = TRUE), quote(u - v))))
for (mse in c(TRUE, FALSE)) {
  out[[paste("given", mse)]] <- replicated(given(weights(jkn, "analysis"), combined.weights = TRUE, mse = mse))
  out[[paste("given factors", mse)]] <- replicated(given(weights(jkn, "replication"), combined.weights = FALSE, mse = mse))
  out[[paste("given df", mse)]] <- replicated(given(weights(jkn, "analysis"), combined.weights = TRUE, mse = mse, degf = 7))
}
out$raked_replicates <- replicated(calibrations$raked(jkn))
write_json(out, "many_designs.json", digits = NA, auto_unbox = TRUE)
