# Modified Poisson and logistic regressions with robust variances, by R's own packages, on patients one by one.
# Run: python tests/reference/scripts/regression_imputed_men.py; Rscript tests/reference/scripts/regression.R
# glm; sandwich (vcovHC, vcovCL HC1); geepack (working independence, robust); Mancl and DeRouen (2001) written out with the
# whole hat matrix of each cluster; mice (pool.scalar) for the pooled fits. Writes outputs/regression.json.
suppressPackageStartupMessages({library(sandwich); library(geepack); library(mice); library(jsonlite)})
folder <- file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE))), "..", "outputs")

set.seed(20260725)
n <- 2400; sites <- 8
site <- sample(seq_len(sites), n, replace = TRUE); age <- sample(40:79, n, replace = TRUE)
male <- rbinom(n, 1, plogis(-0.2 + 0.3 * rnorm(sites)[site]))
disease <- rbinom(n, 1, plogis(-2.2 + 0.5 * male + 0.04 * (age - 60) + 0.5 * rnorm(sites)[site]))
people <- data.frame(site, age, male, disease, decade = (age - 60) / 10)
people <- people[order(people$site), ]

# Residuals of each cluster are multiplied by (I - H_gg)^-1; canonical working weights, so that D'V^-1 = X'.
mancl_derouen <- function(fit, cluster) {
  x <- model.matrix(fit); mu <- fitted(fit); slope <- fit$family$mu.eta(fit$linear.predictors)
  bread <- solve(crossprod(x, x * slope))
  meat <- matrix(0, ncol(x), ncol(x))
  for (g in unique(cluster)) {
    i <- which(cluster == g); d <- x[i, , drop = FALSE] * slope[i]
    hat <- d %*% bread %*% t(x[i, , drop = FALSE])
    u <- t(x[i, , drop = FALSE]) %*% solve(diag(length(i)) - hat, (fit$y - mu)[i])
    meat <- meat + u %*% t(u)
  }
  bread %*% meat %*% bread
}

one_fit <- function(family, formula, data) {
  fit <- glm(formula, family = family, data = data, control = glm.control(epsilon = 1e-14, maxit = 100))
  gee <- geeglm(formula, family = family, data = data, id = site, corstr = "independence",
                control = geese.control(epsilon = 1e-12, maxit = 100))
  se <- function(v) unname(sqrt(diag(v)))
  list(coefficients = unname(coef(fit)), hc0 = se(vcovHC(fit, type = "HC0")), hc1 = se(vcovHC(fit, type = "HC1")),
       cluster_hc1 = se(vcovCL(fit, cluster = data$site, type = "HC1")),
       mancl_derouen = se(mancl_derouen(fit, data$site)), geepack = se(gee$geese$vbeta))
}
families <- list(poisson = poisson(), logistic = binomial())
plain <- lapply(families, one_fit, formula = disease ~ male + decade, data = people)
with_sites <- lapply(families, function(f) {
  fit <- glm(disease ~ male + decade + factor(site), family = f, data = people, control = glm.control(epsilon = 1e-14))
  list(coefficients = unname(coef(fit))[1:3], hc1 = unname(sqrt(diag(vcovHC(fit, type = "HC1"))))[1:3],
       cluster_hc1 = unname(sqrt(diag(vcovCL(fit, cluster = people$site, type = "HC1"))))[1:3])
})
few <- people[seq(1, n, by = 55), ]  # 44 patients: HC3 takes the place of HC1
fewest <- lapply(families, function(f) {
  fit <- glm(disease ~ male + decade, family = f, data = few, control = glm.control(epsilon = 1e-14))
  list(coefficients = unname(coef(fit)), hc3 = unname(sqrt(diag(mancl_derouen(fit, seq_len(nrow(few)))))))
})
counts <- aggregate(cbind(cases = disease, people = 1) ~ site + age + male, data = people, FUN = sum)
few_counts <- aggregate(cbind(cases = disease, people = 1) ~ site + age + male, data = few, FUN = sum)

imputed <- fromJSON(file.path(folder, "regression_imputed_men.json"))
pooled <- lapply(families, function(f) {
  fits <- apply(imputed$men, 1, function(men) {
    each <- data.frame(decade = rep((imputed$age - 60) / 10, 2), disease = rep(imputed$diseased, 2),
                       male = rep(1:0, each = 4), n = c(men, imputed$people - men))
    rows <- each[rep(seq_len(8), round(each$n)), ]
    fit <- glm(disease ~ male + decade, family = f, data = rows, control = glm.control(epsilon = 1e-14))
    c(coef(fit)[2:3], diag(vcovHC(fit, type = "HC1"))[2:3])
  })
  total <- sum(imputed$people)
  lapply(1:2, function(k) {
    one <- pool.scalar(fits[k, ], fits[k + 2, ], n = total, k = 3)
    list(point = one$qbar, within = one$ubar, between = one$b, total = one$t, df = one$df, fmi = one$fmi)
  })
})
versions <- c(list(R = R.version.string), lapply(c(sandwich = "sandwich", geepack = "geepack", mice = "mice"),
                                                 function(p) as.character(packageVersion(p))))
writeLines(toJSON(list(versions = versions, counts = counts, few_counts = few_counts, plain = plain,
                       with_sites = with_sites, fewest = fewest, pooled = pooled),
                  digits = 13, auto_unbox = TRUE, pretty = FALSE), file.path(folder, "regression.json"))
