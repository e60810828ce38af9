"""The look of the night: which network-years would come out otherwise if they were run, and why. Nothing is run here.

The look costs a listing and a few small files by network-year: contents are read only where dates no longer tell.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from pipelines.declarations import Catalogue, Network
from pipelines.flow.exports_folder import note_folder, synthetic_statement
from pipelines.flow.fingerprints import results_version, verdict_version
from pipelines.flow.revisions import finish_accepting
from pipelines.flow.state import NetworkYear, Reception
from pipelines.flow.store import Store
from pipelines.mechanics.french import first_few
from pipelines.read import ExportsRoot, Listing

_CHANGED = "déclarations ou programme changés"


@dataclass(frozen=True)
class Cell:
    """A network-year to run, and why (French)."""

    network: str
    year: int
    why: str


@dataclass
class Look:
    """What a look found: the network-years to run, the changes at the source that closed years ignore, and its size."""

    cells: list[Cell] = field(default_factory=list)
    ignored: list[Cell] = field(default_factory=list)
    networks: int = 0
    network_years: int = 0


def look(catalogue: Catalogue, store: Store, root: ExportsRoot) -> Look:
    """Look at every network and every year that it owes. Raises what the storage of the exports raises."""
    result = Look(networks=len(catalogue.networks))
    statement, listing = synthetic_statement(root), root.listing()
    store.read_all((network, year) for network, declared in catalogue.networks.items() for year in declared.years)
    for network, declared in catalogue.networks.items():
        seen = _Network(network, declared, catalogue.fingerprint(network), store, root, listing, statement)
        for year in declared.years:
            result.network_years += 1
            if declared.closed(year):
                finish_accepting(store, network, year)
            if declared.closed(year) and store.read(network, year).stands:
                result.cells += seen.closed(year)
                result.ignored += seen.changes_of_closed(year)
            elif why := seen.why(year):
                result.cells.append(Cell(network, year, why))
    return result


def changed_network_years(
    catalogue: Catalogue, store: Store, root: ExportsRoot, places: list[tuple[str, int]]
) -> list[tuple[str, int]]:
    """Return those of the network-years that must run. What the exports folder holds is noted on the way."""
    try:
        seen = look(catalogue, store, root)
        note_folder(catalogue, store, root)
    except Exception:  # whatever the storage of the exports raises: the run meets it too, and tells it
        return places
    cells = {(cell.network, cell.year) for cell in seen.cells}
    return [place for place in places if place in cells]


@dataclass(frozen=True)
class _Network:
    """A network as it is looked at; ``declarations``: their hash, taken once for all its years."""

    network: str
    declared: Network
    declarations: str
    store: Store
    root: ExportsRoot
    listing: Listing
    statement: str | None

    def why(self, year: int) -> str:
        """Say why an open year must run, or nothing."""
        known = self.store.read(self.network, year)
        if known.reception_failed:
            return "la réception précédente n'a pas abouti"
        if known.reception is None:
            return "jamais traité"
        if changes := list(self._changes(year, known.reception)):
            return first_few(changes, 3, " ; ", " ; et ")
        if not known.reception.handed_over:
            return ""
        if known.reception.synthetic != self.statement:
            return "la déclaration de provenance a changé"
        return self._unfinished(known)

    def _unfinished(self, known: NetworkYear) -> str:
        if not known.judged or known.reception is None or known.verdict is None:
            return "le contrôle précédent n'a pas abouti"
        if known.verdict.fingerprint != verdict_version(self.declarations, known.reception.fingerprint):
            return _CHANGED
        if not known.verdict.accepted:
            return ""
        if not known.computed or known.results is None:
            return "le calcul précédent n'a pas abouti"
        now = results_version(self.declarations, known.verdict.fingerprint)
        return "" if known.results.fingerprint == now else _CHANGED

    def closed(self, year: int) -> Iterator[Cell]:
        """Yield the closed year when its declarations changed and no revision was computed under today's."""
        standing = self.store.read(self.network, year).results
        proposed = self.store.proposals.read(self.network, year).results
        declarations = {results.declarations for results in (standing, proposed) if results}
        if standing and self.declarations not in declarations:
            yield Cell(self.network, year, "année close dont les déclarations ont changé : révision à proposer")

    def changes_of_closed(self, year: int) -> Iterator[Cell]:
        """Yield what changed at the source of a closed year, which is told and not used."""
        reception = self.store.read(self.network, year).reception
        for change in self._changes(year, reception) if reception else ():
            yield Cell(self.network, year, change)

    def _changes(self, year: int, reception: Reception) -> Iterator[str]:
        """Yield, in French, how the files at the source differ from those received."""
        for export in self.declared.exports:
            layout = export.layout(year)
            if layout is None:
                continue
            before = {file.path: file.sha256 for file in reception.exports.get(export.id, ())}
            try:
                sources = self.listing.find(layout.path, year, self.declared.other_paths(export.id, year))
            except PermissionError:  # of this network alone: its reception will say so
                yield f"dossier illisible : {layout.path}"
                continue
            for source in sources:
                sha256 = before.pop(source.name, None)
                if sha256 is None:
                    yield f"fichier nouveau : {source.name}"
                elif self.store.archive.recognise(self.root, source) != sha256:
                    yield f"fichier modifié : {source.name}"
            yield from (f"fichier retiré : {path}" for path in before)
