# E1 and E2 by another program: five ridge logistic models by optim(), each leaving one fold out, then the mean of psi and its
# variance by patient. Reads aipw_input.json (one row a patient), writes aipw.json beside it.
# Rscript tests/reference/scripts/aipw.R tests/reference/outputs
library(jsonlite)
folder <- commandArgs(trailingOnly = TRUE)[1]
x <- as.data.frame(fromJSON(file.path(folder, "aipw_input.json")))
known <- x$sex >= 0
scored <- x$n_eyes > 0
spread <- sqrt(mean((x$logit[scored] - mean(x$logit[scored]))^2))
s <- ifelse(scored, x$logit / spread, 0)
age <- (x$age - 60) / 10
design <- cbind(1, s, as.numeric(x$n_eyes == 0), as.numeric(x$n_eyes == 1), x$diseased, age, age^2,
                x$diseased * s, x$diseased * age)
sd <- c(10, rep(2.5, 8))
fit <- function(rows) {
  y <- as.numeric(x$sex[rows] == 1)
  z <- design[rows, ]
  objective <- function(b) {
    eta <- as.vector(z %*% b)
    -sum(y * eta - log1p(exp(eta))) + sum(b^2 / sd^2) / 2
  }
  slope <- function(b) -as.vector(t(z) %*% (y - plogis(as.vector(z %*% b)))) + b / sd^2
  b <- rep(0, ncol(z))
  for (k in 1:5) b <- optim(b, objective, slope, method = "BFGS", control = list(reltol = 1e-16, maxit = 2000))$par
  b
}
p <- sapply(0:4, function(fold) plogis(as.vector(design %*% fit(known & x$fold != fold))))
own <- ifelse(known, p[cbind(seq_len(nrow(x)), ifelse(known, x$fold + 1, 1))], rowMeans(p))
r <- mean(known)
psi <- own + ifelse(known, (as.numeric(x$sex == 1) - own) / r, 0)
answer <- sapply(0:1, function(d) {
  rows <- x$diseased == d
  n <- sum(rows)
  realised <- ifelse(known, (1 - r) / r^2 * (as.numeric(x$sex == 1) - own)^2, 0)
  c(mean(psi[rows]), mean((psi[rows] - mean(psi[rows]))^2) / n, sum(realised[rows]) / n^2)
})
# E2 in the limit of many imputations: one model on all with known sex, parameters normal, sexes binomial
b <- fit(known)
q <- plogis(as.vector(design %*% b))
z <- design[known, ]
covariance <- solve(t(z) %*% (z * (q * (1 - q))[known]) + diag(1 / sd^2))
imputed <- sapply(0:1, function(d) {
  rows <- x$diseased == d
  hidden <- rows & !known
  n <- sum(rows)
  slope <- colSums(design[hidden, ] * (q * (1 - q))[hidden]) / n
  c((sum(x$sex[rows & known] == 1) + sum(q[hidden])) / n,
    as.vector(slope %*% covariance %*% slope) + sum((q * (1 - q))[hidden]) / n^2)
})
write_json(list(pi = answer[1, ], population = answer[2, ], cohort = answer[3, ],
                imputed = imputed[1, ], between = imputed[2, ]),
           file.path(folder, "aipw.json"), digits = 12)
