"""Why a row differs from the release before: found in declarations, corrections and files received, never guessed.

The order of the causes is the order of precision: a sentence written for the case, a correction, a provisional value
made final, a file, a declaration; then the same for earlier years, when only what compares with them moved. What none
of them explains is told as such, and a gate asks a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from pyarrow import compute as pc

from pipelines.declarations import Catalogue
from pipelines.mechanics.french import first_few
from pipelines.release.difference import TableState
from pipelines.release.inputs import Inputs, Reception

UNEXPLAINED = "inexpliqué"
# Columns of a row that look at other years: they move when an earlier year is put right.
LOOKING_BACK = frozenset({
    "valeur_precedente", "evolution", "comparable", "motif_incomparabilite", "valeur_p", "valeur_p_corrigee",
    "evolution_significative", "evolution_inhabituelle", "valeur_initiale", "progression",
    "vague_comparee", "ecart_vague", "p_vague", "p_vague_corrigee", "vague_significatif",
})  # fmt: skip
# Tables of signals, which speak of all texts.
OF_SIGNALS = frozenset({"signaux", "courbes_signaux", "tests_signaux", "puissance_signaux", "themes_voix"})
BETWEEN_YEARS = "comparabilite"  # a table whose every column does
MARK, MARKED = "nature_donnees", "La racine des exports dit autrement si ses données sont synthétiques."
KEPT = (
    "Chiffre provisoire, celui de la version précédente : moins de 11 réponses (le seuil du secret) sont nouvelles ou "
    "corrigées quelque part dans l'enquête ; elles attendent les suivantes, ou la clôture de l'année."
)
KEPT_AMOUNT = (
    "Chiffre provisoire, celui de la version précédente : des montants sont nouveaux ou corrigés sans qu'on sache "
    "combien d'entreprises les font ; ils attendent la clôture de l'année, ou l'accord de l'équipe."
)
STATUS, KEPT_FROM = TELLING = "statut_observation", "version_conservee"  # columns whose change says why by itself
FAILED = "erreur-traitement"  # id of a reason of absence
SHOWN = 3  # files named in one reason
# Columns that say what a row speaks of.
SCOPE = ("reseau", "annee", "periode", "indicateur", "export", "barometre", "vague")


@dataclass(frozen=True)
class Reason:
    """One of the kinds that the column ``nature`` of the journal lists, and one French sentence."""

    nature: str
    text: str

    def named(self, nature: str) -> Reason:
        """Return the reason of a whole row added or removed, which stays unexplained when nothing explains it."""
        return self if self.nature == UNEXPLAINED else replace(self, nature=nature)


@dataclass(frozen=True)
class Scope:
    """What a row speaks of; an empty text or None is everything."""

    table: str
    network: str = ""
    year: int | None = None
    indicator: str = ""
    export: str = ""


class Reasons:
    """Finds the reason of any row, between two releases of a dataset."""

    def __init__(
        self,
        catalogue: Catalogue,
        dataset: str,
        *,
        after: str | None = None,
        inputs: tuple[Inputs | None, Inputs | None] = (None, None),
        corrections: tuple[TableState | None, TableState | None] = (None, None),
        results: TableState | None = None,
        because: Reason | None = None,
    ) -> None:
        """Compare the release ``after`` with the one that follows: ``inputs`` and published ``corrections`` of both.

        ``results``: the table of the one that follows, which says what could not be computed.
        ``because`` is the reason of everything, when a person gave one (a rollback).
        """
        self._catalogue = catalogue
        self._explanations = [each for each in catalogue.datasets[dataset].explanations if each.after == after]
        self._old, self._new = inputs
        before, now = (_applied(table) for table in corrections)
        self._corrected = [correction for correction in now if correction not in before]
        self._failed = set(_failed(results, catalogue))
        self._because = because
        self._files = dict(self._files_between())
        old, new = (side.declarations if all(inputs) and side else {} for side in inputs)
        self._redeclared = [place for place in sorted({*old, *new}) if old.get(place) != new.get(place)]
        self._causes: dict[Scope, Reason | None] = {}

    def of(self, table: str, row: Mapping[str, str], cells: Mapping[str, tuple[str, str]] | None = None) -> Reason:
        """Return why ``row`` of ``table`` is new, gone or different: then ``cells``, before and after, by column."""
        if self._because:
            return self._because
        cells = cells or {}
        scope = _scope(table, row)
        if said := self._said_by(cells, scope):
            return said
        if scope not in self._causes:
            self._causes[scope] = (
                self._explained(scope) or self._correction(scope) or self._received(scope) or self._declared(scope)
            )
        cause = self._causes[scope] or self._marked(scope, set(cells)) or self._looking_back(scope, set(cells))
        return cause or Reason(UNEXPLAINED, self._nothing())

    def _said_by(self, cells: Mapping[str, tuple[str, str]], scope: Scope) -> Reason | None:
        """Return the reason that results give of themselves: what is provisional, what could not be computed."""
        if self._explained(scope):
            return None
        if (scope.network, scope.year, scope.indicator) in self._failed:
            return Reason("révision", "Erreur de traitement : la valeur n'a pas pu être calculée.")
        _, kept_from = cells.get(KEPT_FROM, ("", ""))
        if kept_from and set(cells) <= {KEPT_FROM, STATUS, *LOOKING_BACK}:
            declared = self._catalogue.indicators.get(scope.indicator)
            text = KEPT_AMOUNT if declared and declared.enterprises else KEPT
            return None if self._declared(scope) else Reason("révision", text)
        status_before, _ = cells.get(STATUS, ("", ""))
        return Reason("révision", "Valeur provisoire devenue définitive.") if status_before == "P" else None

    def _explained(self, scope: Scope) -> Reason | None:
        for explanation in self._explanations:
            if (
                (not explanation.tables or scope.table in explanation.tables)
                and (not explanation.networks or scope.network in explanation.networks)
                and (not explanation.indicators or scope.indicator in explanation.indicators)
                and (explanation.years is None or scope.year in explanation.years)
            ):
                return Reason(explanation.kind, explanation.reason)
        return None

    def _correction(self, scope: Scope) -> Reason | None:
        exports = self._exports(scope)
        for correction in self._corrected:
            here = self._any_network(scope) or correction["reseau"] == scope.network
            then = scope.year is None or correction["annee"] == str(scope.year)
            if here and then and (not exports or correction["export"] in exports):
                return Reason("correction", correction["raison"])
        return None

    def _received(self, scope: Scope) -> Reason | None:
        exports = self._exports(scope)
        moved = [
            (what, path)
            for (network, year), files in self._files.items()
            if (self._any_network(scope) or network == scope.network) and scope.year in (None, year)
            for what, export, path in files
            if not exports or export in exports
        ]
        if not moved:
            return None
        paths = list(dict.fromkeys(path for _, path in moved))
        return Reason("révision", f"{moved[0][0]} : {first_few(paths, SHOWN)}.")

    def _declared(self, scope: Scope) -> Reason | None:
        changed = [place for place in self._redeclared if self._bears_on(place, scope)]
        if not changed:
            return None
        # Rows with a year hold results: a declaration that moves them revises them; the others only describe.
        nature = "définition" if scope.year is None else "révision"
        shown = ", ".join(changed[:SHOWN]) + (" et d'autres" if len(changed) > SHOWN else "")
        return Reason(nature, f"Déclaration changée : {shown}.")

    def _bears_on(self, place: str, scope: Scope) -> bool:
        """Whether what is declared at ``place`` (``indicators/nps/caf``) has a part in the row."""
        kind, name, network, *_ = [*place.split("/"), "", ""]
        if kind == "references":
            return True
        if kind in ("networks", "corrections", "barometers"):
            return self._any_network(scope) or name == scope.network
        mine = not scope.network or network in ("", scope.network) or self._any_network(scope)
        if scope.indicator or not scope.network:
            return mine and scope.indicator in ("", name)
        return mine and name in self._catalogue.indicators_of(scope.network)

    def _marked(self, scope: Scope, columns: set[str]) -> Reason | None:
        """Return the reason of a row of which only the mark of invented data moved: its exports root says otherwise."""
        if columns != {MARK} or self._old is None or self._new is None or scope.year is None:
            return None
        receptions = [inputs.reception(scope.network, scope.year) for inputs in (self._old, self._new)]
        before, after = (
            bool(reception.synthetic if reception else inputs.synthetic)
            for reception, inputs in zip(receptions, (self._old, self._new), strict=True)
        )
        return Reason("révision", MARKED) if before != after else None

    def _looking_back(self, scope: Scope, columns: set[str]) -> Reason | None:
        """Return the reason of the latest earlier year that moved, for a row of which only comparisons moved."""
        between = bool(columns) and (scope.table == BETWEEN_YEARS or columns <= LOOKING_BACK)
        if scope.year is None or not between:
            return None
        years = {year for network, year in self._files if self._any_network(scope) or network == scope.network}
        years |= {int(correction["annee"]) for correction in self._corrected}
        for year in sorted(years, reverse=True):
            earlier = replace(scope, year=year)
            if year < scope.year and (cause := self._correction(earlier) or self._received(earlier)):
                return Reason(cause.nature, f"Comparaison avec {year}, où : {cause.text[0].lower()}{cause.text[1:]}")
        return None

    def _any_network(self, scope: Scope) -> bool:
        """Whether a row rests on all networks: it names none, or its indicator counts them."""
        declared = self._catalogue.indicators.get(scope.indicator)
        return not scope.network or (declared is not None and declared.estimator.family == "networks")

    def _exports(self, scope: Scope) -> frozenset[str]:
        """Return the exports that a row comes from, none when it may be any."""
        declared = self._catalogue.indicators.get(scope.indicator)
        if scope.export or declared is None or self._any_network(scope):
            return frozenset({scope.export} - {""})
        feed = declared.networks.get(scope.network)
        return frozenset(feed.export) if feed else frozenset()

    def _files_between(self) -> Iterator[tuple[tuple[str, int], list[tuple[str, str, str]]]]:
        if self._old is None or self._new is None:
            return
        receptions = (*self._old.receptions, *self._new.receptions)
        for place in dict.fromkeys((reception.network, reception.year) for reception in receptions):
            if moved := list(_moved(self._old.reception(*place), self._new.reception(*place))):
                yield place, moved

    def _nothing(self) -> str:
        if self._old is None or self._new is None:
            return "Aucune cause trouvée : l'une des deux versions ne dit pas de quels fichiers elle vient."
        code = " ; le code de calcul a changé" if self._old.code != self._new.code else ""
        return f"Aucune cause trouvée dans les fichiers, les corrections et les déclarations{code}."


def _scope(table: str, row: Mapping[str, str]) -> Scope:
    if table in OF_SIGNALS:
        return Scope(table)
    year = row.get("annee") or row.get("periode", "")[:4]
    return Scope(
        table,
        row.get("reseau") or row.get("barometre", ""),
        int(year) if year.isdigit() else None,
        row.get("indicateur", ""),
        row.get("export") or row.get("vague", ""),
    )


def _moved(before: Reception | None, after: Reception | None) -> Iterator[tuple[str, str, str]]:
    """Yield what happened (in words), export and path of every file that differs between two receptions."""
    old = {(file.export, file.path): file.sha256 for file in before.files} if before else {}
    new = {(file.export, file.path): file.sha256 for file in after.files} if after else {}
    for export, path in {**old, **new}:
        was, now = old.get((export, path)), new.get((export, path))
        if was is None:
            yield "Données reçues depuis la version précédente", export, path
        elif now is None:
            yield "Fichier retiré par le réseau", export, path
        elif was != now:
            yield "Fichier remplacé par le réseau", export, path


def _failed(results: TableState | None, catalogue: Catalogue) -> Iterator[tuple[str, int, str]]:
    """Yield the network, year and indicator of every value that is absent because its treatment failed."""
    reason = catalogue.reasons.get(FAILED)
    if results is None or reason is None or "motif_absence" not in results.types:
        return
    rows = np.flatnonzero(pc.equal(results.texts("motif_absence"), reason.label).to_numpy())
    names = ("reseau", "annee", "indicateur")
    failed = pa.table({name: results.texts(name, rows) for name in names})
    for row in failed.group_by(list(names)).aggregate([]).to_pylist():
        yield row["reseau"], int(row["annee"]), row["indicateur"]


def _applied(state: TableState | None) -> list[dict[str, str]]:
    if state is None or "etat" not in state.types:
        return []
    applied = [row for row in state.records() if row["etat"] == "appliquée"]
    return [{name: cell for name, cell in row.items() if name != "numero"} for row in applied]
