# Paired difference of two AUCs: pROC's DeLong test where every patient has one image, a bootstrap of patients where
# they have several; calibration slope: glm() with sandwich::vcovCL() over patients.
# Run from the root of the checkout: Rscript tests/reference/scripts/auc_difference.R
suppressMessages({library(pROC); library(sandwich); library(jsonlite)})
set.seed(2026)

draw <- function(patients, images) {
  male <- as.integer(runif(patients) < 0.55)
  shared <- rnorm(patients, 0, 0.5)
  own <- rnorm(patients, 0, 0.9)  # of the first score alone, alike in all images of a patient
  rows <- data.frame(patient = rep(seq_len(patients), images), male = rep(male, images))
  both <- rnorm(nrow(rows))
  noise <- 0.6 * both + rnorm(nrow(rows), 0, 0.4)
  rows$first <- round(1.2 * rows$male + shared[rows$patient] + own[rows$patient] + noise, 2)
  rows$second <- round(0.8 * rows$male + 0.7 * shared[rows$patient] + 0.6 * both + rnorm(nrow(rows), 0, 0.9), 2)
  rows
}
auc_of <- function(score, male) {
  ranks <- rank(score)
  m <- sum(male); n <- sum(1 - male)
  (sum(ranks[male == 1]) - m * (m + 1) / 2) / (m * n)
}

single <- draw(180, rep(1, 180))
test <- roc.test(roc(single$male, single$first, quiet = TRUE, direction = "<"),
                 roc(single$male, single$second, quiet = TRUE, direction = "<"), method = "delong", paired = TRUE)

clustered <- draw(240, sample(1:4, 240, replace = TRUE))
rows_of <- split(seq_len(nrow(clustered)), clustered$patient)
difference <- function(rows) {
  with(clustered[rows, ], auc_of(first, male) - auc_of(second, male))
}
draws <- replicate(20000, difference(unlist(rows_of[sample(length(rows_of), replace = TRUE)], use.names = FALSE)))

clustered$p <- plogis(1.5 * (clustered$first - 0.6))
fit <- glm(male ~ qlogis(p), family = binomial, data = clustered, control = list(epsilon = 1e-14, maxit = 100))
covariance <- vcovCL(fit, cluster = clustered$patient, type = "HC0", cadjust = TRUE)

write_json(list(
  single = single,
  delong = list(point = as.numeric(test$estimate[1] - test$estimate[2]), z = as.numeric(test$statistic),
                low = as.numeric(test$conf.int[1]), high = as.numeric(test$conf.int[2])),
  clustered = clustered[, c("patient", "male", "first", "second", "p")],
  bootstrap = list(point = difference(seq_len(nrow(clustered))), se = sd(draws), draws = length(draws)),
  slope = list(point = as.numeric(coef(fit)[2]), se = sqrt(covariance[2, 2]))
), "tests/reference/outputs/auc_difference.json", digits = NA, auto_unbox = TRUE, dataframe = "columns")
