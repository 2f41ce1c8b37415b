# Regression calibration with the sandwich of both stages by numerical derivatives, and the shift of logit p by disease.
# Needs: sandwich, numDeriv, jsonlite. Run: Rscript regression_calibration.R > ../outputs/regression_calibration.json
suppressMessages(library(sandwich))
library(numDeriv)
library(jsonlite)
# cells by age band, sex known or not, sex, disease and score, with whole counts from smooth formulas
cells <- expand.grid(logit_p = seq(-4, 4, by = 1), stratum = 0:1, male = 0:1, diseased = 0:1, known = 0:1)
density <- dnorm(cells$logit_p, (2 * cells$male - 1) * 1.6 + 0.2 * cells$stratum, 1.7)
risk <- c(0.12, 0.25)[cells$stratum + 1] + 0.08 * cells$male
cells$counts <- round(ifelse(cells$known == 1, 600, 4000) * density * c(0.5, 0.5)[cells$male + 1] *
  ifelse(cells$diseased == 1, risk, 1 - risk))
people <- cells[rep(seq_len(nrow(cells)), cells$counts), ]
n <- nrow(people)
x <- cbind(people$stratum == 0, people$stratum == 1, (people$stratum == 0) * people$logit_p,
  (people$stratum == 1) * people$logit_p) * 1
first <- glm(male ~ 0 + x, family = binomial, weights = known, data = people,
  control = glm.control(epsilon = 1e-14, maxit = 100))
p <- plogis(as.numeric(x %*% coef(first)))
second <- lm(people$diseased ~ 0 + x[, 1:2] + p)
score <- function(theta) { # estimating functions of every patient
  p <- plogis(as.numeric(x %*% theta[1:4])); z <- cbind(x[, 1:2], p)
  cbind(people$known * x * (people$male - p), z * as.numeric(people$diseased - z %*% theta[5:7]))
}
theta <- c(coef(first), coef(second))
bread <- solve(jacobian(function(t) colSums(score(t)), theta))
v <- bread %*% crossprod(score(theta)) %*% t(bread)

known <- people[people$known == 1, ]
shift <- lm(logit_p ~ 0 + factor(male):factor(stratum) + I(diseased * male) + I(diseased * (1 - male)), data = known)
robust <- vcovHC(shift, type = "HC3")
centred <- known$logit_p - ave(known$logit_p, known$male)
s <- sqrt(sum(centred^2) / (nrow(known) - 2)) # within sex
last <- grep("diseased", names(coef(shift)))
cells$male[cells$known == 0] <- NA
cat(toJSON(list(
  cells = cells[cells$counts > 0, ], slope = coef(second)[[3]], se = sqrt(v[7, 7]),
  naive_se = sqrt(vcovHC(second, type = "HC0")[3, 3]),
  shift_men = coef(shift)[[last[1]]] / s, shift_women = coef(shift)[[last[2]]] / s,
  shift_men_se = sqrt(robust[last[1], last[1]]) / s, shift_women_se = sqrt(robust[last[2], last[2]]) / s,
  made_with = list(R = R.version.string, sandwich = as.character(packageVersion("sandwich")))
), digits = NA, auto_unbox = TRUE, pretty = FALSE, na = "null"))
