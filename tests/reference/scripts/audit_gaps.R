# Empirical Bayes by metafor's fit with Morris's interval written out, prediction interval, I2, beta-binomial by
# adaptive integration, power of two proportions, and adjusted p values.
library(metafor); library(jsonlite)
sets <- list(
  sites = list(x = c(180, 95, 61, 240, 33), n = c(200, 100, 80, 250, 35)),
  perfect = list(x = c(40, 20, 75, 90, 58, 30), n = c(40, 22, 80, 100, 60, 40)))
morris <- function(one) {
  y <- log((one$x + .5) / (one$n - one$x + .5)); v <- 1 / (one$x + .5) + 1 / (one$n - one$x + .5)
  fit <- rma(yi = y, vi = v, method = "PM", test = "adhoc", control = list(tol = 1e-14, maxiter = 1000))
  p <- predict(fit); k <- length(y); A <- fit$tau2; m <- as.numeric(fit$beta)
  w <- 1 / (v + A); B <- (k - 3) / (k - 1) * v / (v + A)
  rhat <- k * w / sum(w); vbar <- sum(w * v) / sum(w)
  s2 <- v * (1 - (k - rhat) / k * B) + 2 / (k - 3) * B^2 * (vbar + A) / (v + A) * (y - m)^2
  th <- (1 - B) * y + B * m
  blup0 <- as.numeric(blup(fit)$pred) # without Morris's factor (k - 3)/(k - 1)
  list(x = one$x, n = one$n, point = plogis(th), low = plogis(th - qnorm(.975) * sqrt(s2)),
       high = plogis(th + qnorm(.975) * sqrt(s2)), tau2 = A, blup = blup0, logit = y, variance = v,
       prediction_low = plogis(p$pi.lb), prediction_high = plogis(p$pi.ub), q = fit$QE,
       i2_q = max(0, (fit$QE - (k - 1)) / fit$QE))
}
# posterior of (m, c) uniform on the unit square, by a fine midpoint rule on the logits of both
bb <- function(one) {
  u <- seq(-6, 8, length.out = 1401); t <- seq(-16, 4, length.out = 1601)
  g <- expand.grid(u = u, t = t); m <- plogis(g$u); s <- exp(-g$t); a <- m * s; b <- plogis(-g$u) * s
  lw <- plogis(g$u, log.p = TRUE) + plogis(-g$u, log.p = TRUE) + plogis(g$t, log.p = TRUE) + plogis(-g$t, log.p = TRUE)
  for (i in seq_along(one$x)) lw <- lw + lbeta(a + one$x[i], b + one$n[i] - one$x[i]) - lbeta(a, b)
  w <- exp(lw - max(lw)); keep <- w > 1e-9; w <- w[keep] / sum(w[keep]); a <- a[keep]; b <- b[keep]
  f <- function(i, p) uniroot(function(z) sum(w * pbeta(z, a + one$x[i], b + one$n[i] - one$x[i])) - p, c(1e-9, 1 - 1e-9),
                              tol = 1e-9)$root
  list(x = one$x, n = one$n,
       point = sapply(seq_along(one$x), function(i) sum(w * (a + one$x[i]) / (a + b + one$n[i]))),
       low = sapply(seq_along(one$x), f, p = .025), high = sapply(seq_along(one$x), f, p = .975))
}
p <- c(.001, .013, .04, .041, .2, .5, .011)
out <- list(
  morris = lapply(sets, morris), beta_binomial = lapply(sets, bb),
  power = list(down = .9 - power.prop.test(n = 150, p2 = .9, power = .8, tol = 1e-12)$p1,
               up = power.prop.test(n = 150, p1 = .9, power = .8, tol = 1e-12)$p2 - .9),
  adjusted = list(p = p, holm = p.adjust(p, "holm"), bh = p.adjust(p, "BH"), by = p.adjust(p, "BY")))
write_json(out, "tests/reference/outputs/audit_gaps.json", digits = 12, auto_unbox = TRUE)
