"""``resultats doctor`` and ``status``: what operators run. Only arguments and exit codes."""

from __future__ import annotations

import datetime
from typing import Annotated

from pipelines.cli.options import DONE, REFUSED, Json, Output, Schemas, flag, load_or_stop
from pipelines.cli.terminal_output import print_json, steps


def doctor(
    output: Output,
    schemas: Schemas,
    target: Annotated[bool, flag("--target", "joindre aussi la cible de publication")] = False,
    mail: Annotated[bool, flag("--mail", "joindre aussi le serveur de courriel et le webhook")] = False,
    json: Json = False,
) -> int:
    """Say whether all is ready."""
    load_or_stop(schemas, REFUSED)
    from pipelines.operations.doctor import diagnose

    with steps() as begin:
        begin("contrôles")
        findings = diagnose(output, target=target, mail=mail)
    failed = any(item.state == "panne" for item in findings)
    if json:
        print_json({"pret": not failed, "constats": [vars(item) for item in findings]})
    else:
        from pipelines.cli.terminal_tables import show_findings

        show_findings(findings)
    return REFUSED if failed else DONE


def status(output: Output, schemas: Schemas, json: Json = False) -> int:
    """Say what is published and where, what is late, what waits for an agreement."""
    catalogue = load_or_stop(schemas)
    from pipelines.operations.settings import letters_from_environment
    from pipelines.report.status import status as current_status

    today = datetime.datetime.now().astimezone().date()
    with steps() as begin:
        begin("lecture de la sortie")
        found = current_status(catalogue, output, today, letters_from_environment())
    if json:
        print_json(found)
    else:
        from pipelines.cli.terminal_tables import show_lines
        from pipelines.report.status import status_lines

        show_lines(status_lines(found))
    return DONE
