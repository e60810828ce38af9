# Weighted shares, raking, effective sizes, Wilson intervals, tests and letters by R (packages `survey` and `stats`), of the
# samples: what tests/barometers/test_barometer_oracle.py expects of ours. `make oracles` runs it again; R is no dependency.
suppressMessages({library(survey); library(jsonlite)})
folder <- "../../../data/samples/barometres"
read_wave <- function(name) read.csv(file.path(folder, name), sep = ";", dec = ",", colClasses = "character", encoding = "UTF-8")
number <- function(text) as.numeric(sub(",", ".", text))
groups <- function(rows, cut) sort(unique(rows[[cut]]))

effective <- function(w) sum(w)^2 / sum(w^2)
wilson <- function(p, n) {
  z <- qnorm(0.975)
  centre <- (p + z^2 / (2 * n)) / (1 + z^2 / n)
  half <- z / (1 + z^2 / n) * sqrt(p * (1 - p) / n + z^2 / (4 * n^2))
  c(centre - half, centre + half)
}
test_shares <- function(p, n, q, m) {
  if (p == q && (p == 0 || p == 1)) return(NA)
  suppressWarnings(prop.test(c(p * n, q * m), c(n, m), correct = FALSE)$p.value)
}
# Share of `codes` among `base` codes of a question, in the rows that are kept; survey's own mean, Kish's size.
share <- function(design, question, codes, base, kept) {
  rows <- design$variables
  inside <- kept & rows[[question]] %in% base
  part <- subset(update(design, x = as.numeric(rows[[question]] %in% codes)), inside)
  w <- weights(part)
  list(p = as.numeric(coef(svymean(~x, part))), n = sum(inside), size = effective(w))
}
measures <- function(question) switch(question,
  satisfaction = list(base = as.character(1:5), all = c(as.character(1:5), "9"), aside = "9",
                      indicators = list(satisfaits = c("1", "2"), insatisfaits = c("4", "5"))),
  confiance = list(base = as.character(1:4), all = c(as.character(1:4), "8", "9"), aside = c("8", "9"),
                   indicators = list(`confiance-positive` = c("1", "2"))))

table_of <- function(design, question, cuts, earlier = NULL) {
  told <- measures(question)
  wanted <- c(lapply(told$base, function(code) list(name = code, codes = code, base = told$base)),
              lapply(told$aside, function(code) list(name = code, codes = code, base = told$all)),
              lapply(names(told$indicators), function(one) list(name = one, codes = told$indicators[[one]], base = told$base)))
  rows <- design$variables
  found <- list()
  for (cut in names(cuts)) {
    lines <- list()
    for (measure in wanted) {
      held <- list()
      for (group in cuts[[cut]]) {
        inside <- if (cut == "ensemble") rep(TRUE, nrow(rows)) else rows[[cut]] == group
        here <- share(design, question, measure$codes, measure$base, inside)
        line <- list(question = question, modalite = measure$name, coupe = cut, groupe = group, part = here$p, base = here$n,
                     taille = here$size, bornes = wilson(here$p, here$size), p_reste = NA)
        if (cut != "ensemble") {
          rest <- share(design, question, measure$codes, measure$base, !inside)
          if (here$n >= 30 && rest$n >= 30) line$p_reste <- test_shares(here$p, here$size, rest$p, rest$size)
        }
        if (!is.null(earlier)) {
          line$p_vague <- NA
          then <- if (cut == "ensemble") rep(TRUE, nrow(earlier$variables)) else earlier$variables[[cut]] == group
          before <- share(earlier, question, measure$codes, measure$base, then)
          if (here$n >= 30 && before$n >= 30) line$p_vague <- test_shares(here$p, here$size, before$p, before$size)
        }
        held[[length(held) + 1]] <- line
      }
      # Letters: every pair of groups of the row, Holm within the row; a letter goes to the group above.
      if (cut != "ensemble") {
        pairs <- combn(length(held), 2)
        p <- apply(pairs, 2, function(two) {
          a <- held[[two[1]]]; b <- held[[two[2]]]
          if (a$base < 30 || b$base < 30) NA else test_shares(a$part, a$taille, b$part, b$taille)
        })
        sure <- p.adjust(p, "holm") <= 0.05
        above <- rep("", length(held))
        for (k in which(sure)) {
          a <- pairs[1, k]; b <- pairs[2, k]
          if (held[[a]]$part > held[[b]]$part) above[a] <- paste0(above[a], LETTERS[b]) else above[b] <- paste0(above[b], LETTERS[a])
        }
        for (k in seq_along(held)) held[[k]]$superieur_a <- paste(sort(strsplit(above[k], "")[[1]]), collapse = "")
      }
      lines <- c(lines, held)
    }
    # The tests of one question and cut are corrected together, here where every measure is a share.
    if (question == "satisfaction") {
      rest <- p.adjust(sapply(lines, function(x) x$p_reste), "BH")
      for (k in seq_along(lines)) lines[[k]]$p_reste_corrigee <- rest[k]
      if (!is.null(earlier)) {
        wave <- p.adjust(sapply(lines, function(x) x$p_vague), "BH")
        for (k in seq_along(lines)) lines[[k]]$p_vague_corrigee <- wave[k]
      }
    }
    found <- c(found, lines)
  }
  found
}

trust <- lapply(c(2020, 2021), function(year) {
  rows <- read_wave(sprintf("confiance-%d.csv", year))
  rows <- rows[rows$repondant != "R2021-90001", ]  # refused: its code of answer isn't on the scale
  svydesign(ids = ~1, weights = number(rows$poids), data = rows)
})
margins <- list(sexe = c(`1` = 48, `2` = 52), age = c(`1` = 24, `2` = 25, `3` = 25, `4` = 26), agglomeration = c(`1` = 22, `2` = 48, `3` = 30))
services <- lapply(c(2023, 2024), function(year) {
  rows <- read_wave(sprintf("services-publics-%d.csv", year))
  design <- svydesign(ids = ~1, weights = rep(1, nrow(rows)), data = rows)
  population <- lapply(names(margins), function(name) {
    wanted <- margins[[name]]
    setNames(data.frame(names(wanted), as.numeric(wanted) / 100 * nrow(rows)), c(name, "Freq"))
  })
  rake(design, lapply(names(margins), function(name) as.formula(paste("~", name))), population,
       control = list(maxit = 1000, epsilon = 1e-10, verbose = FALSE))
})
cuts_of <- function(design, names) c(list(ensemble = "ensemble"), setNames(lapply(names, function(one) groups(design$variables, one)), names))
trust_cuts <- cuts_of(trust[[2]], c("sexe", "age", "profession", "internet"))
service_cuts <- cuts_of(services[[2]], c("sexe", "age", "agglomeration"))
told <- list(
  `confiance v2020` = table_of(trust[[1]], "confiance", trust_cuts),
  `confiance v2021` = table_of(trust[[2]], "confiance", trust_cuts, trust[[1]]),
  `services-publics v2023` = table_of(services[[1]], "satisfaction", service_cuts),
  `services-publics v2024` = table_of(services[[2]], "satisfaction", service_cuts, services[[1]])
)
write_json(list(R = R.version.string, survey = as.character(packageVersion("survey")), tables = told), "barometers.json",
           digits = NA, auto_unbox = TRUE, na = "null", pretty = FALSE)
