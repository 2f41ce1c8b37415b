# Bootstrap intervals with R's boot package: the prevalence ratio of 600 people whose sex is known.
# Run from the root of the checkout: Rscript tests/reference/scripts/bootstrap.R
library(boot)
library(jsonlite)

counts <- c(men_diseased = 60, men_well = 220, women_diseased = 38, women_well = 282)
people <- data.frame(male = rep(c(1, 1, 0, 0), counts), diseased = rep(c(1, 0, 1, 0), counts))
log_ratio <- function(data, rows) {
  one <- data[rows, ]
  log(mean(one$diseased[one$male == 1]) / mean(one$diseased[one$male == 0]))
}
set.seed(7)
small <- boot(people, log_ratio, R = 999)
influence <- empinf(small)
limits <- function(b, level, ...) {
  found <- boot.ci(b, conf = level, type = c("perc", "bca"), ...)
  list(level = level, percentile = found$percent[4:5], bca = found$bca[4:5])
}
big <- boot(people, log_ratio, R = 20000)
out <- list(
  r = R.version.string, boot = as.character(packageVersion("boot")), counts = as.list(counts), point = small$t0,
  same = list(replicates = small$t[, 1], influence = influence,
              intervals = lapply(c(0.80, 0.95, 0.99), function(level) limits(small, level, L = influence))),
  many = list(size = 20000, se = sd(big$t[, 1]), interval = limits(big, 0.95))
)
write(toJSON(out, digits = 14, auto_unbox = TRUE), "tests/reference/outputs/bootstrap.json")
