# Bounds, expectations and trends of `farringtonFlexible`, bounds of `earsC`, by R's package `surveillance`: what
# tests/signals/test_time_oracle.py expects of ours. `make oracles` runs it again; R is no dependency.
suppressMessages({library(surveillance); library(jsonlite)})

weekly <- list(past = 10, years = 4, per_year = 52, half_window = 3, seasons = 10, left_out = 26)
monthly <- list(past = 6, years = 4, per_year = 12, half_window = 1, seasons = 4, left_out = 3)
methods <- c("delta", "nbPlugin", "muan")

bounds <- function(series, settings, with_offset) {
  judged <- (nrow(series@observed) - settings$past + 1):nrow(series@observed)
  one <- function(method) suppressWarnings(farringtonFlexible(series, control = list(
    range = judged, b = settings$years, w = settings$half_window, noPeriods = settings$seasons, alpha = 0.01,
    pastWeeksNotIncluded = settings$left_out, weightsThreshold = 2.58, thresholdMethod = method, glmWarnings = FALSE,
    limit54 = c(0, 4), populationOffset = with_offset)))
  found <- lapply(setNames(methods, methods), one)
  c(lapply(found, function(x) x@upperbound),
    list(expected = found$nbPlugin@control$expected, dispersion = found$nbPlugin@control$phiVector,
         trend = found$nbPlugin@control$trend, p_plug_in = found$nbPlugin@control$pvalue, settings = settings,
         observed = series@observed, population = if (with_offset) series@populationFrac else NULL))
}
# Negative binomial counts with season and trend, some outbreaks; volumes that vary.
simulated <- function(moments, per_year, means, seed) {
  set.seed(seed)
  time <- seq_len(moments)
  volume <- matrix(round(200 + 50 * sin(time / 9) + runif(moments * length(means), 0, 60)), moments)
  counts <- sapply(seq_along(means), function(k) {
    season <- exp(0.4 * cos(2 * pi * time / per_year) + (k %% 3) * 0.002 * time * 52 / per_year / 5)
    mean <- means[k] * season * volume[, k] / 250
    y <- rnbinom(moments, mu = mean, size = mean / (0.2 + k %% 4))
    burst <- sample(moments, 4)
    y[burst] <- y[burst] + rpois(4, 4 * sqrt(means[k]))
    y
  })
  new("sts", observed = counts, populationFrac = volume, freq = per_year, start = c(2001, 1))
}
ears <- function(series, judged) lapply(c(C1 = "C1", C2 = "C2", C3 = "C3"), function(method)
  earsC(series, control = list(range = judged, method = method, baseline = 7, alpha = if (method == "C3") 0.025 else 0.001))@upperbound)

# The cumulative sum of a negative binomial for a known rise: `algo.glrnb` with theta fixed, statistics as they are.
cusum <- function(counts, mean, dispersion) {
  told <- suppressWarnings(algo.glrnb(create.disProg(week = seq_along(counts), observed = counts, state = 0 * counts),
    control = list(range = seq_along(counts), c.ARL = 1e9, mu0 = mean, alpha = (dispersion - 1) / mean[1], Mtilde = 1, M = -1,
                   change = "intercept", theta = log(2), dir = "inc", ret = "value")))
  list(counts = counts, mean = mean, dispersion = dispersion, sums = c(told$upperbound))
}

data(salmonella.agona)
agona <- disProg2sts(salmonella.agona)
weeks <- simulated(330, 52, c(0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300), 18)
months <- simulated(66, 12, c(1, 2, 4, 8, 16, 40, 90, 250), 19)
last <- function(series, past) (nrow(series@observed) - past + 1):nrow(series@observed)
told <- list(
  R = R.version.string, surveillance = as.character(packageVersion("surveillance")),
  farrington = list(agona = bounds(agona, weekly, FALSE), weeks = bounds(weeks, weekly, FALSE),
                    weeks_offset = bounds(weeks, weekly, TRUE), months_offset = bounds(months, monthly, TRUE)),
  cusum = list(cusum(c(0, 1, 0, 0, 3, 1, 2, 0, 0, 0, 0, 1, 0, 5), rep(0.6, 14), 1.4),
               cusum(c(2, 1, 0, 4, 3, 6, 2, 0, 9, 0), rep(2.5, 10), 2)),
  ears = list(agona = list(observed = agona@observed, bounds = ears(agona, last(agona, 10)), past = 10),
              weeks = list(observed = weeks@observed, bounds = ears(weeks, last(weeks, 20)), past = 20))
)
write_json(told, "time.json", digits = 12, auto_unbox = TRUE, na = "null", pretty = FALSE)
