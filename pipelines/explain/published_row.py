"""The release: its table of results, its checksums, and the row that someone asks about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.explain.agreement import Row, present
from pipelines.flow.earlier_releases import results_files, results_of
from pipelines.mechanics.files import sha256

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

_CHECKSUMS = "SHA256SUMS"
_LEVELS = ("national", "region", "departement", "site")
_SHOWN = 12


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
    results: pd.DataFrame, indicator: str, network: str, year: int, *, territory: str | None = None,
    structure: str | None = None, level: str | None = None, period: str | None = None,
) -> Row:  # fmt: skip
    """Return the one row meant: of the year unless a period is given, of the widest level unless a place is.

    ``territory`` is a code or a name. Raises NotFoundError.
    """
    mine = results[(results["reseau"] == network) & (results["indicateur"] == indicator) & (results["annee"] == year)]
    if mine.empty:
        raise NotFoundError(f"aucune ligne publiée pour {network}, {indicator}, {year}")
    found = mine[mine["periode"] == (period or str(year))]
    if found.empty:
        raise NotFoundError(f"aucune ligne pour la période {period or year} ; il y a : {_listed(mine['periode'])}")
    if structure is not None:
        found = _kept(found, found["structure_code"] == structure, f"la structure {structure}", "structure_code")
    elif level is None:
        found = found[found["maille"] != "site"] if territory else _widest(found)
    if level is not None:
        found = _kept(found, found["maille"] == level, f"la maille {level}", "maille")
    if territory is not None:
        named = found["territoire"].map(lambda name: present(name) and name.casefold() == territory.casefold())
        chosen = (found["territoire_code"] == territory.upper()) | named.astype(bool)
        found = _kept(found, chosen, f"le territoire {territory}", "territoire_code")
    if len(found) > 1:
        choices = _listed(found["maille"] + " " + found["structure_code"].fillna(found["territoire_code"]).fillna(""))
        raise NotFoundError(f"plusieurs lignes répondent, préciser --level, --territory ou --structure : {choices}")
    row: dict[str, Any] = {str(name): value for name, value in found.iloc[0].items()}
    return row


def _kept(found: pd.DataFrame, chosen: pd.Series[bool], what: str, column: str) -> pd.DataFrame:
    if not chosen.any():
        there = _listed(found[column].dropna())
        raise NotFoundError(f"aucune ligne pour {what} ; il y a : {there or 'des structures (--structure)'}")
    return found[chosen]


def _widest(found: pd.DataFrame) -> pd.DataFrame:
    level = next((name for name in _LEVELS if (found["maille"] == name).any()), _LEVELS[0])
    return found[found["maille"] == level]


def _listed(values: pd.Series[str]) -> str:
    names = sorted(set(values))
    more = f"… ({len(names)} en tout)" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
