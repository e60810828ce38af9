"""The texts that people read with a release: LISEZMOI.md, first sheet of the workbook. Nothing is counted here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.release.package import SYNTHETIC_MARK, release_title

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipelines.declarations import Dataset, Table

LICENCE_TEXT = "Licence Ouverte 2.0 (etalab-2.0) : réutilisation libre, en citant la source et la version."
LIMITS = (
    "Une cellule vide est une valeur absente, jamais un zéro ; la table resultats dit pourquoi dans motif_absence.",
    "Une moyenne simple de taux n'est pas le taux de l'ensemble : prendre la maille publiée, ou les sommes.",
    "Les réseaux ne mesurent pas tous la même chose : lire la définition avant de les comparer.",
    "Sans intervalle de confiance ni effectif, une différence faible entre deux valeurs ne prouve rien.",
    "Les codes de territoire, de structure et d'indicateur sont des textes : 01 n'est pas 1.",
)


def warning(synthetic: str | None) -> list[str]:
    """Return the lines that warn of invented data, none for real ones."""
    return [f"{SYNTHETIC_MARK} : {synthetic} Ne pas citer comme des résultats."] if synthetic else []


def introduction(dataset: Dataset, version: str, synthetic: str | None) -> list[str]:
    """Return the lines of the sheet « Lisez-moi »."""
    return [
        *warning(synthetic),
        f"Version {version}.",
        *(line for line in dataset.description.splitlines() if line.strip()),
        LICENCE_TEXT,
        f"Pour citer : {citation(dataset, version, synthetic)}",
        *LIMITS,
        "Les colonnes sont expliquées dans la feuille Dictionnaire.",
    ]


def citation(dataset: Dataset, version: str, synthetic: str | None) -> str:
    """Return the way to cite a release."""
    return f"{dataset.contact.name}, « {release_title(dataset, synthetic)} », version {version}, Licence Ouverte 2.0."


def readme(
    dataset: Dataset,
    version: str,
    tables: Mapping[str, Table],
    counts: Mapping[str, int],
    synthetic: str | None,
) -> str:
    """Return LISEZMOI.md."""
    mark = [f"> **{line}**" for line in warning(synthetic)]
    lines = [
        f"# {release_title(dataset, synthetic)}",
        *_paragraph(mark),
        "",
        f"Version {version}. Ce dossier ne change plus ; une correction fait une nouvelle version.",
        "",
        dataset.description.strip(),
        "",
        "## Tables",
        "",
        "| table | contenu | lignes | colonnes |",
        "| --- | --- | ---: | ---: |",
        *(f"| `{name}` | {table.title} | {counts[name]} | {len(table.columns)} |" for name, table in tables.items()),
        "",
        "Chaque table est en CSV (UTF-8, virgule, point décimal, dates AAAA-MM-JJ) et en Parquet.",
        "`resultats.xlsx` les réunit toutes, avec le dictionnaire.",
        "`dictionnaire.csv` explique chaque colonne, `datapackage.json` les décrit aux logiciels (Data Package).",
        "`SHA256SUMS` permet de vérifier les fichiers : `sha256sum -c SHA256SUMS`.",
        "",
        "## Licence",
        "",
        LICENCE_TEXT,
        "",
        "## Citer",
        "",
        citation(dataset, version, synthetic),
        "",
        "## Limites",
        "",
        *(f"- {limit}" for limit in LIMITS),
        "",
        f"Contact : {dataset.contact.name}, {dataset.contact.email}",
    ]
    return "\n".join(lines) + "\n"


def _paragraph(lines: Sequence[str]) -> list[str]:
    return ["", *lines] if lines else []
