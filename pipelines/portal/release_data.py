"""One release folder, read for pages and posters: networks, indicators, places and their series, where they come from.

Nothing else is read, not even the declarations: what a release doesn't say, no page says. Columns stay in DuckDB until
a place is shown; series come one place after the other, so that memory holds one place, whatever the release weighs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from pipelines.portal.figures import Change, Figure, Indicator, Place, Series, State
from pipelines.portal.open_release import MEMORY, Line, OpenRelease, UnreadableReleaseError
from pipelines.release import history
from pipelines.release.changelog import Version, kind, told_versions
from pipelines.release.written_files import CHECKSUMS, told_digests

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

BATCH = 20_000  # rows turned into objects at once
SYNTHETIC = "synthétiques"
PROVISIONAL = "P"
_NEEDED = ("resultats", "indicateurs", "reseaux")
_ABSENCES: dict[str | None, State] = {state.value: state for state in State}
_CODE = "coalesce(structure_code, territoire_code, '')"
_COLUMNS = (
    *("indicateur", "annee", "valeur", "borne_basse", "borne_haute", "effectif", "statut_observation"),
    *("motif_absence", "comparable", "motif_incomparabilite", "evolution", "evolution_significative"),
)


@dataclass(frozen=True, slots=True)
class Network:
    """A network of ``reseaux``; ``kind`` is what its offices are called, ``finest`` its finest level."""

    code: str
    title: str
    producer: str
    description: str
    kind: str
    finest: str
    source: str | None


class Reading(OpenRelease):
    """A release of yearly results, open for reading."""

    def __init__(self, folder: Path) -> None:
        """Open the release of a folder named by its version; raises UnreadableReleaseError."""
        super().__init__(folder, _NEEDED, MEMORY)

    @property
    def date(self) -> str | None:
        """The day on which the data stop (ISO), as the table of versions tells it."""
        return next((version.data_date for version in self.versions if version.version == self.version), None)

    @property
    def contact(self) -> Mapping[str, str] | None:
        """Who answers for the data: title, and email if any; None when the release names nobody."""
        contributors: list[Mapping[str, str]] = self.descriptor.get("contributors", [])
        return contributors[0] if contributors else None

    @property
    def producer(self) -> str:
        """Who answers for the data, in words: the title of the dataset when the release names nobody."""
        return self.contact["title"] if self.contact else self.title

    @cached_property
    def versions(self) -> list[Version]:
        """Every version until this one, oldest first, as ``versions.csv`` tells them; this one with its sha256."""
        recorded = told_versions(self.folder)
        if not any(version.version == self.version for version in recorded):  # of before versions were recorded
            previous, content = recorded[-1].version if recorded else None, self.descriptor.get("contentHash", "")
            nature = kind(self.version, first=not recorded)
            recorded.append(
                Version(len(recorded) + 1, self.version, previous, nature, None, None, None, None, None, content)
            )
        digest = history.release_hash(self.folder) if (self.folder / CHECKSUMS).is_file() else None
        return [replace(version, sha256=digest) if version.version == self.version else version for version in recorded]

    @cached_property
    def dictionary(self) -> list[dict[str, str]]:
        """The rows of ``dictionnaire.csv``: every column of every table."""
        return history.table_rows(self.folder / "dictionnaire.csv")

    @cached_property
    def files(self) -> dict[str, str]:
        """The sha256 of every file of the release by name, as its ``SHA256SUMS`` tells them; that file has none."""
        digests = told_digests(self.folder)
        return {path.name: digests.get(path.name, "") for path in self.paths()}

    @cached_property
    def networks(self) -> dict[str, Network]:
        """The networks by code, those without a result too."""
        return {
            row["reseau"]: Network(
                row["reseau"],
                row["titre"],
                row["producteur"],
                row["description"],
                row["typologie"],
                row["maille_fine"],
                row.get("source"),
            )
            for row in self.rows("reseaux")
        }

    @cached_property
    def indicator_rows(self) -> dict[str, dict[str, Any]]:
        """The rows of ``indicateurs`` by code: definition, method, threshold, breaks."""
        return {row["indicateur"]: row for row in self.rows("indicateurs")}

    @cached_property
    def indicators(self) -> dict[str, Indicator]:
        """The indicators by code."""
        return {
            code: Indicator(
                code,
                row["titre"],
                row["definition"],
                row["unite"],
                row["decimales"] or 0,
                row["sens"] if row["sens"] in ("hausse", "baisse") else None,
            )
            for code, row in self.indicator_rows.items()
        }

    @cached_property
    def territory_rows(self) -> list[dict[str, Any]]:
        """The rows of ``territoires``, in order of years."""
        return self.rows("territoires")

    @cached_property
    def territories(self) -> dict[tuple[str, str], list[dict[str, Any]]]:
        """The rows of ``territoires`` by level and code, in order of years: one that changed has several."""
        by_code: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for row in self.territory_rows:
            by_code.setdefault((row["maille"], row["territoire_code"]), []).append(row)
        return by_code

    def department(self, place: Place) -> tuple[str, str]:
        """Return the code and the name of the département of an office, empty when the release names none."""
        years = self.territories.get(("departement", place.territory))
        return (place.territory, str(years[-1]["territoire"])) if years else ("", "")

    def rows(self, table: str, network: str | None = None) -> list[Line]:
        """Return the rows of a small table (of one network), in the order of the file; none when it isn't there."""
        if not self.has(table):
            return []
        where, parameters = ("WHERE reseau = $network", {"network": network}) if network else ("", {})
        return self.lines(f'SELECT * FROM "{table}" {where}', parameters)

    def receptions(self, network: str) -> list[Line]:
        """Return the files due by a network, by year and export: rows, ``path`` and ``sha256`` of those received."""
        received = {
            (reception["year"], file["export"]): {"path": file.get("path"), "sha256": file.get("sha256")}
            for reception in self.descriptor.get("inputs", {}).get("receptions", ())
            if reception["network"] == network
            for file in reception["files"]
        }
        return [
            {"path": None, "sha256": None} | row | received.get((row["annee"], row["export"]), {})
            for row in self.rows("receptions", network)
        ]

    def exports(self, network: str) -> dict[tuple[str, int], str]:
        """Return the export that each indicator and year of a network comes from (« caf/enquete » gives enquete)."""
        rows = self._connection.execute(
            "SELECT DISTINCT indicateur, annee, source FROM resultats "
            "WHERE reseau = $network AND frequence = 'annuelle' AND source IS NOT NULL ORDER BY ALL",
            {"network": network},
        ).fetchall()
        return {(indicator, year): source.partition("/")[2] or source for indicator, year, source in rows}

    def modes(self, network: str) -> dict[tuple[str, str], str]:
        """Return how the yearly values of each indicator and level of a network are obtained."""
        rows = self._connection.execute(
            "SELECT indicateur, maille, arg_max(mode_obtention, annee) FROM resultats "
            "WHERE reseau = $network AND frequence = 'annuelle' GROUP BY ALL ORDER BY ALL",
            {"network": network},
        ).fetchall()
        return {(indicator, level): mode for indicator, level, mode in rows if mode}

    def places(self, network: str | None = None, level: str | None = None) -> list[Place]:
        """Return the places that have a yearly row, by network, level and code."""
        where, parameters = _condition(network, level)
        rows = self._connection.execute(
            f"SELECT reseau, maille, {_CODE} AS code, arg_max(structure, annee), arg_max(territoire, annee), "
            f"arg_max(territoire_code, annee) FROM resultats {where} GROUP BY ALL ORDER BY reseau, maille, code",
            parameters,
        ).fetchall()
        return [self._place(*row) for row in rows]

    def place_series(
        self, network: str | None = None, level: str | None = None, code: str | None = None
    ) -> Iterator[tuple[Place, list[Series]]]:
        """Yield each place with its series by code of indicator, in the order of ``places``."""
        places = {(place.network, place.level, place.code): place for place in self.places(network, level)}
        where, parameters = _condition(network, level, code)
        cursor = self._connection.cursor()  # others are asked while this one is read
        reader = cursor.sql(
            f"SELECT reseau, maille, {_CODE} AS code, {', '.join(_COLUMNS)}, nature_donnees = '{SYNTHETIC}' "
            f"FROM resultats {where} ORDER BY reseau, maille, code, indicateur, annee",
            params=parameters,
        ).to_arrow_reader(BATCH)
        rows = (row for batch in reader for row in zip(*(column.to_pylist() for column in batch.columns), strict=True))
        for key, of_place in groupby(rows, itemgetter(0, 1, 2)):
            yield places[key], self._series(places[key], (row[3:] for row in of_place))

    def series_of(self, network: str, level: str, code: str) -> list[Series]:
        """Return the series of one place, none when the release says nothing of it."""
        return [one for _, series in self.place_series(network, level, code) for one in series]

    def yearly_rows(self, level: str, network: str | None = None, key: str = _CODE) -> Iterator[tuple[str, str]]:
        """Yield the yearly rows of a level as CSV with the code of their place, or another ``key``, in its order."""
        cells = ", ".join(_csv_cell(name) for name in self.columns)
        where, parameters = _condition(network, level)
        cursor = self._connection.cursor().execute(
            f"SELECT {key} AS key, concat_ws(',', {cells}) FROM resultats {where} "
            "ORDER BY key, reseau, indicateur, annee",
            parameters,
        )
        rows = (row for batch in iter(lambda: cursor.fetchmany(BATCH), []) for row in batch)
        header = ",".join(self.columns)
        for value, lines in groupby(rows, itemgetter(0)):
            yield value, "\n".join([header, *(line for _, line in lines), ""])

    @cached_property
    def columns(self) -> list[str]:
        """The columns of ``resultats``."""
        return [name for name, *_ in self._connection.execute("DESCRIBE resultats").fetchall()]

    def former_names(self, network: str) -> dict[str, list[tuple[str, int, int]]]:
        """Return by office the names that rows give it beside its present one, each with its first and last year."""
        rows = self._connection.execute(
            "SELECT structure_code, structure, min(annee), max(annee) FROM resultats "
            "WHERE reseau = $network AND structure_code IS NOT NULL GROUP BY ALL ORDER BY ALL",
            {"network": network},
        ).fetchall()
        names: dict[str, list[tuple[str, int, int]]] = {}
        for code, name, first, last in rows:
            present = self._structures.get((network, code), {}).get("structure", name)
            if name and name != present:
                names.setdefault(code, []).append((name, first, last))
        return names

    def last_year(self, place: Place) -> int | None:
        """Return the last year in which an office is known, None when the release doesn't say."""
        last: int | None = self._structures.get((place.network, place.code), {}).get("derniere_annee")
        return last

    @cached_property
    def indicator_networks(self) -> dict[str, list[str]]:
        """The networks that have a yearly row of each indicator."""
        pairs = self._connection.execute(
            "SELECT DISTINCT indicateur, reseau FROM resultats WHERE frequence = 'annuelle' ORDER BY ALL"
        ).fetchall()
        return {code: [network for _, network in rows] for code, rows in groupby(pairs, itemgetter(0))}

    def revised(self, network: str) -> list[tuple[str, ...]]:
        """Return the values of a network that this release corrects: level, code, indicator, period."""
        return sorted(key[1:] for key in self._revised if key[0] == network)

    @cached_property
    def years(self) -> list[int]:
        """The years that have a yearly row, ascending."""
        cursor = self._connection.execute(
            "SELECT DISTINCT annee FROM resultats WHERE frequence = 'annuelle' ORDER BY 1"
        )
        return [year for (year,) in cursor.fetchall()]

    def observed(self, network: str, level: str) -> dict[str, list[tuple[Place, Figure]]]:
        """Return by indicator the places of a level with their figures of the last year that has a published value."""
        places = {place.code: place for place in self.places(network, level)}
        where, parameters = _condition(network, level)
        rows = self._connection.execute(
            f"SELECT {_CODE}, {', '.join(_COLUMNS)}, nature_donnees = '{SYNTHETIC}' FROM resultats {where} "
            "QUALIFY annee = max(annee) FILTER (valeur IS NOT NULL) OVER (PARTITION BY indicateur) "
            "ORDER BY indicateur, 1",
            parameters,
        ).fetchall()
        by_indicator: dict[str, list[tuple[Place, Figure]]] = {}
        for code, *row in rows:
            revised = self._is_revised(places[code], row[0], row[1])
            by_indicator.setdefault(row[0], []).append((places[code], _figure(tuple(row), revised=revised)))
        return by_indicator

    def digests(self, table: str, column: str) -> dict[str, str]:
        """Return a digest of the rows of each value of a column, the column of versions aside."""
        if not self.has(table):
            return {}
        columns = "* EXCLUDE (version_publication)" if table == "resultats" else "*"
        rows = self._connection.execute(
            f"SELECT {column}, sum(hash(the_row)::HUGEINT)::VARCHAR || ' ' || count(*) "
            f'FROM (SELECT {columns} FROM "{table}") AS the_row GROUP BY ALL'
        ).fetchall()
        return {str(value): digest for value, digest in rows}

    @cached_property
    def _revised(self) -> frozenset[tuple[str, str, str, str, str]]:
        """(network, level, code, indicator, period) of the values that this release corrects."""
        path = self.folder / history.JOURNAL_FILE
        if not path.is_file():
            return frozenset()
        keys = self._connection.execute(
            "SELECT k->>'reseau', k->>'maille', coalesce(nullif(k->>'structure_code', ''), k->>'territoire_code', ''), "
            "k->>'indicateur', k->>'periode' FROM (SELECT cle::JSON AS k FROM read_csv(?, header = true, "
            "all_varchar = true) WHERE \"table\" = 'resultats' AND colonne = 'valeur' AND avant <> '' AND apres <> '')",
            [str(path)],
        ).fetchall()
        return frozenset(keys)

    def _series(self, place: Place, rows: Iterable[tuple[Any, ...]]) -> list[Series]:
        return [
            Series(self.indicators[code], place, tuple(self._figures(place, code, list(of_indicator))))
            for code, of_indicator in groupby(rows, itemgetter(0))
        ]

    def _figures(self, place: Place, indicator: str, rows: list[tuple[Any, ...]]) -> Iterator[Figure]:
        row_of_year = {row[1]: row for row in rows}
        expected = self._expected.get((place.network, indicator), {})
        for year in range(
            min(row_of_year), max([*row_of_year, *(year for year in expected if self._open(place, year))]) + 1
        ):
            if year in row_of_year:
                yield _figure(row_of_year[year], revised=self._is_revised(place, indicator, year))
            else:
                yield Figure(year, None, None, None, None, expected.get(year, State.NO_ROW), has_row=False)

    @cached_property
    def _expected(self) -> dict[tuple[str, str], dict[int, State]]:
        """The years expected of each network and indicator, with the state of a place that has no row."""
        states: dict[tuple[str, str], dict[int, State]] = {}
        for row in self.rows("couverture"):
            state = _absence(row["motif_absence"]) if row["etat"] == "absent" else State.NO_ROW
            states.setdefault((row["reseau"], row["indicateur"]), {})[row["annee"]] = state
        return states

    def _open(self, place: Place, year: int) -> bool:
        """Say whether anything is expected of a place in a year: nothing is of an office after its last."""
        last = self.last_year(place)
        return place.level != "site" or last is None or year <= last

    def _is_revised(self, place: Place, indicator: str, year: int) -> bool:
        return bool(self._revised) and (place.network, place.level, place.code, indicator, str(year)) in self._revised

    def _place(
        self, network: str, level: str, code: str, structure: str | None, territory: str | None, holder: str | None
    ) -> Place:
        structure_row = self._structures.get((network, code), {}) if level == "site" else {}
        name = structure_row.get("structure") or structure or territory or code
        within = self._holder(level, code, holder)
        return Place(network, level, code, name, structure_row.get("typologie"), within)

    def _holder(self, level: str, code: str, territory: str | None) -> str:
        """Return the code of the territory that holds a place: empty for France, and for an office without one."""
        if level == "site":
            return territory or ""
        if level == "departement":
            states = self.territories.get((level, code), [])
            return str(states[-1]["region_code"] or "") if states else ""
        return "FR" if level == "region" else ""

    @cached_property
    def _structures(self) -> dict[tuple[str, str], dict[str, Any]]:
        return {(row["reseau"], row["structure_code"]): row for row in self.rows("structures")}


