# Writes tests/reference/outputs/diagnostics.json: run as  Rscript tests/reference/scripts/diagnostics.R  from the root.
# R 4, packages sandwich, mice, splines (base) and jsonlite.
suppressPackageStartupMessages({library(sandwich); library(jsonlite); library(splines)})
set.seed(20231207)
n <- 600
male <- rbinom(n, 1, 0.48)
age <- sample(40:89, n, replace = TRUE)
dec <- (age - 60) / 10
diseased <- rbinom(n, 1, plogis(-0.9 + 0.4 * dec + 0.5 * male))
one_eye <- rbinom(n, 1, 0.2)
raw <- 2.2 * (male - 0.5) + 0.5 * diseased + 0.2 * dec + rnorm(n, sd = 1.6 + 0.5 * one_eye)
score <- (floor(10 * raw) + 0.5) / 10
r <- ifelse(diseased == 1, 0.5, 0.2)
w <- 1 / r
band <- findInterval(age, c(40, 60, 75)) - 1
p <- plogis(score)
hc <- function(fit) vcovHC(fit, type = "HC0") * n / (n - 1)
pair <- function(fit, v, direction) c(sum(direction * coef(fit)), sqrt(drop(t(direction) %*% v %*% direction)))

# (i) disease in a logistic model of sex
full <- glm(male ~ score + diseased + dec + I(dec^2) + one_eye, family = binomial, control = list(epsilon = 1e-14))
less <- update(full, . ~ . - diseased)
test <- anova(less, full, test = "LRT")
weighted <- suppressWarnings(update(full, weights = w))
out <- list(
  data = list(male = male, age = age, diseased = diseased, one_eye = one_eye, score = score, w = w, band = band),
  calibration_by_disease = list(
    chi_square = test$Deviance[2], p_value = test$`Pr(>Chi)`[2],
    log_odds = c(coef(full)[["diseased"]], sqrt(hc(full)["diseased", "diseased"])),
    weighted = c(coef(weighted)[["diseased"]], sqrt(hc(weighted)["diseased", "diseased"]))
  )
)

# (ii) the disease in a linear model of the score, HC3
shift <- function(weights) {
  fit <- lm(score ~ male * (diseased + dec + I(dec^2)) + one_eye, weights = weights)
  v <- vcovHC(fit, type = "HC3")
  at <- function(women, men) { d <- 0 * coef(fit); d["diseased"] <- women; d["male:diseased"] <- men; d }
  list(women = pair(fit, v, at(1, 0)), men = pair(fit, v, at(1, 1)), men_minus_women = pair(fit, v, at(0, 1)))
}
out$shift <- list(equal = shift(rep(1, n)), weighted = shift(w))

# (iii) sensitivity by age band, heterogeneity and trend
right <- as.integer((score > 0) == (male == 1))
m <- male == 1
bands <- lapply(0:2, function(b) {
  x <- right[m & band == b]
  c(mean(x), prop.test(sum(x), length(x), correct = FALSE)$conf.int[1:2])
})
table3 <- table(band[m], right[m])
trend <- glm(right[m] ~ dec[m] + diseased[m], family = binomial, control = list(epsilon = 1e-14))
size <- sum(m)
out$accuracy <- list(
  bands = bands, heterogeneity = unname(chisq.test(table3, correct = FALSE)$statistic),
  p_value = chisq.test(table3, correct = FALSE)$p.value,
  trend = c(coef(trend)[[2]], sqrt((vcovHC(trend, type = "HC0") * size / (size - 1))[2, 2]))
)

# (iv) calibration
cal <- function(weights) {
  large <- suppressWarnings(glm(male ~ 1, offset = score, family = binomial, weights = weights,
                                control = list(epsilon = 1e-14)))
  cox <- suppressWarnings(glm(male ~ score, family = binomial, weights = weights, control = list(epsilon = 1e-14)))
  loss <- (male - p)^2
  share <- weights / sum(weights)
  brier <- sum(share * loss)
  knots <- sapply(c(0.05, 0.35, 0.65, 0.95), function(q) {
    o <- order(score); score[o][which(cumsum(share[o]) >= q - 1e-12)[1]]
  })
  curve <- suppressWarnings(glm(male ~ ns(score, knots = knots[2:3], Boundary.knots = knots[c(1, 4)]),
                                family = binomial, weights = weights, control = list(epsilon = 1e-14)))
  cut10 <- pmin(floor(10 * p), 9)
  list(
    brier = c(brier, sqrt(n / (n - 1) * sum(share^2 * (loss - brier)^2))),
    large = c(coef(large)[[1]], sqrt(hc(large)[1, 1])),
    intercept = c(coef(cox)[[1]], sqrt(hc(cox)[1, 1])),
    slope = c(coef(cox)[[2]], sqrt(hc(cox)[2, 2])),
    ici = sum(share * abs(p - fitted(curve))),
    ece = sum(abs(tapply(share * (p - male), cut10, sum)))
  )
}
out$calibration <- list(equal = cal(rep(1, n)), weighted = cal(w))

# Rubin's rules
q <- c(0.31, 0.42, 0.28, 0.37, 0.51, 0.33, 0.45); u <- c(0.010, 0.012, 0.011, 0.009, 0.013, 0.010, 0.011)
pooled <- mice::pool.scalar(q, u, n = 400, k = 2)
out$rubin <- list(q = q, u = u, complete_df = 398, qbar = pooled$qbar, ubar = pooled$ubar, b = pooled$b, t = pooled$t,
                  df = pooled$df, fmi = pooled$fmi)

# the mixture of multinomials by a general optimiser, and entropy balancing by its dual
mixed <- c(310, 420, 390, 280, 350, 250); men <- c(6, 14, 20, 31, 45, 64); women <- c(70, 48, 33, 17, 12, 6)
simplex <- function(a) { e <- exp(c(a, 0)); e / sum(e) }
minus <- function(a) {
  pi <- plogis(a[1]); f1 <- simplex(a[2:6]); f0 <- simplex(a[7:11])
  -sum(men * log(f1)) - sum(women * log(f0)) - sum(mixed * log(pi * f1 + (1 - pi) * f0))
}
start <- c(0, log(men[1:5] / men[6]), log(women[1:5] / women[6]))
best <- nlm(minus, optim(start, minus, method = "BFGS", control = list(maxit = 5000, reltol = 1e-16))$par,
            gradtol = 1e-10, steptol = 1e-12, iterlim = 5000)
free <- function(x) sum(x * log(x / sum(x)))
out$mixture <- list(mixed = mixed, men = men, women = women, pi = plogis(best$estimate[1]),
                    deviance = 2 * (best$minimum + free(mixed) + free(men) + free(women)))
x <- cbind(dec[m], dec[m]^2, one_eye[m]); target <- c(0.9, 2.6, 0.15)
z <- sweep(x, 2, target)
dual <- optim(c(0, 0, 0), function(l) log(sum(w[m] * exp(z %*% l))), method = "BFGS",
              control = list(maxit = 5000, reltol = 1e-16))
tilt <- exp(z %*% dual$par); tilt <- tilt * sum(w[m]) / sum(w[m] * tilt)
out$balance <- list(target = target, factor = drop(tilt))
writeLines(toJSON(out, digits = 12, auto_unbox = TRUE), "tests/reference/outputs/diagnostics.json")
