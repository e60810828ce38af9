"""The release, the row of it that someone asks about, and whether that row is what the pipeline gives again.

What is published is compared, and nothing else. Hidden cells are not compared: whether they agree could tell on them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from pipelines.declarations.strict_model import LEVELS
from pipelines.disclosure.revised import KEPT_FROM
from pipelines.flow.earlier_releases import results_files, results_of
from pipelines.mechanics.files import sha256

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.declarations import Catalogue, Indicator

Row = Mapping[Any, Any]
Key = tuple[str, str, str, str]  # period, level, code of the territory and of the office (empty where there is none)
_CHECKSUMS = "SHA256SUMS"
_SHOWN = 12
_DECIMALS = {"effectif": 0, "effectif_pondere": 0, "numerateur": 6, "denominateur": 6}  # as published
_RELATIVE = 1e-9  # floating sums in another order
# The figures of a row that are explained, as a sentence names them.
FIGURES = {
    "valeur": "la valeur", "borne_basse": "la borne basse", "borne_haute": "la borne haute", "effectif": "l'effectif",
    "effectif_pondere": "l'effectif pondéré", "numerateur": "le numérateur", "denominateur": "le dénominateur",
}  # fmt: skip


class NotFoundError(Exception):
    """No single row answers the question; the message, in French, says what there is."""


@dataclass(frozen=True)
class Release:
    """A release of a dataset: its results, the sha256 of their files, and what its checksums no longer confirm."""

    dataset: str
    version: str
    results: pd.DataFrame
    files: dict[str, str]
    faults: list[str]


def open_release(dataset: str, folder: Path) -> Release:
    """Read the results of a release folder (named by its version), and check their files against its checksums."""
    expected = {}
    for line in (folder / _CHECKSUMS).read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition("  ")
        expected[name] = digest
    files, faults = {}, []
    for path in (path for ending in ("csv", "parquet") for path in results_files(folder, ending)):
        name = path.name
        files[name] = sha256(path)
        if files[name] != expected.get(name):
            faults.append(f"{name} n'est plus le fichier publié : son empreinte n'est pas celle de {_CHECKSUMS}")
    results = results_of(folder)
    return Release(dataset, folder.name, results.astype("object").where(results.notna(), None), files, faults)


def find_row(
    results: pd.DataFrame,
    indicator: str,
    network: str,
    year: int,
    *,
    territory: str | None = None,
    structure: str | None = None,
    level: str | None = None,
    period: str | None = None,
) -> Row:
    """Return the one row meant: of the year unless a period is given, of the widest level unless a place is.

    ``territory`` is a code or a name. Raises NotFoundError.
    """
    mine = results[(results["reseau"] == network) & (results["indicateur"] == indicator) & (results["annee"] == year)]
    if mine.empty:
        raise NotFoundError(f"aucune ligne publiée pour {network}, {indicator}, {year}")
    rows = mine[mine["periode"] == (period or str(year))]
    if rows.empty:
        raise NotFoundError(f"aucune ligne pour la période {period or year} ; il y a : {_listed(mine['periode'])}")
    if structure is not None:
        rows = _kept(rows, rows["structure_code"] == structure, f"la structure {structure}", "structure_code")
    elif level is None:
        widest = next(name for name in reversed(LEVELS) if (rows["maille"] == name).any())
        rows = rows[rows["maille"] != "site"] if territory else rows[rows["maille"] == widest]
    if level is not None:
        rows = _kept(rows, rows["maille"] == level, f"la maille {level}", "maille")
    if territory is not None:
        named = rows["territoire"].map(lambda name: present(name) and name.casefold() == territory.casefold())
        chosen = (rows["territoire_code"] == territory.upper()) | named.astype(bool)
        rows = _kept(rows, chosen, f"le territoire {territory}", "territoire_code")
    if len(rows) > 1:
        choices = _listed(rows["maille"] + " " + rows["structure_code"].fillna(rows["territoire_code"]).fillna(""))
        raise NotFoundError(f"plusieurs lignes répondent, préciser --level, --territory ou --structure : {choices}")
    row: dict[str, Any] = {str(name): value for name, value in rows.iloc[0].items()}
    return row


def _kept(rows: pd.DataFrame, chosen: pd.Series[bool], what: str, column: str) -> pd.DataFrame:
    if not chosen.any():
        there = _listed(rows[column].dropna())
        raise NotFoundError(f"aucune ligne pour {what} ; il y a : {there or 'des structures (--structure)'}")
    return rows[chosen]


def _listed(values: pd.Series[str]) -> str:
    names = sorted(set(values))
    more = f"… ({len(names)} en tout)" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def key_of(row: Row) -> Key:
    """Return the unit of a result."""
    return row["periode"], row["maille"], row["territoire_code"] or "", row["structure_code"] or ""


def by_unit(results: pd.DataFrame) -> dict[Key, Row]:
    """Return the rows of a table of results by their unit, None where a column has no value."""
    rows = results.astype("object").where(results.notna(), None).to_dict("records")
    return {key_of(row): row for row in rows}


def is_hidden(row: Row) -> bool:
    """Tell whether statistical secrecy hides the row, at first or second hand."""
    return str(row["statut_confidentialite"]) != "F"


def kept_from(row: Row) -> str | None:
    """Return the release whose figure the row keeps, since too few answers moved it; None of the others."""
    version = row.get(KEPT_FROM)
    return str(version) if present(version) else None


def present(value: Any) -> bool:
    """Tell whether a published cell holds something."""
    return value is not None and not (isinstance(value, float) and math.isnan(value)) and value is not pd.NA


def differences(row: Row, line: Row, indicator: Indicator, catalogue: Catalogue) -> list[str]:
    """Say in French how a row that is not hidden differs from its line computed again; nothing when it doesn't."""
    if line["motif"]:
        return same_reason(row, line["motif"], catalogue)
    if not present(row["valeur"]):
        return ["une valeur est recalculée là où aucune n'est publiée"]
    disagreements = []
    for name, decimals in _decimals(indicator).items():
        if name.startswith("borne") and present(row[name]) != present(line[name]):
            disagreements.append(f"{FIGURES[name]} est publiée là où l'on n'en trouve pas, ou l'inverse")
        elif present(row[name]) and not _same(row[name], line[name], decimals):
            disagreements.append(f"{FIGURES[name]} n'est pas ce que l'on recalcule")
    return disagreements


def _same(published: Any, computed: Any, decimals: int) -> bool:
    if not present(computed):
        return False
    slack = 0.5 / 10.0**decimals + _RELATIVE * max(1.0, abs(computed))
    return bool(abs(float(published) - computed) <= slack)


def _decimals(indicator: Indicator) -> dict[str, int]:
    """Return the decimals with which each figure is published."""
    return {name: _DECIMALS.get(name, indicator.decimals) for name in FIGURES}


def same_reason(row: Row, reason: str, catalogue: Catalogue) -> list[str]:
    """Say how the published reason of an absence differs from the one found."""
    label = catalogue.reasons[reason].label
    if present(row["valeur"]):
        return [f"une valeur est publiée là où l'on trouve : {label}"]
    return [] if row["motif_absence"] == label else [f"le motif publié n'est pas celui que l'on trouve : {label}"]


def as_published(row: Row, line: Row, indicator: Indicator) -> dict[str, float]:
    """Return the figures computed again under the names and with the decimals of those published, and no other."""
    return {
        name: round(line[name], decimals)
        for name, decimals in _decimals(indicator).items()
        if present(row[name]) and present(line[name])
    }
