# Complex samples with R's survey package: totals, means, ratios, domains and logit intervals.
# Run from the root of the checkout: Rscript tests/reference/scripts/survey.R
suppressMessages(library(survey))
library(jsonlite)

set.seed(20)
n <- 240
people <- data.frame(stratum = rep(1:6, each = 40), psu = rep(1:4, times = 60))
people <- people[order(people$stratum, people$psu), ]
people$size <- round(exp(rnorm(n, 0, 0.5)) * 10, 3)
people$weight <- round(exp(rnorm(n, 1, 0.6)), 3)
unit <- interaction(people$stratum, people$psu, drop = TRUE)
people$age <- round(rnorm(n, 60, 8) + rnorm(nlevels(unit), 0, 4)[unit], 2)
people$present <- as.integer(runif(n) < plogis(-0.8 + rnorm(nlevels(unit), 0, 0.7)[unit]))
people$domain <- as.integer(runif(n) < 0.3)
people$domain[people$stratum == 2 & people$psu > 1] <- 0   # one unit of a stratum holds the whole domain there
lone <- people[!(people$stratum >= 5 & people$psu > 1), ]  # strata 5 and 6 keep one unit each
thin <- people
thin$domain <- as.integer(thin$psu == 1 & thin$stratum <= 2) # one unit in each of two strata: no degrees of freedom

figure <- function(x) list(point = as.numeric(coef(x))[1], se = as.numeric(SE(x))[1])
one <- function(data, lonely) {
  options(survey.lonely.psu = lonely)
  design <- svydesign(ids = ~psu, strata = ~stratum, weights = ~weight, data = data, nest = TRUE)
  inside <- subset(design, domain == 1)
  share <- svyciprop(~present, design, method = "logit")
  share_inside <- svyciprop(~present, inside, method = "logit")
  by <- svyby(~present, ~domain, design, svymean)
  confidence <- confint(svymean(~age, design), df = degf(design))
  list(
    lonely = lonely, df = degf(design), df_domain = degf(inside),
    total = figure(svytotal(~present, design)), mean = figure(svymean(~age, design)),
    mean_interval = as.numeric(confidence),
    ratio = figure(svyratio(~age, ~size, design)),
    proportion = c(figure(svymean(~present, design)), list(low = attr(share, "ci")[[1]], high = attr(share, "ci")[[2]])),
    domain = list(point = by$present[2], se = by$se[2],
                  low = attr(share_inside, "ci")[[1]], high = attr(share_inside, "ci")[[2]])
  )
}
out <- list(
  r = R.version.string, survey = as.character(packageVersion("survey")),
  full = list(people = people, result = one(people, "certainty")),
  lonely = list(people = lone, results = lapply(c("certainty", "average", "adjust"), function(how) one(lone, how))),
  thin = list(people = thin, df_domain = degf(subset(
    svydesign(ids = ~psu, strata = ~stratum, weights = ~weight, data = thin, nest = TRUE), domain == 1)))
)
write(toJSON(out, digits = 14, auto_unbox = TRUE, dataframe = "columns"), "tests/reference/outputs/survey.json")
