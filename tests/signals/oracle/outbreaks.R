# Alarms of `farringtonFlexible` (R's `surveillance`) on the series of made_outbreaks.py, read from outbreaks.txt: a text of 0 and
# 1 a series, one for each of the last weeks; what tests/signals/test_outbreaks.py expects of ours. `make oracles` runs it.
suppressMessages({library(surveillance); library(jsonlite)})
counts <- as.matrix(read.table("outbreaks.txt"))
judged <- (nrow(counts) - 48):nrow(counts)
alarms <- function(y) {
  series <- new("sts", observed = matrix(y), freq = 52, start = c(2001, 1))
  found <- suppressWarnings(farringtonFlexible(series, control = list(
    range = judged, b = 4, w = 3, noPeriods = 10, alpha = 0.005, pastWeeksNotIncluded = 26, weightsThreshold = 2.58,
    thresholdMethod = "nbPlugin", glmWarnings = FALSE, limit54 = c(0, 4))))
  paste(ifelse(is.na(found@upperbound), "?", as.integer(found@observed > found@upperbound)), collapse = "")
}
told <- apply(counts, 2, alarms)
write_json(list(R = R.version.string, surveillance = as.character(packageVersion("surveillance")), alarms = unname(told)),
           "outbreaks.json", auto_unbox = TRUE)
