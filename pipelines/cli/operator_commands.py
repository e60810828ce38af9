"""Commands of operators: status, doctor, the Dagster instance (ready, recovered, purged), revisions of closed years.

Only arguments and exit codes; what they do is in ``operations``, ``report`` and ``flow``.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pipelines.cli.options import Json, Output, Schemas, flag, load_or_stop, option
from pipelines.cli.terminal_output import Exit, StoppedError, answer, print_json, show_findings, show_lines, steps

if TYPE_CHECKING:
    from pipelines.flow.state import Proposal

Home = Annotated[Path | None, option("DOSSIER", "défaut : DAGSTER_HOME")]


def doctor(
    output: Output,
    schemas: Schemas,
    target: Annotated[bool, flag("--target", "joindre aussi la cible de publication")] = False,
    mail: Annotated[bool, flag("--mail", "joindre aussi le serveur de courriel et le webhook")] = False,
    json: Json = False,
) -> int:
    """Say whether all is ready."""
    load_or_stop(schemas, Exit.REFUSED)
    from pipelines.operations.doctor import diagnose

    with steps() as begin:
        begin("contrôles")
        findings = diagnose(output, target=target, mail=mail)
    failed = any(finding.state == "panne" for finding in findings)
    if json:
        print_json({"pret": not failed, "constats": [vars(finding) for finding in findings]})
    else:
        show_findings(findings)
    return Exit.REFUSED if failed else Exit.DONE


def status(output: Output, schemas: Schemas, json: Json = False) -> None:
    """Say what is published and where, what is late, what waits for an agreement."""
    catalogue = load_or_stop(schemas)
    from pipelines.operations.settings import letters_from_environment
    from pipelines.report.status import status as current_status

    today = datetime.datetime.now().astimezone().date()
    with steps() as begin:
        begin("lecture de la sortie")
        state = current_status(catalogue, output, today, letters_from_environment())
    if json:
        print_json(state)
    else:
        from pipelines.report.status import status_lines

        show_lines(status_lines(state))


def prepare(home: Home = None, json: Json = False) -> None:
    """Create or migrate the storage, mend a first start that was interrupted."""
    from pipelines.operations.instance import prepare_instance

    done = prepare_instance(_place(home).resolve())
    answer({"fait": done}, *done, as_json=json)


def recover(home: Home = None, json: Json = False) -> None:
    """Mark as failed the runs that were killed with the service."""
    from pipelines.operations.instance import opened
    from pipelines.operations.instance_runs import fail_lost_runs

    with opened(_place(home).resolve()) as instance:
        lost = fail_lost_runs(instance, nothing_runs=True)
    message = f"{len(lost)} traitements perdus marqués en échec" + (f" : {', '.join(lost)}" if lost else "")
    answer({"perdus": lost}, message, as_json=json)


def purge(
    days: Annotated[int | None, option("JOURS", "âge (défaut : RESULTATS_RETENTION_DAYS, sinon 90)")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Remove old runs, with their events and logs."""
    from pipelines.operations.instance import opened
    from pipelines.operations.instance_runs import purge_older
    from pipelines.operations.settings import retention_from_environment

    place = _place(home).resolve()
    age = retention_from_environment() if days is None else days
    with opened(place) as instance:
        gone = purge_older(instance, age)
    message = f"{len(gone)} traitements de plus de {age} jours supprimés"
    answer({"jours": age, "supprimes": gone}, message, as_json=json)


def revisions(
    output: Output,
    accept: Annotated[tuple[str, str, str] | None, option("RÉSEAU ANNÉE RÉVISION", "mettre en place celle-ci")] = None,
    json: Json = False,
) -> None:
    """List the revisions of closed years that wait, or accept one."""
    from pipelines.flow.revisions import RevisionError, accept_revision, waiting_revisions
    from pipelines.flow.store import Store
    from pipelines.operations.output_lock import alone_on

    store = Store(output)
    store.must_have_begun()
    if accept is None:
        waiting = list(waiting_revisions(store))
        rows = [
            {
                "reseau": proposal.network,
                "annee": proposal.year,
                "empreinte": proposal.fingerprint,
                "proposee_le": proposal.proposed_at,
                "differences": proposal.differences,
            }
            for proposal in waiting
        ]
        answer(
            {"revisions": rows},
            *([_told(proposal) for proposal in waiting] or ["Aucune révision n'attend."]),
            as_json=json,
        )
        return
    network, year, revision = accept
    try:
        with alone_on(output, "resultats revisions"):
            accept_revision(store, network, int(year), revision)
    except RevisionError as error:
        raise StoppedError(error, Exit.REFUSED) from error
    except ValueError as error:
        raise StoppedError(f"année « {year} » : un nombre est attendu") from error
    message = f"{network} {year} : révision acceptée ; les tables nationales suivront"
    answer({"reseau": network, "annee": int(year), "acceptee": revision}, message, as_json=json)


def _told(proposal: Proposal) -> str:
    counts = ", ".join(f"{name} {count}" for name, count in proposal.differences.items() if count)
    return (
        f"{proposal.network} {proposal.year} {proposal.fingerprint[:12]} proposée le {proposal.proposed_at} : {counts}"
    )


def _place(home: Path | None) -> Path:
    """Return the folder of the instance; raises SettingError for one that holds no ``dagster.yaml``."""
    from pipelines.operations.settings import SettingError, home_from_environment

    home = home or home_from_environment()
    if home is None or not (home / "dagster.yaml").is_file():
        raise SettingError("pas d'instance ici : donner --home ou DAGSTER_HOME, dossier qui contient dagster.yaml")
    return home
