# Rogan-Gladen shares with their intervals, and the matrix method, by other hands.
# Needs: epiR, numDeriv, jsonlite; the source of asht 1.0.1 unpacked in the folder named by ASHT_SOURCE, of which only
# R/prevSeSp.R is read (it needs nothing else of that package).
# Run: ASHT_SOURCE=/somewhere/asht Rscript misclassification.R > ../outputs/misclassification.json
suppressWarnings(suppressMessages(library(epiR)))
library(numDeriv)
library(jsonlite)
source(file.path(Sys.getenv("ASHT_SOURCE"), "R", "prevSeSp.R"))

cases <- list(
  c(called_men = 110, n = 200, correct_men = 90, n_men = 100, correct_women = 80, n_women = 100),
  c(called_men = 431, n = 1000, correct_men = 57, n_men = 60, correct_women = 66, n_women = 70),
  c(called_men = 12, n = 150, correct_men = 40, n_men = 50, correct_women = 97, n_women = 100),
  c(called_men = 60, n = 75, correct_men = 29, n_men = 30, correct_women = 21, n_women = 25)
)
rogan_gladen <- function(v) (v[1] + v[3] - 1) / (v[2] + v[3] - 1)
share <- function(case) {
  q <- case[["called_men"]] / case[["n"]]
  se <- case[["correct_men"]] / case[["n_men"]]
  sp <- case[["correct_women"]] / case[["n_women"]]
  known <- suppressWarnings(epi.prev(case[["called_men"]], case[["n"]], se, sp, method = "wilson", units = 1)$tp)
  lang <- prevSeSp(q, case[["n"]], se, case[["n_men"]], sp, case[["n_women"]])
  gradient <- grad(rogan_gladen, c(q, se, sp))
  spread <- c(q * (1 - q) / case[["n"]], se * (1 - se) / case[["n_men"]], sp * (1 - sp) / case[["n_women"]])
  c(as.list(case), list(
    point = known$est, known_low = known$lower, known_high = known$upper,
    lang_low = lang$conf.int[1], lang_high = lang$conf.int[2], delta_se = sqrt(sum(gradient^2 * spread))
  ))
}

# Matrix method: shares of men among well and diseased, their covariance, and the measures, all by numerical gradients.
table <- list(called_men = c(431, 207), patients = c(900, 380))
men <- c(92, 100, 45, 50); women <- c(85, 100, 41, 50) # well: correct, labelled; diseased: correct, labelled
measures <- function(v) { # v: q0 q1 se0 se1 sp0 sp1 N0 N1
  pi <- (v[1:2] + v[5:6] - 1) / (v[3:4] + v[5:6] - 1)
  male <- v[8] * pi[2] / (v[8] * pi[2] + v[7] * pi[1])
  female <- v[8] * (1 - pi[2]) / (v[8] * (1 - pi[2]) + v[7] * (1 - pi[1]))
  odds <- function(p) p / (1 - p)
  c(pi, log(odds(male)), log(odds(female)), log(male / female), male - female, log(odds(male) / odds(female)))
}
pooled <- function(v) measures(c(v[1:2], rep(v[3], 2), rep(v[4], 2), v[5:6]))
bin <- function(p, n) p * (1 - p) / n
q <- table$called_men / table$patients
rate <- function(x) c(x[1] / x[2], x[3] / x[4])
apart <- c(q, rate(men), rate(women), table$patients)
apart_spread <- c(bin(q, table$patients), bin(rate(men), men[c(2, 4)]), bin(rate(women), women[c(2, 4)]), table$patients)
together <- c(q, sum(men[c(1, 3)]) / 150, sum(women[c(1, 3)]) / 150, table$patients)
together_spread <- c(bin(q, table$patients), bin(together[3], 150), bin(together[4], 150), table$patients)
result <- function(f, at, spread) {
  j <- jacobian(f, at)
  v <- j %*% diag(spread) %*% t(j)
  own <- j[1:2, seq_len(length(at) - 2)]
  # shares of men do not depend on the counts, so that their covariance is the upper corner
  list(value = f(at), covariance = v[1:2, 1:2], se = sqrt(diag(v)))
}
cat(toJSON(list(
  shares = lapply(cases, share),
  matrix = list(
    table = table, men = men, women = women,
    differential = result(measures, apart, apart_spread), nondifferential = result(pooled, together, together_spread)
  ),
  made_with = list(R = R.version.string, epiR = as.character(packageVersion("epiR")), asht = "1.0.1")
), digits = NA, auto_unbox = TRUE, pretty = TRUE))
