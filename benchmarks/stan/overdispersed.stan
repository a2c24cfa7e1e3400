// The overdispersed model (Zheng, Salganik & Gelman 2006) with flat priors, from its formulas:
// mean e^(alpha + beta), variance omega times the mean, 1 / omega uniform.
data {
  int<lower=1> n;
  int<lower=1> groups;
  int<lower=0> y[n, groups];
}
parameters {
  vector[n] alpha;
  vector[groups] beta;
  vector<lower=0, upper=1>[groups] inverse_omega;
  real<lower=0> sigma_alpha;
  real mu_beta;
  real<lower=0> sigma_beta;
}
model {
  alpha ~ normal(0, sigma_alpha);
  beta ~ normal(mu_beta, sigma_beta);
  for (k in 1:groups) {
    // Stan's second parameter is 1 / (omega - 1).
    real rate = inverse_omega[k] / (1 - inverse_omega[k]);
    y[, k] ~ neg_binomial(exp(alpha + beta[k]) * rate, rate);
  }
}
