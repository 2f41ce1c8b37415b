# Maximum likelihood on main and validation sample by general-purpose optimisation of the log likelihood written out.
# Needs: numDeriv, jsonlite. Run: Rscript validation_likelihood.R > ../outputs/validation_likelihood.json
library(numDeriv)
library(jsonlite)

# main[d, class], validation[d, sex, class]; well, female first
cases <- list(
  typical = list(main = rbind(c(4000, 3900), c(700, 1100)),
    validation = list(rbind(c(230, 20), c(30, 220)), rbind(c(50, 9), c(6, 85)))),
  differential = list(main = rbind(c(900, 800), c(210, 480)),
    validation = list(rbind(c(70, 10), c(12, 60)), rbind(c(30, 14), c(3, 60)))),
  few = list(main = rbind(c(300, 260), c(60, 75)),
    validation = list(rbind(c(25, 4), c(5, 20)), rbind(c(9, 3), c(2, 12))))
)
# six parameters on the logit scale: pi0 pi1 se0 se1 sp0 sp1; or four: pi0 pi1 se sp
log_likelihood <- function(par, case, internal) {
  p <- plogis(par)
  if (length(p) == 4) p <- p[c(1, 2, 3, 3, 4, 4)]
  total <- 0
  for (d in 1:2) {
    pi <- p[d]; se <- p[2 + d]; sp <- p[4 + d]
    q <- pi * se + (1 - pi) * (1 - sp)
    v <- case$validation[[d]]
    total <- total + dbinom(case$main[d, 2], sum(case$main[d, ]), q, log = TRUE)
    total <- total + dbinom(v[2, 2], sum(v[2, ]), se, log = TRUE) + dbinom(v[1, 1], sum(v[1, ]), sp, log = TRUE)
    if (internal) total <- total + dbinom(sum(v[2, ]), sum(v), pi, log = TRUE)
  }
  total
}
fit <- function(case, internal, differential) {
  start <- if (differential) c(0, 0, 1.5, 1.5, 1.5, 1.5) else c(0, 0, 1.5, 1.5)
  f <- function(par) -log_likelihood(par, case, internal)
  best <- optim(start, f, method = "BFGS", control = list(reltol = 1e-15, maxit = 5000))
  for (i in 1:8) best$par <- best$par - solve(hessian(f, best$par), grad(f, best$par)) # to the last digits
  v <- solve(hessian(f, best$par))
  natural <- jacobian(function(par) { p <- plogis(par); if (length(p) == 4) p[c(1, 2, 3, 3, 4, 4)] else p }, best$par)
  p <- plogis(best$par); if (length(p) == 4) p <- p[c(1, 2, 3, 3, 4, 4)]
  covariance <- natural %*% v %*% t(natural)
  n <- rowSums(case$main) + if (internal) sapply(case$validation, sum) else 0
  measures <- function(x) { # pi0 pi1 N0 N1
    male <- x[4] * x[2] / (x[4] * x[2] + x[3] * x[1])
    female <- x[4] * (1 - x[2]) / (x[4] * (1 - x[2]) + x[3] * (1 - x[1]))
    c(log(male / (1 - male)), log(female / (1 - female)), log(male / female), male - female,
      log(male / (1 - male) / (female / (1 - female))))
  }
  at <- c(p[1:2], n)
  j <- jacobian(measures, at)
  spread <- rbind(cbind(covariance[1:2, 1:2], matrix(0, 2, 2)), cbind(matrix(0, 2, 2), diag(n)))
  list(log_likelihood = -f(best$par), values = p, covariance = covariance, measures = measures(at),
    se = sqrt(diag(j %*% spread %*% t(j))))
}
result <- lapply(cases, function(case) {
  found <- list(main = case$main, validation = case$validation)
  for (internal in c(TRUE, FALSE)) {
    wide <- fit(case, internal, TRUE); narrow <- fit(case, internal, FALSE)
    statistic <- 2 * (wide$log_likelihood - narrow$log_likelihood)
    found[[if (internal) "internal" else "external"]] <- list(differential = wide, nondifferential = narrow,
      statistic = statistic, p_value = pchisq(statistic, 2, lower.tail = FALSE))
  }
  found
})
cat(toJSON(c(result, list(made_with = list(R = R.version.string))), digits = NA, auto_unbox = TRUE, pretty = TRUE))
