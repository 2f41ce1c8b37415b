# Prevalence among eyes with every sex known, patients (or sampling units) clustered, with R's survey and geepack.
# Run from the root of the checkout: Rscript tests/reference/scripts/eyes.R
suppressMessages({library(survey); library(geepack)})
library(jsonlite)

set.seed(41)
n <- 600
people <- data.frame(patient = 1:n, stratum = rep(1:3, each = n / 3), psu = rep(1:30, each = n / 30))
people$weight <- round(exp(rnorm(n, 0, 0.5)), 3)
people$male <- as.integer(runif(n) < 0.48)
people$age <- sample(c(45, 65), n, replace = TRUE)
people$graded <- ifelse(runif(n) < 0.3, 1, 2)
risk <- plogis(-1.6 + 0.6 * people$male + 0.5 * (people$age > 60) + 0.8 * (people$graded == 1) + rnorm(30, 0, 0.5)[people$psu])
diseased <- runif(n) < risk
people$affected <- ifelse(diseased, ifelse(people$graded == 2 & runif(n) < 0.5, 2, 1), 0)

eyes <- people[rep(seq_len(n), people$graded), ]
eyes$number <- ave(eyes$patient, eyes$patient, FUN = seq_along)
eyes$present <- as.integer(eyes$number <= eyes$affected)
eyes$sex <- factor(eyes$male, levels = c(1, 0), labels = c("male", "female"))
eyes$band <- factor(eyes$age > 60, levels = c(FALSE, TRUE), labels = c("young", "old"))
share <- c(young = sum(people$weight[people$age < 60]), old = sum(people$weight[people$age > 60]))

contrasts_of <- function(by, male, female) {
  take <- function(expression) {
    found <- svycontrast(by, list(figure = expression))
    c(point = as.numeric(coef(found)), se = as.numeric(SE(found)))
  }
  m <- as.name(male); f <- as.name(female)
  list(
    male = take(bquote(log(.(m) / (1 - .(m))))), female = take(bquote(log(.(f) / (1 - .(f))))),
    ratio = take(bquote(log(.(m) / .(f)))), difference = take(bquote(.(m) - .(f))),
    odds_ratio = take(bquote(log((.(m) / (1 - .(m))) / (.(f) / (1 - .(f))))))
  )
}
answers <- function(design, share) {
  crude <- svyby(~present, ~sex, design, svymean, covmat = TRUE)
  banded <- svyby(~present, ~sex + band, design, svymean, covmat = TRUE)
  w <- share / sum(share)
  standardised <- svycontrast(banded, list(
    male = quote(a * male.young + b * male.old), female = quote(a * female.young + b * female.old)
  ) |> lapply(function(one) do.call(substitute, list(one, list(a = w[["young"]], b = w[["old"]])))))
  list(
    crude = contrasts_of(crude, "male", "female"),
    young = contrasts_of(banded, "male.young", "female.young"),
    old = contrasts_of(banded, "male.old", "female.old"),
    standardised = contrasts_of(standardised, "male", "female")
  )
}
alone <- svydesign(ids = ~patient, weights = ~1, data = eyes)
by_patient <- svydesign(ids = ~1, weights = ~1, data = people)
ratio <- svyby(~affected, ~male, by_patient, svyratio, denominator = ~graded)
complex <- svydesign(ids = ~psu, strata = ~stratum, weights = ~weight, data = eyes, nest = TRUE)
gee <- geeglm(present ~ male, id = patient, data = eyes, family = poisson("log"), corstr = "independence")
gee_or <- geeglm(present ~ male, id = patient, data = eyes, family = binomial("logit"), corstr = "independence")
robust <- function(fit) list(point = unname(coef(fit)[2]), se = summary(fit)$coefficients[2, "Std.err"])
out <- list(
  people = people[, c("stratum", "psu", "weight", "male", "age", "graded", "affected")],
  patients = answers(alone, c(young = sum(people$age < 60), old = sum(people$age > 60))),
  units = answers(complex, share),
  svyratio = list(female = c(ratio[1, 2], ratio[1, 3]), male = c(ratio[2, 2], ratio[2, 3])),
  geepack = list(log_ratio = robust(gee), log_odds_ratio = robust(gee_or)),
  versions = list(R = R.version.string, survey = as.character(packageVersion("survey")),
                  geepack = as.character(packageVersion("geepack")))
)
for (name in c("patients", "units")) out[[name]] <- lapply(out[[name]], function(place) lapply(place, as.list))
write_json(out, "tests/reference/outputs/eyes.json", digits = 15, auto_unbox = TRUE, dataframe = "columns", pretty = TRUE)
