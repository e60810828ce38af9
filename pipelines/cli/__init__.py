"""``resultats …``: the pipeline for people without Dagster. Which commands there are, and what help says of each.

This is the one room of ``pipelines`` that joins the stages and calls ``assets``. It stays light so that help is
immediate: each command imports what it needs.
"""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli import (
    check_commands,
    explain_command,
    operator_commands,
    producers,
    publish_commands,
    releases,
    run_command,
    site_commands,
)
from pipelines.cli.door import listened
from pipelines.cli.french_help import Command, Group, PublicCommand, usage_fault

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Objects made between two searches for cycles: Python's 700 took a tenth of a run, which leaves few cycles behind it.
_NEW_OBJECTS = 20_000

_TREAT, _PRODUCERS, _PUBLISH, _OPERATE = "Traiter", "Producteurs", "Publier et vérifier", "Exploiter"
_ACCESS = (
    "Pour une plateforme, l'environnement donne la clé (RESULTATS_API_KEY, ou RESULTATS_API_KEY_FILE) "
    "et l'organisation (RESULTATS_ORGANIZATION). "
    "Code de sortie : 0 fait, 1 refusé, en attente d'un accord ou échoué, 2 mauvais usage."
)

app = typer.Typer(
    cls=Group,
    help="Résultats des services publics : contrôler les déclarations, traiter les exports, publier.",
    epilog="« resultats COMMANDE --help » dit tout d'une commande.",
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code (0 done, 1 refused, 2 broken declarations).

    Raises SystemExit after the help or the version (0), and of a command that was mistyped (2).
    """
    gc.set_threshold(_NEW_OBJECTS)
    with listened():
        try:
            code: int = app(arguments, prog_name="resultats", standalone_mode=False)
        except typer.TyperException as error:
            print(f"resultats : {usage_fault(error)} (aide : resultats … --help)", file=sys.stderr)
            raise SystemExit(error.exit_code) from None
    return code


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"resultats {version('resultats')}")
        raise typer.Exit


@app.callback()
def _root(
    detail: Annotated[bool, typer.Option("--detail", help="montrer le détail technique d'une erreur")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="dire la version du logiciel")
    ] = False,
) -> None:
    """Take what every command takes: the door reads it."""


def _add(
    command: Callable[..., int | None],
    title: str,
    told: str,
    epilog: str = "",
    *,
    public: bool = False,
    to: Any = app,
    name: str | None = None,
) -> None:
    """Add a command under a title of the help; ``public``: what it writes is for everybody."""
    kind = PublicCommand if public else Command
    to.command(name, cls=kind, help=told, epilog=epilog or None, rich_help_panel=title)(command)


_add(run_command.run, _TREAT, "traiter les exports : réception, validation, résultats, version, catalogue local")
_add(check_commands.check, _TREAT, "contrôler toutes les déclarations, toutes les erreurs d'un coup")
_add(check_commands.listing, _TREAT, "lister les réseaux, leurs années, exports et indicateurs", name="list")
_add(check_commands.editor_schemas, _TREAT, "écrire les JSON Schemas pour les éditeurs de YAML", public=True)
_add(
    explain_command.explain,
    _TREAT,
    "remonter d'un résultat publié à ses lignes sources, et le recalculer",
    "Code de sortie : 0 le recalcul confirme (ou la valeur est secrète), 1 il ne confirme pas, "
    "2 ligne introuvable ou mauvais usage.",
)
_add(
    producers.validate,
    _PRODUCERS,
    "contrôler un fichier : celui d'un export, ou tout fichier avec un Table Schema",
    "Code de sortie : 0 valide, 1 non valide, 2 illisible ou mauvais usage.",
)
_add(producers.template, _PRODUCERS, "écrire le modèle XLSX d'un export et son Table Schema", public=True)
_add(producers.door, _PRODUCERS, "servir la page où un fichier est contrôlé sans rien installer")
_add(publish_commands.plan, _PUBLISH, "montrer ce qu'une publication changerait, sans rien changer", _ACCESS)
_add(publish_commands.publish, _PUBLISH, "amener une cible à la dernière version, puis la relire", _ACCESS)
_add(
    site_commands.site,
    _PUBLISH,
    "écrire le site public d'une version publiée, les pages qui diffèrent seules",
    public=True,
)
_add(
    releases.verify,
    _PUBLISH,
    "prouver les versions publiées : empreintes, chaîne, journaux, fichiers reçus, et une version refaite",
    "Code de sortie : 0 tout est prouvé, 1 quelque chose ne l'est pas, 2 version inconnue ou mauvais usage.",
)
_add(
    site_commands.posters,
    _PUBLISH,
    "faire les affiches des guichets d'un réseau, en PDF, d'après une version",
    public=True,
)
_add(releases.rollback, _PUBLISH, "revenir à une version : une nouvelle version, avec ses tables et un motif")
_add(operator_commands.revisions, _PUBLISH, "révisions d'années closes : lister, accepter")
_add(operator_commands.status, _OPERATE, "dire ce qui est publié et où, ce qui est en retard, ce qui attend un accord")
_add(
    operator_commands.doctor,
    _OPERATE,
    "dire si tout est prêt : installation, stockage, instance, clés, horloge, services",
    "Code de sortie : 0 prêt (avertissements compris), 1 au moins une panne, 2 mauvais usage.",
)
_instance = typer.Typer(
    cls=Group, help="l'instance Dagster : préparer, reprendre après un arrêt, purger", rich_markup_mode=None
)
app.add_typer(_instance, name="instance", rich_help_panel=_OPERATE)
_add(
    operator_commands.prepare, "", "créer ou migrer le stockage, réparer un premier démarrage interrompu", to=_instance
)
_add(
    operator_commands.recover, "", "au démarrage du service : marquer en échec ce qui a été tué avec lui", to=_instance
)
_add(operator_commands.purge, "", "supprimer les traitements anciens, avec événements et journaux", to=_instance)
