// The partially pooled model (Nyarko-Agyei et al., arXiv:2407.13267), from its formulas.
data {
  int<lower=1> n;
  int<lower=1> groups;
  int<lower=1> areas;
  int<lower=1, upper=areas> area[n];
  int<lower=0> y[n, groups];
}
parameters {
  vector<lower=0>[groups] mu;
  vector<lower=0>[groups] sigma;
  vector<lower=0>[groups] shape;
  real<lower=0, upper=1.5> sigma_delta;
  vector<lower=0>[n] delta;
  matrix<lower=0>[areas, groups] rho;
}
model {
  mu ~ normal(0, 10);
  sigma ~ normal(0, 1);
  shape ~ normal(0, 10);
  delta ~ normal(5.5, sigma_delta);
  target += -n * normal_lccdf(0 | 5.5, sigma_delta);
  for (k in 1:groups) {
    rho[, k] ~ gamma(square(mu[k] / sigma[k]), mu[k] / square(sigma[k]));
    y[, k] ~ neg_binomial_2_log(delta - rho[area, k], shape[k]);
  }
}
