# Second derivation of the sensitivity analyses in base R.
#
# Bias analysis: 300 fixed draws of sensitivity and specificity; the corrected table by solve() of the 2 x 2 matrix of
# error probabilities in each disease state (and age band), and the variance of a contrast by numerical derivatives with
# respect to the observed counts, each count its own variance (multinomial; the contrasts do not change with the total).
# E-values by the formula of VanderWeele and Ding. Beta quantiles by qbeta. Error of recorded sex from groups of two and
# three records, by enumeration of every pattern of records with the person's sex male with probability 0.37.
# Run: Rscript tests/reference/scripts/bias_analysis.R > tests/reference/outputs/bias_analysis.json

library(jsonlite)

set.seed(20231207)
draws <- 300
logistic <- function(x) 1 / (1 + exp(-x))
common <- rnorm(draws)
se <- cbind(well = logistic(1.9 + 0.5 * (0.8 * common + 0.6 * rnorm(draws))),
            diseased = logistic(2.1 + 0.5 * (0.8 * common + 0.6 * rnorm(draws))))
sp <- cbind(well = logistic(1.5 + 0.5 * rnorm(draws)), diseased = logistic(1.3 + 0.5 * rnorm(draws)))
noise <- rnorm(draws)

# observed counts: rows age bands; columns well predicted female, well predicted male, the same for the diseased
tables <- list(one = matrix(c(945, 257, 94, 45), nrow = 1),
               two = rbind(c(700, 420, 60, 75), c(500, 410, 150, 190)))
standard <- list(one = 1, two = c(0.7, 0.3))

contrasts <- function(counts, k, weights, merged) {
  men <- women <- matrix(0, nrow(counts), 2)
  for (a in seq_len(nrow(counts))) for (d in 1:2) {
    error <- rbind(c(sp[k, d], 1 - se[k, d]), c(1 - sp[k, d], se[k, d]))
    true <- solve(error, counts[a, c(2 * d - 1, 2 * d)])
    women[a, d] <- true[1]; men[a, d] <- true[2]
  }
  if (min(men, women) < 0 && !merged) return(rep(NA, 3))
  if (merged) { men <- t(colSums(men)); women <- t(colSums(women)); weights <- 1 }
  if (min(men, women) < 0) return(rep(NA, 3))
  male <- sum(weights * men[, 2] / rowSums(men)); female <- sum(weights * women[, 2] / rowSums(women))
  c(log(male / female), male - female, qlogis(male) - qlogis(female))
}

with_variance <- function(counts, k, weights, merged) {
  value <- contrasts(counts, k, weights, merged)
  if (anyNA(value)) return(rbind(value, NA))
  variance <- rep(0, 3)
  for (i in seq_along(counts)) {
    step <- 1e-4 * counts[i]
    at <- function(size) { moved <- counts; moved[i] <- moved[i] + size; contrasts(moved, k, weights, merged) }
    slope <- (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step)
    if (anyNA(slope)) {  # a draw on the brink of the impossible: a smaller step stays inside
      step <- step / 100
      slope <- (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step)
    }
    variance <- variance + slope^2 * counts[i]
  }
  rbind(value, variance)
}

summarised <- function(name, merged) {
  both <- lapply(seq_len(draws), function(k) with_variance(tables[[name]], k, standard[[name]], merged))
  value <- sapply(both, function(x) x[1, ]); variance <- sapply(both, function(x) x[2, ])
  kept <- !is.na(value[1, ])
  result <- list(share_impossible = mean(!kept))
  back <- list(ratio = exp, difference = identity, odds_ratio = exp)
  for (m in 1:3) {
    total <- value[m, kept] + noise[kept] * sqrt(variance[m, kept])
    at <- c(0.5, 0.025, 0.975)
    result[[names(back)[m]]] <- list(total = unname(back[[m]](quantile(total, at))),
                                     systematic = unname(back[[m]](quantile(value[m, kept], at))))
  }
  result
}

e_value <- function(rr) { rr <- ifelse(rr < 1, 1 / rr, rr); rr + sqrt(rr * (rr - 1)) }

# every pattern of records of a group, not only the size of its minority
pattern_likelihood <- function(e, size, minority, groups, theta = 0.37) {
  one <- function(k, m) {
    patterns <- as.matrix(expand.grid(rep(list(0:1), k)))
    male <- rowSums(patterns)
    p <- theta * (1 - e)^male * e^(k - male) + (1 - theta) * e^male * (1 - e)^(k - male)
    sum(p[pmin(male, k - male) == m])
  }
  sum(groups * log(mapply(one, size, minority)))
}
size <- c(2, 2, 3, 3, 4, 4, 4); minority <- c(0, 1, 0, 1, 0, 1, 2); groups <- c(300, 7, 40, 3, 12, 1, 0)
informative <- groups > 0
value <- function(e) pattern_likelihood(e, size[informative], minority[informative], groups[informative])
best <- optimize(value, c(1e-9, 0.5), maximum = TRUE, tol = 1e-12)
depth <- function(e) value(e) - best$objective + qchisq(0.95, 1) / 2
rate <- c(best$maximum, uniroot(depth, c(1e-9, best$maximum), tol = 1e-13)$root,
          uniroot(depth, c(best$maximum, 0.5), tol = 1e-13)$root)

# a prior from an interval: a and b by minimising the distance of the quantiles
fit <- optim(log(c(50, 5)), function(x) sum((qlogis(qbeta(c(0.025, 0.975), exp(x[1]), exp(x[2]))) -
                                             qlogis(c(0.85, 0.97)))^2),
             control = list(reltol = 1e-15, maxit = 20000))

cat(toJSON(list(
  sensitivity = se, specificity = sp, noise = noise,
  one = summarised("one", FALSE), two_standardised = summarised("two", FALSE), two_crude = summarised("two", TRUE),
  e_values = e_value(c(3.9, 1.8, 0.8, 1.41, 1)), e_value_common = e_value(sqrt(2.4)),
  duplicates = rate, prior = exp(fit$par)
), digits = 14, auto_unbox = TRUE, pretty = FALSE))
