"""What a release is made from, as the store knows it: receptions, declarations, code.

It is written in the descriptor of the release, where ``resultats verify`` and ``explain`` read it.
"""

from pathlib import Path

from assets.provenance import synthetic_statement
from assets.reception import last_reception
from assets.resources import Workspace
from assets.storage import code_fingerprint, read_json
from pipelines.declarations import Catalogue
from pipelines.declarations.bundle import bundle
from pipelines.release.inputs import Inputs, ReceivedFile, Reception


def release_inputs(catalogue: Catalogue, workspace: Workspace) -> Inputs:
    """Return the inputs of what is in the store now; the declarations are kept in the archive with them."""
    store = workspace.store
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
    archived = store.archive.keep(bundle(Path(workspace.schemas)))
    statement = synthetic_statement(workspace.root)
    return Inputs(tuple(receptions), catalogue.fingerprints(), archived, code_fingerprint(), statement)
