"""The command line in French: the help of each command, and what is wrong with one as it was typed.

Typer says both in English, with no language of its own to choose.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

from pipelines.cli.door import guarded

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLACES = {"exports": "exports lus dans", "output": "sortie :"}  # told when the environment, or nobody, chose them
_HELP = {  # of the options that typer adds by itself
    "help": "montrer cette aide",
    "install_completion": "compléter dorénavant les commandes dans cet interpréteur (bash, zsh, fish…)",
    "show_completion": "montrer ce qui les complète, pour l'installer soi-même",
}
_SAID = {
    r"No such option: (\S+) \(Possible options: (.+)\)": "Option inconnue : {0} (possibles : {1})",
    r"No such option: (\S+)": "Option inconnue : {0}",
    r"Missing option '(.+?)'.*": "Option obligatoire absente : {0}",
    r"Missing argument '(.+?)'.*": "Argument obligatoire absent : {0}",
    r"Option '(.+)' requires an argument\.?": "Option {0} : une valeur est attendue",
    r"Option '(.+)' requires (\d+) arguments\.?": "Option {0} : {1} valeurs sont attendues",
    r"Option '(.+)' does not take a value\.?": "Option {0} : aucune valeur n'est attendue",
    r"Got unexpected extra argument\(s\) \((.+)\)": "Argument en trop : {0}",
    r"Missing command\.": "Commande attendue",
    r"No such command '(.+?)'\. Did you mean (.+)\?": "Commande inconnue : {0} (possibles : {1})",
    r"No such command '(.+?)'\.": "Commande inconnue : {0}",
    r"Invalid value for '(.+?)'.*valid integer.*": "Option {0} : un nombre entier est attendu",
    r"Invalid value for '(.+?)'.*: (?:Value error, )?'(.*)' is not one of (.+?)\.?":
        "Option {0} : « {1} » n'est pas une des valeurs possibles ({2})",
}  # fmt: skip


def usage_fault(error: typer.TyperException) -> str:
    """Return, in French, what is wrong with a command as it was typed."""
    said = error.format_message()
    for pattern, french in _SAID.items():
        if match := re.fullmatch(pattern, said, flags=re.DOTALL):
            return french.format(*(part.replace("'", "") for part in match.groups()))
    return said


class Command(TyperCommand):
    """A command, run behind the door; ``public``: what it writes is for everybody."""

    public = False

    def make_context(self, *arguments: Any, **more: Any) -> Any:
        """Leave when help is what was asked."""
        return _left_at_help(super().make_context, *arguments, **more)

    def invoke(self, ctx: Any) -> int:
        """Run the command; return its exit code, 0 when it gives none."""
        asked = ctx.find_root().params | ctx.params
        if not asked.get("json"):
            _tell_places(ctx)
        return guarded(
            lambda: super(Command, self).invoke(ctx),
            public=self.public,
            detail=asked["detail"],
            json=asked.get("json", False),
        )

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        """Write how the command is typed."""
        formatter.write_usage(ctx.command_path, " ".join([*_needed(self.get_params(ctx)), "[OPTIONS]"]), "Usage : ")

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write what the command takes."""
        _write_parameters(self.get_params(ctx), formatter)


class PublicCommand(Command):
    """A command that writes what everybody may read."""

    public = True


class Group(TyperGroup):
    """A group of commands, shown under the titles (``rich_help_panel``) that they were given."""

    def make_context(self, *arguments: Any, **more: Any) -> Any:
        """Leave when help, or the version, is what was asked."""
        return _left_at_help(super().make_context, *arguments, **more)

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        """Write how a command of the group is typed."""
        formatter.write_usage(ctx.command_path, "[OPTIONS] COMMANDE …", "Usage : ")

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write what all commands take, then the commands."""
        _write_parameters(self.get_params(ctx), formatter)
        titles: dict[str, list[tuple[str, str]]] = {}
        for name, command in self.commands.items():
            title = getattr(command, "rich_help_panel", None) or "Commandes"
            titles.setdefault(title, []).append((name, command.help or ""))
        for title, rows in titles.items():
            with formatter.section(title):
                formatter.write_dl(rows)


def _tell_places(ctx: Any) -> None:
    """Tell on the error stream which folders a command uses, of those that weren't typed."""
    for item in ctx.command.params:
        if item.name in _PLACES and ctx.get_parameter_source(item.name).name != "COMMANDLINE":
            print(f"resultats : {_PLACES[item.name]} {ctx.params[item.name]} (--{item.name})", file=sys.stderr)


def _left_at_help(make_context: Any, *arguments: Any, **more: Any) -> Any:
    try:
        return make_context(*arguments, **more)
    except typer.Exit as done:
        raise SystemExit(done.exit_code) from None


def _needed(parameters: list[Any]) -> Iterator[str]:
    """Yield the arguments, and the options that must be given, as they are typed."""
    for item in parameters:
        if item.param_type_name == "argument":
            yield item.metavar if item.required else f"[{item.metavar}]"
        elif item.required:
            yield f"{item.opts[-1]} {item.metavar}"


def _write_parameters(parameters: list[Any], formatter: Any) -> None:
    for kind, title in (("argument", "Arguments"), ("option", "Options")):
        rows = [
            (_typed(item), _HELP.get(item.name, item.help or "")) for item in parameters if item.param_type_name == kind
        ]
        if rows:
            with formatter.section(title):
                formatter.write_dl(rows)


def _typed(item: Any) -> str:
    names = [] if item.param_type_name == "argument" else [", ".join(sorted(item.opts, key=len))]
    return " ".join([*names, *([item.metavar] if item.metavar else [])])
