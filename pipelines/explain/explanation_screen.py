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


def show(told: Mapping[str, Any]) -> None:
    """Print what ``explanation`` tells."""
    console = Console(highlight=False, markup=False, emoji=False)
    console.print(Text(f"{told['estimateur']['titre_indicateur']} ({told['resultat']['indicateur']})", "bold"))
    console.print(_place(told["resultat"]))
    console.print(_value(told))
    for title, lines in _sections(told):
        console.print(Text(title, "bold"))
        for line in lines:
            console.print(Padding(Text(line), (0, 0, 0, 2), expand=False))
    verdict = _VERDICTS[told["recalcul"]["accord"]]
    console.print(Text.assemble(verdict, f" : {' ; '.join(told['recalcul']['desaccords'])}".rstrip(" :")))


def _number(value: Any) -> str:
    return number(value) if isinstance(value, int | float) else str(value)


def _place(result: Mapping[str, Any]) -> Text:
    where = result["structure"] or result["structure_code"] or result["territoire"] or result["territoire_code"] or ""
    return Text(f"{result['reseau']}, {result['periode']}, {_LEVELS[result['maille']]} : {where}".rstrip(" :"))


def _value(told: Mapping[str, Any]) -> Text:
    result, absence = told["resultat"], told["absence"]
    if absence:
        return Text.assemble(("Aucune valeur publiée : ", "bold"), (str(absence["motif"]), "bold yellow"))
    unit = result["unite"]
    text = Text.assemble(("Valeur publiée : ", "bold"), (f"{_number(result['valeur'])} {unit}", "bold cyan"))
    if result["borne_basse"] is not None and result["borne_haute"] is not None:
        text.append(f", entre {_number(result['borne_basse'])} et {_number(result['borne_haute'])} (95 %)")
    if result["effectif"] is not None:
        text.append(f", effectif {_number(result['effectif'])}")
    return text


def _sections(told: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    if told["absence"]:
        yield "Pourquoi", [told["absence"]["definition"], *told["absence"]["details"]]
    yield "← Estimateur et entrées", list(_estimator(told["estimateur"]))
    yield "← Lignes", [*_sources(told["sources"]), *_outside(told["hors_de_la_base"])]
    corrections = [
        f"{item['declaration']} : {item['colonne']}, « {item['valeur_attendue']} » → "
        f"« {item['valeur_corrigee']} » ({item['raison']})"
        for item in told["corrections"]
    ]
    if corrections:
        yield "← Corrections", corrections
    yield (
        "← Déclarations",
        [
            f"schemas/{item['fichier']}:{item['ligne']} ({item['objet']}), sha256 {item['sha256'][:_SHORT]}…"
            for item in told["declarations"]
        ],
    )
    release = told["publication"]
    files = ", ".join(f"{item['fichier']} sha256 {item['sha256'][:_SHORT]}…" for item in release["fichiers"])
    first = release["premiere_parution"]
    yield "← Publication", [f"{release['jeu_de_donnees']} {release['version']} (ligne parue en {first}) ; {files}"]
    checked = told["recalcul"]
    named = ((_ARTICLE.sub("", FIGURES[name]), value) for name, value in checked["valeurs"].items())
    figures = ", ".join(f"{name} {_number(value)}" for name, value in named)
    yield "Recalcul", [line for line in (checked["methode"], figures, *checked["avertissements"]) if line]


def _estimator(told: Mapping[str, Any]) -> Iterator[str]:
    parameters = ", ".join(f"{name} = {value}" for name, value in told["parametres"].items())
    yield f"{told['titre']} ({told['nom']}{' : ' + parameters if parameters else ''}) ; {told['mode_obtention']}"
    for item in told["entrees"]:
        labels = " ou ".join(f"« {label} »" for label in item["en_tetes"])
        yield f"{item['entree']} : colonne {item['colonne']}{', en-tête ' + labels if labels else ''}"
    if told["lignes_retenues"]:
        kept = " ; ".join(f"{name} = {', '.join(map(str, values))}" for name, values in told["lignes_retenues"].items())
        yield f"lignes retenues : {kept}"
    if told["poids"] or told["calage"]:
        margins = ", ".join(item["colonne"] for item in told["calage"])
        yield f"pondération : {', '.join(told['poids']) or 'aucune'}{', calage sur ' + margins if margins else ''}"


def _sources(sources: list[Mapping[str, Any]]) -> Iterator[str]:
    for source in sources:
        if not source["fichiers"]:
            yield f"export {source['export']} : {source['etat']}"
        for file in source["fichiers"]:
            lines = f" : {_lines(file['lignes'])}" if file["lignes"] else ""
            yield f"{file['fichier']} (export {source['export']}, {source['etat']}){lines}"
            yield f"  sha256 {file['sha256']}"


def _outside(told: list[Mapping[str, Any]] | None) -> Iterator[str]:
    if told:
        reasons = [f"{item['libelle']} ({_number(item['nombre'])})" for item in told]
        yield f"hors de la base : {' ; '.join(reasons)}"


def _lines(told: Mapping[str, Any]) -> str:
    count = told["nombre"]
    if not count:
        return "aucune ligne dans la base"
    if count == 1:
        return f"ligne {told['premiere']}"
    if count <= _LISTED:
        return f"lignes {', '.join(map(str, told['numeros']))}"
    return f"{_number(count)} lignes, de la ligne {told['premiere']} à la ligne {told['derniere']}"
