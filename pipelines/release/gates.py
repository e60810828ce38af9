"""The gates of a release: what stops its publication until a person accepts it. Thresholds are declared.

What must never be released at all (a secret that can be deduced, a broken contract) is refused before, not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyarrow import compute as pc

from pipelines.mechanics.french import counted, percent
from pipelines.release import history
from pipelines.release.difference import BETWEEN, NONE, TableDifference, TableState, release_difference
from pipelines.release.reasons import KEPT_FROM, TELLING, UNEXPLAINED
from pipelines.release.table_parts import moved

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pipelines.declarations import Catalogue
    from pipelines.declarations.datasets import ReleaseGates, Threshold
    from pipelines.release.table_parts import MovedTable

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
    moved = {name: _moved(table) for name, table in tables.items()}
    sizes = {name: before[name].count for name in moved}
    wide = [
        (name, share)
        for name, count in moved.items()
        if sizes[name] >= FEW_ROWS and (share := _share(count, sizes[name])) > declared.table_change.max
    ]
    whole = _share(sum(moved.values()), sum(sizes.values()))
    limit, most = declared.dataset_change, declared.table_change
    told = [f"{name} : {percent(share, 1)} des lignes (au plus {percent(most.max, 1)})" for name, share in wide]
    tables_told = f"{counted(len(wide), 'table change', 'tables changent')} plus que prévu : {most.why}."
    whole_told = f"{percent(whole, 1)} des lignes du jeu de données changent (au plus {percent(limit.max, 1)})"
    passed = whole <= limit.max
    return (
        _gate("changement_table", told, "Aucune table ne change plus que prévu.", tables_told),
        Gate("changement_jeu", passed, whole_told + ("." if passed else f" : {limit.why}.")),
    )


def _removed(limit: Threshold, tables: Mapping[str, TableDifference], before: Mapping[str, TableState]) -> Gate:
    wide = []
    for name, table in tables.items():
        share = _share(len(table.removed), before[name].count)
        if before[name].count >= FEW_ROWS and share > limit.max:
            wide.append(f"{name} : {percent(share, 1)} des lignes retirées (au plus {percent(limit.max, 1)})")
    passed = "Les lignes retirées restent sous le seuil."
    return _gate("lignes_retirees", wide, passed, f"Trop de lignes retirées : {limit.why}.")


def _vanished(limit: Threshold, before: Mapping[str, TableState], after: Mapping[str, TableState]) -> Gate:
    known = _structures(before)
    gone = sorted(known.filter(pc.invert(pc.is_in(known, value_set=_structures(after)))).to_pylist())
    found = [" ".join(place.split(BETWEEN)) for place in gone] if len(gone) > limit.max else []
    count = counted(len(gone), "structure disparue")
    return _gate("structures_disparues", found, "Toutes les structures déjà publiées sont là.",
                 f"{count} : {limit.why}.")  # fmt: skip


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
    told = "Version majeure : des réutilisations cesseront de marcher."
    return _gate("colonnes_perdues", lost, "Aucune colonne ni table perdue.", told)


def _unexplained(limit: Threshold, found: Sequence[Mapping[str, str]]) -> Gate:
    told = [" ".join(line[name] for name in ("table", "cle", "colonne")).strip() for line in found]
    count = counted(len(found), "changement")
    failed = f"{count} sans motif : {limit.why}. Déclarer une explication, ou accepter."
    return _gate("inexpliques", told if len(found) > limit.max else [], "Chaque changement a son motif.", failed)


def _relabelled(before: bool, after: bool) -> Gate:
    words = {True: "synthétiques", False: "réelles"}
    same = f"Les données restent {words[after]}."
    changed = f"Le jeu de données était publié comme données {words[before]}, il passe à des données {words[after]}."
    return Gate("nature_donnees", before == after, same if before == after else changed)


def _gate(name: str, found: Sequence[str], passed: str, failed: str) -> Gate:
    if not found:
        return Gate(name, True, passed)
    rest = len(found) - SHOWN
    return Gate(name, False, failed, (*found[:SHOWN], *([f"et {rest} autres"] if rest > 0 else [])))


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
