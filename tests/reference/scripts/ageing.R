# Curves of correctness over age: geepack (independence) on simulated eyes, spline columns as in Hmisc::rcspline.eval.
# Rscript tests/reference/scripts/ageing.R tests/reference/outputs/ageing.json
library(geepack)
library(jsonlite)

columns <- function(age, knots) {
  k <- length(knots)
  plus <- function(x) pmax(x, 0)^3
  out <- cbind(1, (age - (knots[1] + knots[k]) / 2) / 10)
  for (j in seq_len(k - 2)) {
    bent <- plus(age - knots[j]) - plus(age - knots[k - 1]) * (knots[k] - knots[j]) / (knots[k] - knots[k - 1]) +
      plus(age - knots[k]) * (knots[k - 1] - knots[j]) / (knots[k] - knots[k - 1])
    out <- cbind(out, bent / (knots[k] - knots[1])^2 / 10)
  }
  out
}

set.seed(71)
patients <- 160
age <- round(runif(patients, 25, 85))
own <- rnorm(patients)
eyes <- sample(1:2, patients, replace = TRUE)
patient <- rep(seq_len(patients), eyes)
a <- age[patient]
right <- rbinom(length(patient), 1, plogis(1.6 - 0.03 * (a - 50) + 0.9 * own[patient]))
weight <- rep(c(1, 2, 4), length.out = patients)[patient]
knots <- c(30, 48, 63, 80)
x <- columns(a, knots)
fit <- function(w) {
  data <- data.frame(right = right, x2 = x[, 2], x3 = x[, 3], x4 = x[, 4], id = patient, w = w)
  one <- geeglm(right ~ x2 + x3 + x4, data = data, id = id, weights = w, family = binomial, corstr = "independence",
                control = geese.control(epsilon = 1e-14, maxit = 100))
  list(coefficients = unname(coef(one)), covariance = unname(as.matrix(one$geese$vbeta)))
}
write_json(list(
  made_by = paste("R", getRversion(), "geepack", packageVersion("geepack")),
  age = a, patient = patient, right = right, weight = weight, knots = knots,
  plain = fit(rep(1, length(a))), weighted = fit(weight)
), commandArgs(TRUE)[1], digits = I(15), auto_unbox = TRUE)