def _csv_cell(name: str) -> str:
    """Return the SQL of a cell of CSV: empty when there is no value, quoted when it must be."""
    text = f'"{name}"::VARCHAR'
    return (
        f"CASE WHEN regexp_matches({text}, '[\",\r\n]') THEN '\"' || replace({text}, '\"', '\"\"') || '\"' "
        f"ELSE coalesce({text}, '') END"
    )


def _condition(network: str | None, level: str | None, code: str | None = None) -> tuple[str, dict[str, str]]:
    """Return the condition on yearly rows of a network, a level, a place (any, when None), and its parameters."""
    wanted = {"reseau": network, "maille": level, _CODE: code}
    parts, parameters = ["frequence = 'annuelle'"], {}
    for number, (column, value) in enumerate(wanted.items()):
        if value is not None:
            parts.append(f"{column} = $p{number}")
            parameters[f"p{number}"] = value
    return f"WHERE {' AND '.join(parts)}", parameters


def _figure(row: tuple[Any, ...], *, revised: bool) -> Figure:
    _, year, value, low, high, base, status, reason, comparable, why, evolution, established, synthetic = row
    return Figure(
        year,
        value,
        low,
        high,
        base,
        _state(value, status, reason),
        is_break=comparable is False,
        break_reason=why if comparable is False else None,
        change=_change(evolution, established) if comparable and evolution is not None else None,
        synthetic=bool(synthetic),
        revised=revised,
    )


def _state(value: float | None, status: str, reason: str | None) -> State:
    if value is not None:
        return State.PROVISIONAL if status == PROVISIONAL else State.PUBLISHED
    return _absence(reason)


def _absence(reason: str | None) -> State:
    if reason not in _ABSENCES:
        raise UnreadableReleaseError(
            f"resultats : le motif d'absence « {reason or 'vide'} » n'a pas de mot sur les pages ; "
            "l'ajouter à State, dans pipelines/portal/figures.py"
        )
    return _ABSENCES[reason]


def _change(evolution: float, established: bool | None) -> Change:
    """Return what may be told of two years that compare: a change that wasn't tested isn't established."""
    if not established or not evolution:
        return Change.NONE
    return Change.UP if evolution > 0 else Change.DOWN
