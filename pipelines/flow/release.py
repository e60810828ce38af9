"""What goes into a release: tables in their declared columns, what it was made from, what earlier ones have told."""

from pathlib import Path

import pandas as pd

from pipelines.declarations import Catalogue, Table
from pipelines.declarations.bundle import bundle
from pipelines.flow.fingerprints import code_fingerprint
from pipelines.flow.provenance import synthetic_statement
from pipelines.flow.receive import last_reception
from pipelines.flow.store import Store, read_frame, read_json
from pipelines.read import ExportsRoot
from pipelines.release import history
from pipelines.release.inputs import Inputs, ReceivedFile, Reception, inputs_of

_RESULTS = "resultats"


class ColumnsError(Exception):
    """The columns of a table aren't those that are declared; says which, in French."""


def earlier_results(catalogue: Catalogue, releases: Path, dataset: str | None = None) -> list[Path]:
    """Return the files of results of every release, of ``dataset`` or of all datasets, oldest version first."""
    found = []
    for name in [dataset] if dataset else catalogue.datasets:
        if _RESULTS in catalogue.datasets[name].tables:
            folders = [releases / name / version for version in history.versions(releases, name)]
            found += [folder / f"{_RESULTS}.parquet" for folder in folders]
    return found


def accepted_changes(catalogue: Catalogue, releases: Path) -> set[tuple[str, int]]:
    """Return the network-years whose changes since the latest release are published even if they tell of few people.

    Those that are closed, those computed under other declarations (all of it changed, as the data team wanted), and
    those that an explanation of the dataset names for the release to come: the team accepts them by that sentence.
    """
    years = {(network, year) for network, declared in catalogue.networks.items() for year in declared.years}
    found = {(network, year) for network, year in years if catalogue.networks[network].closed(year)}
    for name, dataset in catalogue.datasets.items():
        known = history.versions(releases, name) if _RESULTS in dataset.tables else []
        if not known:
            continue
        inputs = inputs_of(history.descriptor(releases / name / known[-1]))
        explained = [item for item in dataset.explanations if item.after == known[-1]]
        for network, year in years - found:
            before = inputs.reception(network, year) if inputs else None
            redeclared = before is not None and before.declarations != catalogue.fingerprint(network)
            if redeclared or any(network in item.networks and year in (item.years or (year,)) for item in explained):
                found.add((network, year))
    return found


def lost_by_damage(catalogue: Catalogue, store: Store, dataset: str) -> str:
    """Say which network-years the last release of ``dataset`` has that the next would lose by our fault, or nothing.

    A network-year whose file was withdrawn, refused or never came is no damage: it has its reason in the tables.
    """
    damaged = {
        (network, year): reception["damaged"]
        for network, declared in catalogue.networks.items()
        for year in declared.years
        if (reception := last_reception(store, network, year)) and reception.get("damaged")
        and not _is_judged(store, network, year, reception["fingerprint"])
    }  # fmt: skip
    if not damaged or not (earlier := earlier_results(catalogue, store.releases, dataset)):
        return ""
    last = read_frame(earlier[-1])
    there = set(zip(last["reseau"], last["annee"].astype(int), strict=True))
    lost = [f"{network} {year} ({why})" for (network, year), why in damaged.items() if (network, year) in there]
    if not lost:
        return ""
    return f"Elle perdrait, par notre seule faute, {' ; '.join(lost)}. La version précédente reste publiée."


def _is_judged(store: Store, network: str, year: int, reception: str) -> bool:
    report = read_json(store.network_year(network, year) / "report.json")
    return bool(report and report["reception"] == reception)


def release_inputs(catalogue: Catalogue, store: Store, root: ExportsRoot, schemas: Path) -> Inputs:
    """Return the inputs of what is in the store now; the declarations are kept in the archive with them."""
    receptions = []
    store.bring((network, year) for network, declared in catalogue.networks.items() for year in declared.years)
    for network, declared in sorted(catalogue.networks.items()):
        for year in declared.years:
            folder = store.network_year(network, year)
            found = last_reception(store, network, year)
            if found is None:
                continue
            report, results = read_json(folder / "report.json"), read_json(folder / "results.json")
            current = report and results and results["report"] == report["fingerprint"]
            files = tuple(
                ReceivedFile(export, file["path"], file["sha256"])
                for export, received in sorted(found["exports"].items())
                for file in received
            )
            receptions.append(
                Reception(
                    network, year, files, found.get("synthetic"),
                    declarations=results["declarations"] if current else "",
                )
            )  # fmt: skip
    archived = store.archive.keep(bundle(schemas))
    statement = synthetic_statement(root)
    return Inputs(tuple(receptions), catalogue.fingerprints(), archived, code_fingerprint(), statement)


def declared_columns(name: str, table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame in the declared columns; values are kept as text or numbers that Parquet can hold.

    Fails by name on a column that is declared but not made, or made but not declared.
    """
    differ = set(table.names) ^ set(frame.columns)
    if differ and len(frame):
        raise ColumnsError(f"Table {name} : colonnes déclarées et calculées diffèrent : {', '.join(sorted(differ))}.")
    found = frame.reindex(columns=table.names).astype("object")
    kinds = {"integer": "Int64", "number": "float64", "boolean": "boolean"}
    for column in table.columns:
        if column.type in kinds:
            found[column.name] = found[column.name].astype(pd.api.types.pandas_dtype(kinds[column.type]))
        else:
            found[column.name] = found[column.name].where(found[column.name].notna(), None)
    return found


def kept_statement(store: Store) -> str | None:
    """Return the warning that goes with the tables just made, when some of their rows are synthetic."""
    statement: str | None = read_json(store.national / "provenance.json")["synthetic"]
    return statement


def read_tables(store: Store, catalogue: Catalogue, dataset: str) -> dict[str, pd.DataFrame]:
    """Return the national tables that a dataset publishes."""
    return {name: read_frame(store.national / f"{name}.parquet") for name in catalogue.datasets[dataset].tables}
