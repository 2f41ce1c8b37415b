# MC-SIMEX of a logistic regression of disease on predicted sex, by the package of the method's authors.
# Needs: simex 1.8, jsonlite. Run: Rscript simex.R > ../outputs/simex.json
library(simex)
library(jsonlite)
cases <- list(
  list(called_men = c(220, 130), patients = c(500, 220), sensitivity = 0.9, specificity = 0.85),
  list(called_men = c(150, 90), patients = c(320, 150), sensitivity = 0.95, specificity = 0.93)
)
run <- function(case, simulations = 600) {
  women <- case$patients - case$called_men
  d <- data.frame(
    diseased = rep(c(0, 1, 0, 1), c(case$called_men, women)),
    sex = factor(rep(c("male", "female"), c(sum(case$called_men), sum(women))), levels = c("female", "male"))
  )
  naive <- glm(diseased ~ sex, family = binomial, data = d, x = TRUE, y = TRUE)
  pi <- matrix(c(case$specificity, 1 - case$specificity, 1 - case$sensitivity, case$sensitivity), 2)
  dimnames(pi) <- list(levels(d$sex), levels(d$sex))
  set.seed(20)
  fit <- mcsimex(naive, SIMEXvariable = "sex", mc.matrix = pi, B = simulations, asymptotic = FALSE)
  power <- eigen(pi) # the matrix to the power 1.5, as the package raises it
  raised <- power$vectors %*% diag(power$values^1.5) %*% solve(power$vectors)
  spread <- sapply(fit$theta$sexmale, sd)
  list(case = case, simulations = simulations, naive = coef(naive)[[2]], log_odds_ratio = coef(fit)[[2]],
    se = sqrt(fit$variance.jackknife[2, 2]), lambdas = fit$lambda, curve = as.numeric(fit$SIMEX.estimates[-1, "sexmale"]),
    spread = as.numeric(spread), power_1.5 = c(sensitivity = raised[2, 2], specificity = raised[1, 1]))
}
cat(toJSON(list(cases = lapply(cases, run), made_with = list(R = R.version.string, simex = "1.8")), digits = NA,
  auto_unbox = TRUE, pretty = TRUE))
