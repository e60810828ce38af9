# Estimates, errors, degrees of freedom and 95 % intervals by R's package `survey`, of the rows of survey_rows.csv:
# what tests/compute/test_survey_oracle.py expects of ours. `make oracles` runs it again; R is no dependency.
suppressMessages({library(survey); library(jsonlite)})
options(survey.lonely.psu = "fail")

rows <- read.csv("survey_rows.csv", colClasses = c(strate = "character", grappe = "character", territoire = "character"))
rows$share <- 100 * (rows$reponse == "oui")
rows$net <- 100 * (rows$note >= 9) - 100 * (rows$note <= 6)
rows$cluster <- paste(rows$strate, rows$grappe)
# Populations, as the test declares them: clusters of each stratum, clusters in all, rows of each stratum, rows in all.
rows$clusters_there <- c(s0 = 5, s1 = 8, s2 = 30, s3 = 4)[rows$strate]
rows$all_clusters <- 40
rows$rows_there <- c(s0 = 60, s1 = 100, s2 = 400, s3 = 5000)[rows$strate]
rows$all_rows <- 800

design <- function(ids, strata = NULL, fpc = NULL)
  svydesign(ids = ids, strata = strata, fpc = fpc, weights = ~poids, data = rows, nest = TRUE)
designs <- list(
  "strata+clusters" = design(~grappe, ~strate),
  "clusters" = design(~cluster),
  "strata" = design(~1, ~strate),
  "strata+clusters, population" = design(~grappe, ~strate, ~clusters_there),
  "clusters, population" = design(~cluster, NULL, ~all_clusters),
  "strata, population" = design(~1, ~strate, ~rows_there),
  "population" = design(~1, NULL, ~all_rows)
)

told <- function(estimated, freedom) {
  bounds <- confint(estimated, df = freedom)
  list(value = unname(coef(estimated)), error = unname(as.vector(SE(estimated))), freedom = freedom,
       low = bounds[1], high = bounds[2])
}
# svyciprop has no Wilson interval in this version: its formula, on the effective size of the design (at most the
# answers, over 1 - n/N where the population is known) and Student's quantile.
wilson <- function(sample, freedom, drawn) {
  estimated <- svymean(~share, sample)
  p <- coef(estimated) / 100
  size <- min(p * (1 - p) / (SE(estimated) / 100)^2, nrow(sample) / (1 - drawn))
  t <- qt(0.975, freedom)
  centre <- (p + t^2 / (2 * size)) / (1 + t^2 / size)
  half <- t / (1 + t^2 / size) * sqrt(p * (1 - p) / size + t^2 / (4 * size^2))
  list(value = unname(100 * p), error = unname(as.vector(SE(estimated))), freedom = freedom, size = unname(size),
       low = unname(100 * (centre - half)), high = unname(100 * (centre + half)))
}
of <- function(sample, drawn) {
  freedom <- degf(sample)
  net <- svymean(~net, sample)
  list(mean = told(svymean(~x, sample), freedom), ratio = told(svyratio(~x, ~y, sample), freedom),
       share = wilson(sample, freedom, drawn),
       nps = list(value = unname(coef(net)), error = unname(as.vector(SE(net))), freedom = freedom))
}
places <- sort(unique(rows$territoire))
drawn <- c("strata+clusters, population" = 12 / 47, "clusters, population" = 12 / 40,
           "strata, population" = 180 / 5560, "population" = 180 / 800)
found <- lapply(names(designs), function(name) {
  whole <- designs[[name]]
  fraction <- if (name %in% names(drawn)) drawn[[name]] else 0
  parts <- lapply(places, function(place) of(subset(whole, territoire == place), fraction))
  names(parts) <- places
  c(list(FR = of(whole, fraction)), parts)
})
names(found) <- names(designs)
write(toJSON(list(survey = as.character(packageVersion("survey")), designs = found), auto_unbox = TRUE, digits = 12,
             pretty = TRUE), "survey.json")
