# Every estimator in a sample drawn in units within strata with unequal weights, by R's survey, mitools and numDeriv.
# Counts (recorded, complete case, threshold, weighted): svyby, svyratio and svycontrast. Given imputations: MIcombine.
# E2 and E4: own penalised fits by optim(), information and derivatives by numDeriv, variance over units by svytotal().
# Run from the root of the checkout: Rscript tests/reference/scripts/units.R
suppressMessages({library(survey); library(mitools); library(numDeriv); library(jsonlite)})
options(survey.lonely.psu = "certainty")
set.seed(31)

draw <- function(n, strata, per, known) {
  people <- data.frame(stratum = rep(seq_len(strata), length.out = n))
  people$psu <- sample(per, n, replace = TRUE)
  unit <- interaction(people$stratum, people$psu)
  effect <- rnorm(nlevels(unit), 0, 0.5)[unit]
  people$weight <- round(exp(rnorm(n, 0, 0.5)) * (1 + people$stratum / 2), 3)
  people$age <- sample(40:79, n, replace = TRUE)
  people$male <- as.integer(runif(n) < plogis(0.4 * effect))
  people$diseased <- as.integer(runif(n) < plogis(-0.8 + 0.6 * people$male + 0.03 * (people$age - 60) + effect))
  people$n_eyes <- sample(c(0, 1, 2), n, replace = TRUE, prob = c(0.04, 0.2, 0.76))
  z <- 3 * (people$male - 0.5) + 0.6 * people$diseased + rnorm(n, 0, 1.8)
  people$logit <- ifelse(people$n_eyes == 0, 0, pmin(pmax(round(floor(z * 10) / 10 + 0.05, 2), -9.95), 9.95))
  people$known <- as.integer(runif(n) < known)
  people
}
people <- draw(900, 4, 6, 0.35)
other <- draw(500, 2, 8, 1)
design_of <- function(data) svydesign(ids = ~psu, strata = ~stratum, weights = ~weight, data = data, nest = TRUE)

contrasts <- function(prevalence) {
  one <- function(kind) {
    found <- svycontrast(prevalence, kind)
    list(point = as.numeric(coef(found)), se = as.numeric(SE(found)))
  }
  list(log_ratio = one(quote(log(`1`) - log(`0`))), difference = one(quote(`1` - `0`)),
       log_odds_ratio = one(quote(log(`1` / (1 - `1`)) - log(`0` / (1 - `0`)))))
}
counted <- function(data, sex, used) {
  data$sex <- sex
  design <- subset(design_of(data), used)
  of <- function(rows) contrasts(svyby(~diseased, ~sex, subset(design, rows), svymean, covmat = TRUE))
  list(all = of(rep(TRUE, sum(used))), old = of(design$variables$age >= 60), df = degf(design))
}
everybody <- rep(TRUE, nrow(people))
known <- people$known == 1
threshold <- ifelse(known, people$male, as.integer(people$logit >= 0))
scored <- known | people$n_eyes > 0
weighted <- local({
  data <- people
  data$p <- ifelse(known, people$male, plogis(people$logit))
  data$q <- 1 - data$p
  data$dp <- data$diseased * data$p; data$dq <- data$diseased * data$q
  design <- subset(design_of(data), scored)
  totals <- svytotal(~dp + p + dq + q, design)
  one <- function(kind) {
    found <- svycontrast(totals, kind)
    list(point = as.numeric(coef(found)), se = as.numeric(SE(found)))
  }
  list(log_ratio = one(quote(log(dp / p) - log(dq / q))), difference = one(quote(dp / p - dq / q)))
})

imputed <- sapply(1:5, function(k) {
  p <- plogis(0.9 * people$logit - 0.3 * people$diseased + rnorm(1, 0, 0.2))
  ifelse(known, people$male, as.integer(runif(nrow(people)) < p))
})
each <- lapply(1:5, function(k) {
  data <- people
  data$sex <- imputed[, k]
  svycontrast(svyby(~diseased, ~sex, design_of(data), svymean, covmat = TRUE), quote(log(`1`) - log(`0`)))
})
degrees <- degf(design_of(people))
combined <- MIcombine(lapply(each, coef), lapply(each, vcov), df.complete = degrees)

# the variance of a sum of patients' scores over units within strata
over_units <- function(z, data) {
  data$z <- z
  design <- svydesign(ids = ~psu, strata = ~stratum, weights = ~1, data = data, nest = TRUE)
  as.numeric(SE(svytotal(~z, design)))^2
}
fit <- function(x, male, weight, sd) {
  objective <- function(b) {
    eta <- as.vector(x %*% b)
    -sum(weight * (male * eta - log1p(exp(eta)))) + sum(b^2 / sd^2) / 2
  }
  slope <- function(b) -as.vector(t(x) %*% (weight * (male - plogis(as.vector(x %*% b))))) + b / sd^2
  b <- rep(0, ncol(x))
  for (k in 1:6) b <- optim(b, objective, slope, method = "BFGS", control = list(reltol = 1e-16, maxit = 5000))$par
  for (k in 1:4) b <- b - solve(jacobian(slope, b), slope(b))
  inverse <- solve(jacobian(slope, b))
  p <- plogis(as.vector(x %*% b))
  pull <- weight * p * (1 - p) * rowSums((x %*% inverse) * x)
  list(b = b, inverse = inverse, moved = (x * (weight * (male - p) / (1 - pmin(pull, 0.9)))) %*% inverse)
}
log_ratio <- function(v) {  # shares of men without and with the disease, then people without and with it
  log(v[4] * v[2] / (v[4] * v[2] + v[3] * v[1])) -
    log(v[4] * (1 - v[2]) / (v[4] * (1 - v[2]) + v[3] * (1 - v[1])))
}
w <- people$weight; d <- people$diseased
n <- c(sum(w[d == 0]), sum(w[d == 1]))

