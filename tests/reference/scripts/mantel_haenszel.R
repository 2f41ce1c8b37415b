# Mantel-Haenszel estimates, their variances and Breslow-Day tests by R's own packages.
# Run: Rscript tests/reference/scripts/mantel_haenszel.R > tests/reference/outputs/mantel_haenszel.json
# stats::mantelhaen.test (odds ratio, Robins-Breslow-Greenland), metafor::rma.mh (all three measures, Breslow-Day, Tarone),
# epiR::epi.2by2 (its Mantel-Haenszel part only: in 2.0.57 the crude score interval of the prevalence ratio is wrong).
suppressPackageStartupMessages({library(metafor); library(epiR); library(jsonlite)})

sets <- list(
  ages = list(male_cases = c(4, 12, 30, 41, 22), male_people = c(120, 160, 210, 180, 60),
              female_cases = c(6, 9, 25, 50, 40), female_people = c(150, 170, 260, 240, 110)),
  two_large = list(male_cases = c(400, 900), male_people = c(2000, 2500),
                   female_cases = c(250, 700), female_people = c(2100, 2600)),
  sparse = list(male_cases = c(1, 0, 1, 2, 0, 1, 1, 0, 2, 1), male_people = c(2, 1, 3, 3, 2, 1, 2, 2, 4, 1),
                female_cases = c(0, 1, 1, 1, 0, 1, 0, 1, 1, 0), female_people = c(2, 2, 3, 4, 1, 2, 3, 2, 3, 2)),
  opposed = list(male_cases = c(30, 10, 22), male_people = c(60, 70, 90),
                 female_cases = c(10, 30, 20), female_people = c(70, 60, 85)),
  empty_margin = list(male_cases = c(5, 0, 9), male_people = c(20, 15, 25),
                      female_cases = c(3, 0, 11), female_people = c(25, 12, 30)))

one_set <- function(x) {
  a <- x$male_cases; b <- x$male_people - a; c <- x$female_cases; d <- x$female_people - c
  tables <- array(rbind(a, c, b, d), dim = c(2, 2, length(a)),
                  dimnames = list(c("male", "female"), c("diseased", "well"), NULL))
  test <- mantelhaen.test(tables, correct = FALSE)
  by <- lapply(c(odds_ratio = "OR", ratio = "RR", difference = "RD"), function(kind) {
    fit <- rma.mh(ai = a, bi = b, ci = c, di = d, measure = kind, level = 95)
    list(theta = as.numeric(fit$beta), se = fit$se, low = fit$ci.lb, high = fit$ci.ub,
         breslow_day = fit$BD, breslow_day_p = fit$BDp, tarone = fit$TA, tarone_p = fit$TAp)
  })
  epi <- suppressWarnings(epi.2by2(tables, method = "cross.sectional", conf.level = 0.95, units = 1))
  mh <- epi$massoc.detail
  list(input = x, mantelhaen = list(estimate = unname(test$estimate), low = test$conf.int[1], high = test$conf.int[2]),
       metafor = by,
       epiR = list(odds_ratio = as.list(mh$OR.mh.wald), ratio = as.list(mh$PR.mh.wald),
                   difference = as.list(mh$ARisk.mh.sato)))
}
versions <- list(R = R.version.string, metafor = as.character(packageVersion("metafor")),
                 epiR = as.character(packageVersion("epiR")))
cat(toJSON(list(versions = versions, sets = lapply(sets, one_set)), digits = 12, auto_unbox = TRUE, pretty = TRUE), "\n")
