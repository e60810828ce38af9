"""Closed years: what is computed again for one waits beside its results, and takes their place only when accepted.

Nothing is received or computed here: the stages ask where they write, then whether what they wrote differs.
"""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.declarations import Catalogue
from pipelines.flow.fingerprints import fingerprint
from pipelines.flow.state import ExportVerdict, NetworkYear, Proposal, Reception
from pipelines.flow.store import FRAMES, PROPOSAL_FILE, REVISIONS, STATE_FILES, Store
from pipelines.flow.stored_files import read_frame

ACCEPT_JOB = "accepter_revision"


class RevisionError(Exception):
    """A revision that can't be accepted, and why, in French."""


def writing_store(store: Store, catalogue: Catalogue, network: str, year: int) -> Store:
    """Return where a stage writes a network-year: in place, or beside it when the year is closed and its results stand.

    A revision begins as what stands, so that a stage run alone finds the work of those before it.
    """
    if not catalogue.networks[network].closed(year):
        return store
    finish_accepting(store, network, year)
    if not store.read(network, year).stands:
        return store
    proposals = store.proposals
    if proposals.read(network, year).reception is None:
        begin_revision(store, network, year)
    return proposals


def begin_revision(store: Store, network: str, year: int) -> Store:
    """Begin a revision anew from what stands. Files are linked: stages replace them and never change them."""
    proposals = store.proposals
    folder = proposals.network_year(network, year)
    store.observations(network, year)  # the typed rows too
    shutil.rmtree(folder, ignore_errors=True)
    beginning = folder.with_name(f".{folder.name}")
    shutil.rmtree(beginning, ignore_errors=True)
    ignored = shutil.ignore_patterns(PROPOSAL_FILE)
    shutil.copytree(store.network_year(network, year), beginning, copy_function=os.link, ignore=ignored)
    beginning.replace(folder)
    proposals.save_network_year(network, year)
    return proposals


def settle(store: Store, catalogue: Catalogue, network: str, year: int, now: datetime) -> Proposal | None:
    """Say what a revision just made changes; one that changes nothing takes the place of what stands by itself.

    Only its declarations and code differ then: the year counts as computed under today's.
    """
    proposals = store.proposals
    differences = _differences(store, proposals, network, year)
    proposal = Proposal(
        network=network,
        year=year,
        fingerprint=_hash_of(proposals.read(network, year)),
        base=_hash_of(store.read(network, year)),
        declarations=catalogue.fingerprint(network),
        differences=differences,
        proposed_at=now.isoformat(timespec="seconds"),
        accepted=not any(differences.values()),
    )
    proposals.write(network, year, proposal)
    if any(differences.values()):
        return proposal
    finish_accepting(store, network, year)
    return None


def waiting_revisions(store: Store) -> Iterator[Proposal]:
    """Yield the revisions that wait to be accepted, by network and year."""
    folder = store.rooms(REVISIONS, PROPOSAL_FILE)
    for path in sorted(folder.glob(f"*/[0-9]*/{PROPOSAL_FILE}")):
        if (proposal := waiting(store, path.parts[-3], int(path.parts[-2]))) is not None:
            yield proposal


def waiting(store: Store, network: str, year: int) -> Proposal | None:
    """Return the revision that waits for a network-year, if any."""
    proposal = store.proposal(network, year)
    return proposal if proposal and not proposal.accepted else None


def accept_revision(store: Store, network: str, year: int, named: str, now: datetime | None = None) -> Proposal:
    """Put the revision ``named`` (its fingerprint, or its first eight characters at least) in place of what stands.

    What stood is kept in ``work/revisions/remplacees``. Raises RevisionError when no revision waits, when another one
    does, or when what stands is no longer what it was compared with.
    """
    finish_accepting(store, network, year)
    proposal = waiting(store, network, year)
    if proposal is None:
        raise RevisionError(f"{network} {year} : aucune révision n'attend d'être acceptée.")
    if len(named) < 8 or not proposal.fingerprint.startswith(named):
        raise RevisionError(f"{network} {year} : la révision qui attend est {proposal.fingerprint[:12]}, non {named}.")
    if proposal.base != _hash_of(store.read(network, year)):
        raise RevisionError(f"{network} {year} : les résultats ont changé depuis ; relancer la révision.")
    moment = (now or datetime.now(UTC)).isoformat(timespec="seconds")
    store.proposals.write(network, year, proposal.model_copy(update={"accepted": True, "accepted_at": moment}))
    finish_accepting(store, network, year)
    return proposal


def finish_accepting(store: Store, network: str, year: int) -> None:
    """Put an accepted revision in place, from wherever a crash may have left it."""
    proposals = store.proposals
    new, old = proposals.network_year(network, year), store.network_year(network, year)
    proposal = store.proposal(network, year)
    if proposal is None or not proposal.accepted:
        return
    store.observations(network, year)  # what stood is kept whole
    replaced = f"{REVISIONS}/remplacees/{network}/{year}/{proposal.base[:12]}"
    with store.writing(replaced) as (kept,):
        if old.exists():
            if _hash_of(store.read(network, year)) == proposal.base or not kept.exists():
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.rmtree(kept, ignore_errors=True)
                old.replace(kept)
            else:  # killed on a shared storage while the revision took its place, stage by stage: what stood is kept
                shutil.rmtree(old)
    old.parent.mkdir(parents=True, exist_ok=True)
    new.replace(old)
    (old / STATE_FILES[Reception]).touch()  # the national tables look at dates to know that something changed
    store.save_network_year(network, year)
    proposals.save_network_year(network, year)  # nothing waits any more: last, so that what is cut short begins again
    if not any(proposal.differences.values()):
        with store.writing(replaced):
            shutil.rmtree(kept, ignore_errors=True)


def _hash_of(known: NetworkYear) -> str:
    return fingerprint(
        [record.model_dump(mode="json") if record else None for record in (known.verdict, known.results)]
    )


def _differences(standing: Store, proposed: Store, network: str, year: int) -> dict[str, int]:
    old, new = standing.network_year(network, year), proposed.network_year(network, year)
    counts = {name: _differing_rows(old / f"{name}.parquet", new / f"{name}.parquet") for name in FRAMES}
    before, after = _verdicts(standing.read(network, year)), _verdicts(proposed.read(network, year))
    counts["exports"] = sum(before.get(name) != after.get(name) for name in before.keys() | after.keys())
    return counts


def _verdicts(known: NetworkYear) -> dict[str, tuple[ExportVerdict, list[dict[str, Any]]]]:
    """Return the verdict on each export, with what refused rows of it."""
    if known.verdict is None:
        return {}
    errors = [finding for finding in known.verdict.findings if finding["severite"] == "erreur"]
    return {
        name: (export, [finding for finding in errors if finding["export"] == name])
        for name, export in known.verdict.exports.items()
    }


def _differing_rows(old: Path, new: Path) -> int:
    """Count rows that are on one side only (a changed row is two); of tables with other columns, all rows."""
    if not (old.exists() and new.exists()):
        return sum(len(read_frame(path)) for path in (old, new) if path.exists())
    before, after = read_frame(old), read_frame(new)
    if list(before.columns) != list(after.columns):
        return max(len(before) + len(after), 1)
    rows = [frame.astype(str).value_counts(dropna=False) for frame in (before, after)]
    return int(rows[0].sub(rows[1], fill_value=0).abs().sum())
