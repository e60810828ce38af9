"""``resultats plan`` and ``resultats publish``: what would change on a target, then changing it. Arguments and codes.

How a plan is made and applied is in ``pipelines.targets``.
"""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pipelines.cli.options import Json, Output, Schemas, flag, load_or_stop, option
from pipelines.cli.terminal_output import Exit, Steps, StoppedError, print_json, steps, tell_left_out

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.flow.publish import Publisher
    from pipelines.flow.store import Store
    from pipelines.targets.plan import Plan
    from pipelines.targets.protocol import Report

Target = Annotated[str, option("CIBLE", "local (défaut), demo, www, ou l'adresse d'un udata")]
_NO_SUCH_PLAN = (
    "Aucun plan actuel n'a cette empreinte : la cible ou la version ont changé, ou l'empreinte est mal copiée. "
    "Relire le plan (resultats plan) avant de l'accepter."
)


@dataclass(frozen=True)
class Arguments:
    """What was asked of a target, as typed."""

    target: str
    output: str
    schemas: Path
    json: bool
    yes: bool = False
    accept: str | None = None
    reason: str = ""


def plan(output: Output, schemas: Schemas, target: Target = "local", json: Json = False) -> int:
    """Show what a publication would change, without changing anything."""
    return _guarded(Arguments(target, output, schemas, json), _show)


def publish(
    output: Output,
    schemas: Schemas,
    target: Target = "local",
    yes: Annotated[bool, flag("--yes", "ne pas demander de confirmation")] = False,
    accept: Annotated[str | None, option("EMPREINTE", "accepter le plan bloqué qui a cette empreinte")] = None,
    reason: Annotated[str, option("TEXTE", "pourquoi ce plan est accepté")] = "",
    json: Json = False,
) -> int:
    """Bring a target to the latest release, and read it back."""
    if reason and not accept:
        raise StoppedError("--reason accompagne --accept")
    return _guarded(Arguments(target, output, schemas, json, yes, accept, reason), _bring)


def _guarded(arguments: Arguments, command: Callable[[Arguments, Publisher], int]) -> int:
    """Run a command; tell what stops it in one French sentence and give its exit code."""
    catalogue = load_or_stop(arguments.schemas)
    from pipelines.flow.publish import Publisher
    from pipelines.flow.store import Store
    from pipelines.operations.settings import SettingError, read_secret
    from pipelines.read import RootError
    from pipelines.release.refusals import PublicationError
    from pipelines.targets.protocol import TargetError

    try:
        store = Store(arguments.output)
        return command(arguments, Publisher(catalogue, store, arguments.target, read_secret))
    except (RootError, TargetError, SettingError) as error:
        raise _stopped(arguments.target, error, Exit.USAGE, json=arguments.json) from error
    except PublicationError as error:
        raise _stopped(arguments.target, error, Exit.REFUSED, json=arguments.json) from error


def _stopped(target: str, message: object, code: Exit, *, json: bool) -> StoppedError:
    """Return what stops a command, programs being told already."""
    if json:
        print_json({"target": target, "error": str(message)})
    return StoppedError("" if json else message, code)


def nothing_released(store: Store, target: str, json: bool) -> StoppedError:
    """Return what stops a command before there is any release; ``target``: of what, as programs are told."""
    told = f"aucune version dans {store.address(store.releases)} : lancer « resultats run », ou indiquer --output"
    return _stopped(target, told, Exit.USAGE, json=json)


def _show(arguments: Arguments, publisher: Publisher) -> int:
    from pipelines.targets.plan import plan_text

    with steps() as tell:
        tell(f"lecture de la cible {arguments.target}")
        found = list(publisher.plans())
    if not found:
        raise nothing_released(publisher.store, arguments.target, arguments.json)
    waiting = [plan for plan in found if publisher.awaits(plan)]
    if arguments.json:
        facts = [{"empty": plan.empty, "blocked": plan in waiting, **plan.to_json()} for plan in found]
        print_json({"target": arguments.target, "plans": facts})
    else:
        print("\n\n".join(plan_text(plan) for plan in found))
        _tell_what_to_type(arguments, [plan for plan in found if not plan.empty], waiting)
    return Exit.REFUSED if waiting else Exit.DONE


def _bring(arguments: Arguments, publisher: Publisher) -> int:
    from pipelines.flow.public_site import follow_site
    from pipelines.operations.settings import theme_from_environment
    from pipelines.release.refusals import PublicationError
    from pipelines.targets.plan import plan_text
    from pipelines.targets.publication import report_text

    if arguments.accept and not publisher.accept(arguments.accept, arguments.reason):
        raise _stopped(arguments.target, _NO_SUCH_PLAN, Exit.REFUSED, json=arguments.json)
    reports: list[Report] = []
    try:
        with steps() as tell:
            tell(f"lecture de la cible {arguments.target}")
            agree = _agreement(arguments, plan_text, tell)
            for report in publisher.publish(agree, tell):
                reports.append(report)
            if any(report.done for report in reports) and not publisher.remote:
                tell_left_out(follow_site(publisher.catalogue, publisher.store, theme_from_environment()))
    except PublicationError as error:
        if not arguments.json or not reports:
            raise
        told = {"target": arguments.target, "error": str(error), "reports": [report.to_json() for report in reports]}
        print_json(told)
        return Exit.REFUSED
    finally:  # what was published before a failure is told too
        for report in reports if not arguments.json else ():
            if not report.applied and report.plan.refusals:
                print(plan_text(report.plan))
            print(report_text(report))
    if not reports:
        raise nothing_released(publisher.store, arguments.target, arguments.json)
    if arguments.json:
        content = {"target": arguments.target, "reports": [report.to_json() for report in reports]}
        print_json(content)
    else:
        left = [report.plan for report in reports if not report.applied]
        _tell_what_to_type(arguments, left, [plan for plan in left if publisher.awaits(plan)])
    return Exit.DONE if all(report.succeeded for report in reports) else Exit.REFUSED


def _agreement(arguments: Arguments, told: Callable[[Plan], str], bar: Steps) -> Callable[[Plan], bool] | None:
    """Return how a plan is agreed to: by the command itself (None), by its hash, or by a person on a terminal."""
    if arguments.yes:
        return None

    def agree(plan: Plan) -> bool:
        with bar.paused():
            return asked(plan)

    def asked(plan: Plan) -> bool:
        if not arguments.json:
            print(told(plan), flush=True)
        if arguments.accept == plan.hash:
            return True
        if arguments.json or not sys.stdin.isatty():
            return False
        try:
            return input("Publier ? [o/N] ").strip().lower() in ("o", "oui")
        except EOFError:
            return False

    return agree


def _tell_what_to_type(arguments: Arguments, left: list[Plan], waiting: list[Plan]) -> None:
    for plan in waiting:
        print(f'\nPour accepter ce plan, tel qu\'il est : {_command(arguments)} --accept {plan.hash} --reason "…"')
    if len(left) > len(waiting):
        print(f"\nPour publier : {_command(arguments)} --yes")


def _command(arguments: Arguments) -> str:
    """Return the command that publishes what this one was about, to be copied."""
    return shlex.join(
        [
            "resultats",
            "publish",
            "--target",
            arguments.target,
            "--output",
            str(arguments.output),
            "--schemas",
            str(arguments.schemas),
        ]
    )