e2 <- local({
  eyed <- people$n_eyes > 0
  spread <- sqrt(mean((people$logit[eyed] - mean(people$logit[eyed]))^2))
  x <- people$logit / spread; age <- (people$age - 60) / 10
  design <- cbind(1, x, people$n_eyes == 0, people$n_eyes == 1, d, age, age^2, d * x, d * age)
  t <- w[known] / mean(w[known])
  sd <- c(10, rep(2.5, 8))
  model <- fit(design[known, ], people$male[known], t, sd)
  sex <- function(b) ifelse(known, people$male, plogis(as.vector(design %*% b)))
  shares <- function(b) sapply(0:1, function(k) sum((w * sex(b))[d == k]) / n[k + 1])
  pi <- shares(model$b)
  g <- grad(log_ratio, c(pi, n))
  own <- w * ((sex(model$b) - pi[d + 1]) / n[d + 1] * g[d + 1] + g[d + 3])
  learned <- rep(0, length(w))
  learned[known] <- model$moved %*% t(jacobian(shares, model$b)) %*% g[1:2]
  q <- sex(model$b)
  noise <- sum((w^2 * q * (1 - q) * (g[d + 1] / n[d + 1])^2)[!known])
  data <- people[known, ]
  covariance <- sapply(seq_along(model$b), function(j) sapply(seq_along(model$b), function(k) {
    (over_units(model$moved[, j] + model$moved[, k], data) - over_units(model$moved[, j], data) -
       over_units(model$moved[, k], data)) / 2
  })) + model$inverse %*% diag(1 / sd^2) %*% model$inverse
  along <- t(jacobian(shares, model$b)) %*% g[1:2]
  list(pi = pi, point = log_ratio(c(pi, n)), within = over_units(own, people) + noise,
       between = as.numeric(t(along) %*% covariance %*% along) + noise, noise = noise,
       linearised = over_units(own + learned, people),
       silent = as.numeric(t(along) %*% model$inverse %*% diag(1 / sd^2) %*% model$inverse %*% along), beta = model$b, covariance = covariance)
})

e4 <- function(labelled, own_rows) {
  rows <- labelled$known == 1
  eyed <- rows & labelled$n_eyes > 0
  spread <- sqrt(mean((labelled$logit[eyed] - mean(labelled$logit[eyed]))^2))
  without <- function(x) { age <- (x$age - 60) / 10; cbind(1, age, age^2, x$diseased, x$diseased * age) }
  with_score <- function(x) {
    s <- ifelse(x$n_eyes > 0, x$logit / spread, 0); age <- (x$age - 60) / 10; one <- as.numeric(x$n_eyes == 1)
    cbind(s, age * s, one * s, as.numeric(x$n_eyes == 0), one, x$diseased * s, without(x))
  }
  ones <- rep(1, sum(rows))
  first <- fit(with_score(labelled[rows, ]), labelled$male[rows], ones, c(10, rep(2.5, 5), 10, rep(2.5, 4)))
  second <- fit(without(labelled[rows, ]), labelled$male[rows], ones, c(10, rep(2.5, 4)))
  hidden <- if (own_rows) !known else everybody
  X <- with_score(people); Z <- without(people); k <- ncol(X)
  shares <- function(b, weight) {
    ratio <- exp(as.vector(X %*% b[1:k] - Z %*% b[-(1:k)]))
    sapply(0:1, function(j) {
      at <- hidden & d == j
      score <- function(pi) sum(weight[at] * (ratio[at] - 1) / (pi * ratio[at] + 1 - pi))
      pi <- uniroot(score, c(1e-9, 1 - 1e-9), tol = 1e-15)$root
      (pi * sum(weight[at]) + sum((weight * people$male)[!hidden & d == j])) / sum(weight[d == j])
    })
  }
  b <- c(first$b, second$b)
  pi <- shares(b, w)
  g <- grad(log_ratio, c(pi, n))
  counts <- function(weight) c(sum(weight[d == 0]), sum(weight[d == 1]))
  own <- sapply(seq_along(w), function(i) {
    at <- function(h) { v <- w; v[i] <- v[i] + h; log_ratio(c(shares(b, v), counts(v))) }
    w[i] * (at(1e-3) - at(-1e-3)) / 2e-3
  })
  learned <- rep(0, nrow(labelled))
  learned[rows] <- cbind(first$moved, second$moved) %*% t(jacobian(function(b) shares(b, w), b)) %*% g[1:2]
  variance <- if (own_rows) over_units(own + learned, people) else over_units(own, people) + over_units(learned, labelled)
  list(pi = pi, point = log_ratio(c(pi, n)), se = sqrt(variance))
}

out <- list(
  r = R.version.string, survey = as.character(packageVersion("survey")), mitools = as.character(packageVersion("mitools")),
  people = people, other = other, imputed = t(imputed),
  recorded = counted(people, people$male, everybody), complete_case = counted(people, people$male, known),
  naive_threshold = counted(people, threshold, scored), naive_weighted = weighted,
  combined = list(point = as.numeric(coef(combined)), variance = as.numeric(vcov(combined)), df = as.numeric(combined$df),
                  complete_df = degrees, fmi = as.numeric(combined$missinfo)),
  e2 = e2, e4_own = e4(people, TRUE), e4_external = e4(other, FALSE)
)
write(toJSON(out, digits = 14, auto_unbox = TRUE, dataframe = "columns"), "tests/reference/outputs/units.json")
