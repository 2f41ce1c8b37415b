# Random effects by Paule and Mandel with the never narrower Hartung-Knapp interval, from metafor.
library(metafor); library(jsonlite)
sets <- list(
  agree = list(y = c(.4, .5, .6), v = c(.03, .03, .03)),
  differ = list(y = c(-.2, .35, .5, .9, .1), v = c(.01, .02, .015, .04, .008)),
  close = list(y = c(.31, .29, .33, .35, .28, .30), v = c(.02, .05, .01, .03, .02, .04)))
found <- lapply(sets, function(one) {
  fit <- rma(yi = one$y, vi = one$v, method = "PM", test = "adhoc", control = list(tol = 1e-14, maxiter = 1000))
  p <- predict(fit)
  list(y = one$y, v = one$v, mean = as.numeric(fit$beta), se = fit$se, low = fit$ci.lb, high = fit$ci.ub,
       prediction_low = p$pi.lb, prediction_high = p$pi.ub, tau2 = fit$tau2, q = fit$QE, p_value = fit$QEp)
})
write_json(found, "tests/reference/outputs/random_effects.json", digits = 12, auto_unbox = TRUE)
