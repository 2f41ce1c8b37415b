# E4 by another program: two penalised logistic models by optim(), each cell's share by uniroot(), its variance through
# the cohort's people by numerical derivatives. Reads cell_em_input.json, writes cell_em.json beside it.
# Rscript tests/reference/scripts/cell_em.R tests/reference/outputs
library(jsonlite)
folder <- commandArgs(trailingOnly = TRUE)[1]
input <- fromJSON(file.path(folder, "cell_em_input.json"))
labelled <- as.data.frame(input$labelled)
cohort <- as.data.frame(input$cohort)

score <- labelled$n_eyes > 0
m <- weighted.mean(labelled$logit[score], labelled$n[score])
spread <- sqrt(weighted.mean((labelled$logit[score] - m)^2, labelled$n[score]))

without_score <- function(x) {
  age <- (x$age - 60) / 10
  cbind(1, age, age^2, x$diseased, x$diseased * age)
}
with_score <- function(x) {
  s <- ifelse(x$n_eyes > 0, x$logit / spread, 0)
  age <- (x$age - 60) / 10
  one <- as.numeric(x$n_eyes == 1)
  cbind(s, age * s, one * s, as.numeric(x$n_eyes == 0), one, x$diseased * s, without_score(x))
}
fit <- function(x, sd) {
  objective <- function(b) {
    eta <- as.vector(x %*% b)
    -sum(labelled$n * (labelled$male * eta - log1p(exp(eta)))) + sum(b^2 / sd^2) / 2
  }
  slope <- function(b) {
    p <- plogis(as.vector(x %*% b))
    -as.vector(t(x) %*% (labelled$n * (labelled$male - p))) + b / sd^2
  }
  b <- rep(0, ncol(x))
  for (k in 1:5) b <- optim(b, objective, slope, method = "BFGS", control = list(reltol = 1e-16, maxit = 2000))$par
  b
}
beta <- fit(with_score(labelled), c(10, rep(2.5, 5), 10, rep(2.5, 4)))
gamma <- fit(without_score(labelled), c(10, rep(2.5, 4)))
ratio <- exp(as.vector(with_score(cohort) %*% beta - without_score(cohort) %*% gamma))

shares <- function(n) {
  sapply(sort(unique(cohort$group)), function(g) {
    rows <- cohort$group == g
    score <- function(pi) sum(n[rows] * (ratio[rows] - 1) / (pi * ratio[rows] + 1 - pi))
    uniroot(score, c(1e-9, 1 - 1e-9), tol = 1e-14)$root
  })
}
pi <- shares(cohort$n)
step <- 1e-4
own <- sapply(seq_along(cohort$n), function(i) {
  up <- cohort$n; up[i] <- up[i] + step
  down <- cohort$n; down[i] <- down[i] - step
  (shares(up) - shares(down)) / (2 * step)
})
variance <- as.vector((own^2) %*% cohort$n)
write_json(list(beta = beta, gamma = gamma, pi = pi, own_variance = variance),
           file.path(folder, "cell_em.json"), digits = 12)
