"""Makes a release of a dataset from the national tables, and says what may forbid it: damage, a secret that is told."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.declarations import Catalogue
from pipelines.declarations.loading import bundle
from pipelines.disclosure.audit import AUDITED, audit, refusals
from pipelines.disclosure.results_table import COUNTS, disclosure_summary
from pipelines.flow.earlier_releases import earlier_results
from pipelines.flow.exports_folder import synthetic_statement
from pipelines.flow.fingerprints import EVERYTHING, code_of, fingerprint
from pipelines.flow.gather import RESULTS, SECRETS, StaleError, gathered, tables_are_current
from pipelines.flow.preview_rows import Rows, first_rows
from pipelines.flow.protection import Protection, protecting
from pipelines.flow.state import NetworkYear
from pipelines.flow.store import Store
from pipelines.flow.stored_files import read_frame
from pipelines.read import ExportsRoot
from pipelines.release import history
from pipelines.release.inputs import Inputs, ReceivedFile, Reception
from pipelines.release.release_folder import Release, make_release

_AUDITED = [*AUDITED, "valeur_precedente", "evolution"]
_MADE_FROM = "work/versions/{dataset}.json"


class StoredTable:
    """A table in a Parquet, whose columns are read when they are asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.columns: list[str] = pq.read_schema(path).names

    def __getitem__(self, name: str) -> pa.ChunkedArray:
        return pq.read_table(self._path, columns=[name]).column(0)


@dataclass(frozen=True)
class Audit:
    """What bounding the secrets of tables found; only of what, never how closely: bounds are secret.

    ``refused`` names the secrets that are told, empty when there are none; ``secret`` counts the figures hidden as
    such; ``findings`` and ``hidden`` are rows to show.
    """

    refused: str = ""
    secret: int = 0
    findings: Rows = field(default_factory=list)
    hidden: Rows = field(default_factory=list)


def audited(catalogue: Catalogue, store: Store, dataset: str) -> Audit:
    """Bound what the national tables hide, network by network, with what earlier releases told."""
    if RESULTS not in catalogue.datasets[dataset].tables:
        return Audit()
    with protecting(catalogue, store, dataset) as protection:
        audits = [_of_network(catalogue, store, dataset, network, protection) for network in catalogue.networks]
    findings, summary = (pd.concat(frames, ignore_index=True) for frames in zip(*audits, strict=True))
    refused = refusals(findings)
    places = refused.assign(indicateur=refused["indicateur"].fillna("")).groupby(["reseau", "indicateur", "constat"])
    named = [f"{' '.join(filter(None, place[:2]))} : {place[2]}" for place in places.size().index]
    counted = findings.groupby(["constat", "reseau", "indicateur"]).size().reset_index(name="lignes")
    return Audit(" ; ".join(named), int(summary["secret"].sum()), first_rows(counted), first_rows(summary, 60))


