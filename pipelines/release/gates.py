"""The gates of a release: what stops its publication until a person accepts it. Thresholds are declared.

What must never be released at all (a secret that can be deduced, a broken contract) is refused before, not here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import compute as pc

from pipelines.declarations import Catalogue
from pipelines.declarations.datasets import ReleaseGates, Threshold
from pipelines.mechanics.french import counted, percent
from pipelines.release import history
from pipelines.release.difference import BETWEEN, NONE, TableDifference, TableState, release_difference
from pipelines.release.reasons import KEPT_FROM, TELLING, UNEXPLAINED
from pipelines.release.table_parts import MovedTable, moved

SHOWN = 10  # details told per gate; the rest is counted
FEW_ROWS = 20  # in a table that small, one row is a large share: only the whole dataset is judged
STRUCTURES, KEY = "structures", ("reseau", "structure_code")


@dataclass(frozen=True)
class Gate:
    """One thing looked at: whether it passed, in a French sentence, with details for who must decide."""

    name: str
    passed: bool
    message_fr: str
    details: tuple[str, ...] = ()


def gate(name: str, findings: Sequence[str], passed: str, failed: str) -> Gate:
    """Return the gate that passes when nothing was found; the sentence for each case."""
    if not findings:
        return Gate(name, True, passed)
    rest = len(findings) - SHOWN
    return Gate(name, False, failed, (*findings[:SHOWN], *([f"et {rest} autres"] if rest > 0 else [])))


def gates(catalogue: Catalogue, dataset: str, old: Path | None, new: Path) -> tuple[Gate, ...]:
    """Judge the release in the folder ``new`` against the one in ``old``: what the target shows, or None at first.

    ``old`` need not be the release just before: a plan may skip versions that were never published there.
    """
    if old is None or old.name == new.name:
        return ()
    before, after = history.states(old), history.states(new)
    difference, declared = release_difference(before, after), catalogue.datasets[dataset].gates
    laid = moved(catalogue.datasets[dataset], history.layout_of(old), history.layout_of(new))
    return (
        *_change(declared, difference.tables, before),
        _removed(declared.rows_removed, difference.tables, before),
        _vanished(declared.vanished_structures, before, after),
        _lost(difference.tables, difference.tables_removed, laid),
        _unexplained(declared.unexplained, _unexplained_lines(old, new)),
        _relabelled(*(bool(history.descriptor(folder).get("synthetic")) for folder in (old, new))),
    )


def _unexplained_lines(old: Path, new: Path) -> list[dict[str, str]]:
    """Return what nothing explains in the journals of all the releases after ``old``, up to ``new``."""
    versions = history.versions(new.parent.parent, new.parent.name)
    first = versions.index(old.name) + 1 if old.name in versions else versions.index(new.name)
    between = versions[first : versions.index(new.name) + 1] or [new.name]  # going back to an earlier release
    journals = [history.journal(new.parent / version) for version in between]
    return [line for lines in journals for line in lines.filter(pc.equal(lines["nature"], UNEXPLAINED)).to_pylist()]


def _change(
    declared: ReleaseGates, tables: Mapping[str, TableDifference], before: Mapping[str, TableState]
) -> tuple[Gate, Gate]:
    limit, most = declared.dataset_change, declared.table_change
    moved = {name: _moved(table) for name, table in tables.items()}
    wide = []
    for name, count in moved.items():
        share = _share(count, before[name].count)
        if before[name].count >= FEW_ROWS and share > most.max:
            wide.append(f"{name} : {percent(share, 1)} des lignes (au plus {percent(most.max, 1)})")
    tables_told = f"{counted(len(wide), 'table change', 'tables changent')} plus que prévu : {most.why}."
    whole = _share(sum(moved.values()), sum(before[name].count for name in moved))
    whole_told = f"{percent(whole, 1)} des lignes du jeu de données changent (au plus {percent(limit.max, 1)})"
    passed = whole <= limit.max
    return (
        gate("changement_table", wide, "Aucune table ne change plus que prévu.", tables_told),
        Gate("changement_jeu", passed, f"{whole_told}." if passed else f"{whole_told} : {limit.why}."),
    )


def _removed(limit: Threshold, tables: Mapping[str, TableDifference], before: Mapping[str, TableState]) -> Gate:
    wide = []
    for name, table in tables.items():
        share = _share(len(table.removed), before[name].count)
        if before[name].count >= FEW_ROWS and share > limit.max:
            wide.append(f"{name} : {percent(share, 1)} des lignes retirées (au plus {percent(limit.max, 1)})")
    passed = "Les lignes retirées restent sous le seuil."
    return gate("lignes_retirees", wide, passed, f"Trop de lignes retirées : {limit.why}.")


def _vanished(limit: Threshold, before: Mapping[str, TableState], after: Mapping[str, TableState]) -> Gate:
    published = _structures(before)
    gone = sorted(published.filter(pc.invert(pc.is_in(published, value_set=_structures(after)))).to_pylist())
    places = [" ".join(place.split(BETWEEN)) for place in gone] if len(gone) > limit.max else []
    failed = f"{counted(len(gone), 'structure disparue')} : {limit.why}."
    return gate("structures_disparues", places, "Toutes les structures déjà publiées sont là.", failed)


def _structures(states: Mapping[str, TableState]) -> pa.Array:
    """Return network and code of every structure, as one text each."""
    state = states.get(STRUCTURES)
    if state is None or not set(KEY) <= state.types.keys():
        return pa.array([], pa.string())
    return pc.unique(state.keys(names=KEY))


def _lost(tables: Mapping[str, TableDifference], removed: Sequence[str], laid: Sequence[MovedTable]) -> Gate:
    lost = [f"{name} : table retirée" for name in removed]
    lost += [f"{one.table} : autres fichiers, {one.before} → {one.after}" for one in laid]
    for name, table in tables.items():
        lost += [f"{name}.{column} : colonne retirée" for column in table.columns_removed]
        lost += [f"{name}.{column} : colonne d'un autre type" for column in table.columns_retyped]
        lost += [f"{name} : clé changée"] if table.key_changed else []
    failed = "Version majeure : des réutilisations cesseront de marcher."
    return gate("colonnes_perdues", lost, "Aucune colonne ni table perdue.", failed)


def _unexplained(limit: Threshold, lines: Sequence[Mapping[str, str]]) -> Gate:
    places = [" ".join(line[name] for name in ("table", "cle", "colonne")).strip() for line in lines]
    failed = f"{counted(len(lines), 'changement')} sans motif : {limit.why}. Déclarer une explication, ou accepter."
    return gate("inexpliques", places if len(lines) > limit.max else [], "Chaque changement a son motif.", failed)


def _relabelled(before: bool, after: bool) -> Gate:
    was, now = ("synthétiques" if mark else "réelles" for mark in (before, after))
    if was == now:
        return Gate("nature_donnees", True, f"Les données restent {now}.")
    changed = f"Le jeu de données était publié comme données {was}, il passe à des données {now}."
    return Gate("nature_donnees", False, changed)


def _moved(table: TableDifference) -> int:
    """Count the rows that were added, removed or changed, but those only marked as figures of an earlier release.

    Such a row says what it said: the rule of revisions keeps whole surveys, which no person has to accept.
    """
    said = [rows for column, rows in table.cells.items() if column not in TELLING]
    marked = np.setdiff1d(table.cells.get(KEPT_FROM, NONE), np.concatenate([NONE, *said]))
    return len(table.added) + len(table.removed) + len(table.changed) - len(marked)


def _share(count: int, size: int) -> float:
    """Return a share in %, of at least one row: a table that was empty and fills up changed wholly."""
    return 100 * count / max(size, 1)
