# Forty patients with two eyes: kappa (vcd), McNemar's exact test (binom.test) and an independence GEE (geepack).
suppressMessages({library(vcd); library(geepack); library(jsonlite)})
kappa <- Kappa(matrix(c(20, 8, 2, 10), 2, byrow = TRUE))
limits <- confint(kappa)["Unweighted", ]
right_eye <- c(rep(1, 20), rep(0, 10), rep(1, 8), rep(0, 2))
left_eye <- c(rep(1, 20), rep(0, 10), rep(0, 8), rep(1, 2))
eyes <- data.frame(y = c(rbind(right_eye, left_eye)), right = rep(c(1, 0), 40), id = rep(1:40, each = 2))
fit <- coef(summary(geeglm(y ~ right, id = id, data = eyes, family = binomial)))["right", ]
write_json(list(
  kappa = unname(kappa$Unweighted["value"]), low = unname(limits[1]), high = unname(limits[2]),
  mcnemar = binom.test(8, 10)$p.value, log_odds_ratio = fit$Estimate, se = fit$Std.err
), "tests/reference/outputs/eye_comparison.json", digits = NA, auto_unbox = TRUE)
