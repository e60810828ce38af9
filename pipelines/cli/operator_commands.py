"""Commands of operators: the Dagster instance (made ready, recovered, purged), the revisions of closed years.

Only arguments and exit codes; what they do is in ``operations`` and ``flow``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pipelines.cli.options import DONE, REFUSED, USAGE, Json, Output, option, tell
from pipelines.cli.terminal_output import print_json

if TYPE_CHECKING:
    from pipelines.flow.state import Proposal

Home = Annotated[Path | None, option("DOSSIER", "défaut : DAGSTER_HOME")]


def prepare(home: Home = None, json: Json = False) -> int:
    """Create or migrate the storage, mend a first start that was interrupted."""
    from pipelines.operations.instance import prepare_instance

    done = prepare_instance(_place(home).resolve())
    _answer(json, {"fait": done}, *done)
    return DONE


def recover(home: Home = None, json: Json = False) -> int:
    """Mark as failed the runs that were killed with the service."""
    from pipelines.operations.instance import opened
    from pipelines.operations.instance_runs import fail_lost_runs

    with opened(_place(home).resolve()) as instance:
        lost = fail_lost_runs(instance, nothing_runs=True)
    told = f"{len(lost)} traitements perdus marqués en échec" + (f" : {', '.join(lost)}" if lost else "")
    _answer(json, {"perdus": lost}, told)
    return DONE


def purge(
    days: Annotated[int | None, option("JOURS", "âge (défaut : RESULTATS_RETENTION_DAYS, sinon 90)")] = None,
    home: Home = None,
    json: Json = False,
) -> int:
    """Remove old runs, with their events and logs."""
    from pipelines.operations.instance import opened
    from pipelines.operations.instance_runs import purge_older
    from pipelines.operations.settings import retention_from_environment

    place = _place(home).resolve()
    age = retention_from_environment() if days is None else days
    with opened(place) as instance:
        gone = purge_older(instance, age)
    told = f"{len(gone)} traitements de plus de {age} jours supprimés"
    _answer(json, {"jours": age, "supprimes": gone}, told)
    return DONE


def revisions(
    output: Output,
    accept: Annotated[tuple[str, str, str] | None, option("RÉSEAU ANNÉE RÉVISION", "mettre en place celle-ci")] = None,
    json: Json = False,
) -> int:
    """List the revisions of closed years that wait, or accept one."""
    from pipelines.flow.revisions import RevisionError, accept_revision, waiting_revisions
    from pipelines.flow.store import Store
    from pipelines.operations.output_lock import alone_on

    store = Store(output)
    store.must_have_begun()
    if accept is None:
        found = list(waiting_revisions(store))
        rows = [
            {"reseau": item.network, "annee": item.year, "empreinte": item.fingerprint,
             "proposee_le": item.proposed_at, "differences": item.differences}
            for item in found
        ]  # fmt: skip
        _answer(json, {"revisions": rows}, *([_told(item) for item in found] or ["Aucune révision n'attend."]))
        return DONE
    network, year, revision = accept
    try:
        with alone_on(output, "resultats revisions"):
            accept_revision(store, network, int(year), revision)
    except RevisionError as error:
        return tell(error, REFUSED)
    except ValueError:
        return tell(f"année « {year} » : un nombre est attendu", USAGE)
    told = f"{network} {year} : révision acceptée ; les tables nationales suivront"
    _answer(json, {"reseau": network, "annee": int(year), "acceptee": revision}, told)
    return DONE


def _told(item: Proposal) -> str:
    counts = ", ".join(f"{name} {count}" for name, count in item.differences.items() if count)
    return f"{item.network} {item.year} {item.fingerprint[:12]} proposée le {item.proposed_at} : {counts}"


def _place(home: Path | None) -> Path:
    """Return the folder of the instance; raises SettingError for one that holds no ``dagster.yaml``."""
    from pipelines.operations.settings import SettingError, home_from_environment

    home = home or home_from_environment()
    if home is None or not (home / "dagster.yaml").is_file():
        raise SettingError("pas d'instance ici : donner --home ou DAGSTER_HOME, dossier qui contient dagster.yaml")
    return home


def _answer(json: bool, content: dict[str, Any], *lines: str) -> None:
    """Print the answer as asked: JSON, or French lines."""
    if json:
        print_json(content)
    else:
        for line in lines:
            print(line)
