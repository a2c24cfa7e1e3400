# Sample a model with rstan: Rscript run.R MODEL.stan DATA.R DRAWS.csv PARAMETER CHAINS WARMUP DRAWS
# Writes the draws of one parameter, chain after chain; prints seconds of wall and processor time
# of the sampling, its gradients with warm-up, and divergences.
suppressMessages(library(rstan))
# Debian keeps Boost's and Eigen's headers among the system's.
if (!dir.exists(system.file("include", "boost", package = "BH"))) {
  rstan_options(boost_lib = "/usr/include")
}
if (!dir.exists(system.file("include", "Eigen", package = "RcppEigen"))) {
  rstan_options(eigen_lib = "/usr/include/eigen3")
}
given <- commandArgs(trailingOnly = TRUE)
counts <- as.integer(given[5:7])
model <- stan_model(given[1])
data <- read_rdump(given[2])
began <- proc.time()
fit <- sampling(model, data = data, chains = counts[1], warmup = counts[2],
                iter = counts[2] + counts[3], cores = 1, refresh = 0, seed = 1,
                pars = given[4], include = TRUE)
spent <- proc.time() - began
draws <- as.array(fit)
kept <- draws[, , setdiff(dimnames(draws)[[3]], "lp__"), drop = FALSE]
write.table(matrix(kept, nrow = dim(kept)[1] * dim(kept)[2]), given[3], sep = ",",
            row.names = FALSE, col.names = FALSE)
steps <- sum(sapply(get_sampler_params(fit, inc_warmup = TRUE), function(p) sum(p[, "n_leapfrog__"])))
cat(spent[["elapsed"]], spent[["user.self"]] + spent[["sys.self"]], steps,
    get_num_divergent(fit), "\n")