def _of_network(
    catalogue: Catalogue, store: Store, dataset: str, network: str, protection: Protection
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the findings on the rows of a network, and how many of them are hidden."""
    files = {name: store.national / f"{name}.parquet" for name in catalogue.datasets[dataset].tables}
    results = read_frame(files[RESULTS], _AUDITED, reseau=network)
    counts = {name: read_frame(files[name], reseau=network) for name in COUNTS if name in files}
    try:
        secrets = read_frame(store.national / SECRETS, reseau=network)
    except FileNotFoundError:
        raise StaleError(f"Les tables nationales n'ont pas {SECRETS} : les refaire (national/tables).") from None
    findings = audit(results, catalogue, secrets, others={RESULTS: results, **counts}, judge=protection.judge)
    return findings, disclosure_summary(results)


def lost_by_damage(catalogue: Catalogue, store: Store, dataset: str) -> str:
    """Say which network-years the last release of ``dataset`` has that the next would lose by our fault, or nothing.

    A network-year whose file was withdrawn, refused or never came is no damage: it has its reason in the tables.
    """
    damaged = {}
    for network, declared in catalogue.networks.items():
        for year in declared.years:
            known = store.read(network, year)
            if known.reception and known.reception.damaged and not known.judged:
                damaged[network, year] = known.reception.damaged
    if not damaged or not (earlier := earlier_results(catalogue, store.releases, dataset)):
        return ""
    last = pq.read_table(earlier[-1], columns=["reseau", "annee"]).to_pandas().drop_duplicates()
    there = set(zip(last["reseau"], last["annee"].astype(int), strict=True))
    lost = [f"{network} {year} ({why})" for (network, year), why in damaged.items() if (network, year) in there]
    if not lost:
        return ""
    return f"Elle perdrait, par notre seule faute, {' ; '.join(lost)}. La version précédente reste publiée."


def release_dataset(catalogue: Catalogue, store: Store, dataset: str, inputs: Inputs) -> Release:
    """Make a release of the national tables if its content changed, and save it. Raises what ``make_release`` does."""
    statement, names = store.tables_made().synthetic, catalogue.datasets[dataset].tables
    tables = {name: StoredTable(store.national / f"{name}.parquet") for name in names}
    with store.releasing(dataset) as releases:
        made = make_release(dataset, catalogue, tables, releases, synthetic=statement, inputs=inputs)
    store.keep(_MADE_FROM.format(dataset=dataset), _made_from(store, dataset, inputs))
    return made


def nothing_yet(catalogue: Catalogue, store: Store, dataset: str) -> bool:
    """Whether a dataset has nothing to say: no row of its main table, and no release that had any."""
    main_table = store.national / f"{catalogue.datasets[dataset].main_table}.parquet"
    return not history.versions(store.releases, dataset) and pq.read_metadata(main_table).num_rows == 0


def releases_are_current(catalogue: Catalogue, store: Store, root: ExportsRoot, schemas: Path) -> bool:
    """Whether neither the national tables nor the release of any dataset but signals would be made of anything new."""
    if not tables_are_current(catalogue, store):
        return False
    inputs = release_inputs(catalogue, store, root, schemas)
    return all(
        nothing_yet(catalogue, store, dataset) or release_is_current(store, dataset, inputs)
        for dataset in catalogue.without_signals.datasets
    )


def release_is_current(store: Store, dataset: str, inputs: Inputs) -> bool:
    """Whether the latest release was the answer to these inputs, the tables that are here and the releases before.

    What a run that died left unfinished says that it wasn't.
    """
    begun = any((store.releases / dataset).glob(f"{history.IN_PROGRESS}*"))
    before = store.load(_MADE_FROM.format(dataset=dataset), dict[str, Any])
    return not begun and before is not None and before == _made_from(store, dataset, inputs)


def _made_from(store: Store, dataset: str, inputs: Inputs) -> dict[str, Any]:
    released = history.versions(store.releases, dataset)
    return {"tables": gathered(store), "entrees": fingerprint(asdict(inputs)), "versions": released}


def release_inputs(catalogue: Catalogue, store: Store, root: ExportsRoot, schemas: Path) -> Inputs:
    """Return the inputs of what is in the store now; the declarations are kept in the archive with them."""
    places = [(network, year) for network, declared in sorted(catalogue.networks.items()) for year in declared.years]
    receptions = tuple(found for known in store.read_all(places) if (found := _reception(known)) is not None)
    archived = store.archive.keep(bundle(schemas))
    return Inputs(receptions, catalogue.fingerprints(), archived, code_of(EVERYTHING), synthetic_statement(root))


def _reception(known: NetworkYear) -> Reception | None:
    if known.reception is None:
        return None
    files = tuple(
        ReceivedFile(export, file.path, file.sha256)
        for export, received in sorted(known.reception.exports.items())
        for file in received
    )
    declarations = known.results.declarations if known.computed and known.results else ""
    return Reception(known.network, known.year, files, known.reception.synthetic, declarations=declarations)
