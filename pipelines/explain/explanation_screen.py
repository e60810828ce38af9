"""An explanation for the terminal: one screen, in French, from the value back to its sources."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from pipelines.explain.published_row import FIGURES
from pipelines.mechanics.french import number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LISTED = 12
_SHORT = 12  # characters of a hash: enough to recognise a file; the JSON has them all
_LEVELS = {"national": "national", "region": "région", "departement": "département", "site": "site"}
_VERDICTS = {True: ("ACCORD", "bold green"), False: ("DÉSACCORD", "bold red"), None: ("NON COMPARÉ", "bold yellow")}
_ARTICLE = re.compile("^(la |le |l')")


def show(explained: Mapping[str, Any]) -> None:
    """Print what ``explanation`` tells."""
    console = Console(highlight=False, markup=False, emoji=False)
    console.print(
        Text(f"{explained['estimateur']['titre_indicateur']} ({explained['resultat']['indicateur']})", "bold")
    )
    console.print(_place(explained["resultat"]))
    console.print(_value(explained))
    for title, lines in _sections(explained):
        console.print(Text(title, "bold"))
        for line in lines:
            console.print(Padding(Text(line), (0, 0, 0, 2), expand=False))
    verdict = _VERDICTS[explained["recalcul"]["accord"]]
    console.print(Text.assemble(verdict, f" : {' ; '.join(explained['recalcul']['desaccords'])}".rstrip(" :")))


def _number(value: Any) -> str:
    return number(value) if isinstance(value, int | float) else str(value)


def _place(result: Mapping[str, Any]) -> Text:
    where = result["structure"] or result["structure_code"] or result["territoire"] or result["territoire_code"] or ""
    return Text(f"{result['reseau']}, {result['periode']}, {_LEVELS[result['maille']]} : {where}".rstrip(" :"))


def _value(explained: Mapping[str, Any]) -> Text:
    result, absence = explained["resultat"], explained["absence"]
    if absence:
        return Text.assemble(("Aucune valeur publiée : ", "bold"), (str(absence["motif"]), "bold yellow"))
    unit = result["unite"]
    text = Text.assemble(("Valeur publiée : ", "bold"), (f"{_number(result['valeur'])} {unit}", "bold cyan"))
    if result["borne_basse"] is not None and result["borne_haute"] is not None:
        text.append(f", entre {_number(result['borne_basse'])} et {_number(result['borne_haute'])} (95 %)")
    if result["effectif"] is not None:
        text.append(f", effectif {_number(result['effectif'])}")
    return text


def _sections(explained: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    if explained["absence"]:
        yield "Pourquoi", [explained["absence"]["definition"], *explained["absence"]["details"]]
    yield "← Estimateur et entrées", list(_estimator(explained["estimateur"]))
    yield "← Lignes", [*_sources(explained["sources"]), *_outside(explained["hors_de_la_base"])]
    corrections = [
        f"{part['declaration']} : {part['colonne']}, « {part['valeur_attendue']} » → "
        f"« {part['valeur_corrigee']} » ({part['raison']})"
        for part in explained["corrections"]
    ]
    if corrections:
        yield "← Corrections", corrections
    yield (
        "← Déclarations",
        [
            f"schemas/{part['fichier']}:{part['ligne']} ({part['objet']}), sha256 {part['sha256'][:_SHORT]}…"
            for part in explained["declarations"]
        ],
    )
    release = explained["publication"]
    files = ", ".join(f"{part['fichier']} sha256 {part['sha256'][:_SHORT]}…" for part in release["fichiers"])
    first = release["premiere_parution"]
    yield "← Publication", [f"{release['jeu_de_donnees']} {release['version']} (ligne parue en {first}) ; {files}"]
    checked = explained["recalcul"]
    named = ((_ARTICLE.sub("", FIGURES[name]), value) for name, value in checked["valeurs"].items())
    figures = ", ".join(f"{name} {_number(value)}" for name, value in named)
    yield "Recalcul", [line for line in (checked["methode"], figures, *checked["avertissements"]) if line]


def _estimator(method: Mapping[str, Any]) -> Iterator[str]:
    parameters = ", ".join(f"{name} = {value}" for name, value in method["parametres"].items())
    yield f"{method['titre']} ({method['nom']}{' : ' + parameters if parameters else ''}) ; {method['mode_obtention']}"
    for entry in method["entrees"]:
        labels = " ou ".join(f"« {label} »" for label in entry["en_tetes"])
        yield f"{entry['entree']} : colonne {entry['colonne']}{', en-tête ' + labels if labels else ''}"
    if method["lignes_retenues"]:
        conditions = " ; ".join(
            f"{name} = {', '.join(map(str, values))}" for name, values in method["lignes_retenues"].items()
        )
        yield f"lignes retenues : {conditions}"
    if method["poids"] or method["calage"]:
        margins = ", ".join(entry["colonne"] for entry in method["calage"])
        yield f"pondération : {', '.join(method['poids']) or 'aucune'}{', calage sur ' + margins if margins else ''}"


def _sources(sources: list[Mapping[str, Any]]) -> Iterator[str]:
    for source in sources:
        if not source["fichiers"]:
            yield f"export {source['export']} : {source['etat']}"
        for file in source["fichiers"]:
            lines = f" : {_lines(file['lignes'])}" if file["lignes"] else ""
            yield f"{file['fichier']} (export {source['export']}, {source['etat']}){lines}"
            yield f"  sha256 {file['sha256']}"


def _outside(counts: list[Mapping[str, Any]] | None) -> Iterator[str]:
    if counts:
        reasons = [f"{reason['libelle']} ({_number(reason['nombre'])})" for reason in counts]
        yield f"hors de la base : {' ; '.join(reasons)}"


def _lines(lines: Mapping[str, Any]) -> str:
    count = lines["nombre"]
    if not count:
        return "aucune ligne dans la base"
    if count == 1:
        return f"ligne {lines['premiere']}"
    if count <= _LISTED:
        return f"lignes {', '.join(map(str, lines['numeros']))}"
    return f"{_number(count)} lignes, de la ligne {lines['premiere']} à la ligne {lines['derniere']}"
