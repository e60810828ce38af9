"""How a release is reused, in words: LISEZMOI.md, first sheet of the workbook, reuse page, what each file is, code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipelines.compile.dictionary import dictionary_rows
from pipelines.declarations import Catalogue, Dataset, Table
from pipelines.mechanics.french import counted
from pipelines.release import history
from pipelines.release.changelog import known_versions
from pipelines.release.data_package import SYNTHETIC_MARK, release_title
from pipelines.release.table_parts import TableFile

TEMPLATES = Path(__file__).parent / "templates"
REUSE = "reutiliser.md"
INVENTED = "Ces données sont inventées."
LICENCE_TEXT = "Licence Ouverte 2.0 (etalab-2.0) : réutilisation libre, en citant la source et la version."
LIMITS = (
    "Une cellule vide est une valeur absente, jamais un zéro ; la table resultats dit pourquoi dans motif_absence.",
    "Une moyenne simple de taux n'est pas le taux de l'ensemble : prendre la maille publiée, ou les sommes.",
    "Les réseaux ne mesurent pas tous la même chose : lire la définition avant de les comparer.",
    "Sans intervalle de confiance ni effectif, une différence faible entre deux valeurs ne prouve rien.",
    "Les codes de territoire, de structure et d'indicateur sont des textes : 01 n'est pas 1.",
)
EXCEL_STEPS = (
    "Télécharger et ouvrir resultats.xlsx, dont les filtres sont déjà posés.",
    "Lire la feuille « Lisez-moi », puis « Dictionnaire » pour le sens des colonnes.",
    "Ne pas ouvrir le CSV par un double clic, Excel y perdrait les zéros des codes : passer par Données, « À partir "
    "d'un fichier texte/CSV », et choisir le type Texte pour les codes.",
)
# What the files that are no table are: title and description.
DOCUMENTS: Mapping[str, tuple[str, str]] = {
    "resultats.xlsx": (
        "Classeur pour tableur (XLSX)",
        "À ouvrir dans un tableur : sa première feuille dit ce qu'il contient, le dictionnaire explique les colonnes.",
    ),
    "resultats-format-historique.csv": (
        "Résultats, colonnes du format historique (CSV)",
        "Mêmes résultats sous les noms de colonnes d'origine, pour les réutilisations existantes.",
    ),
    "dictionnaire.csv": (
        "Dictionnaire des colonnes (CSV)",
        "Nom, titre, description, type et contraintes de chaque colonne de chaque table.",
    ),
    "journal.csv": (
        "Journal de la dernière version (CSV)",
        "Chaque cellule qui a changé depuis la version précédente : avant, après, nature et motif.",
    ),
    "versions.csv": (
        "Liste des versions (CSV)",
        "Toutes les versions publiées : nature, motif, lignes ajoutées, retirées et modifiées, empreinte.",
    ),
    "CHANGELOG.md": ("Changements, version par version", "Ce que chaque version a changé, et pourquoi."),
    "LISEZMOI.md": ("Lisez-moi", "Contenu, limites, licence et façon de citer."),
    "datapackage.json": (
        "Descripteur Data Package (JSON)",
        "Tables, colonnes, sources, licence et empreintes, lisibles par un logiciel (Data Package v2).",
    ),
}
PARQUET = "Mêmes lignes et colonnes que le fichier CSV, typées et compressées, pour Python, R ou DuckDB."
SCHEMA = "Colonnes, types et contraintes, pour vérifier un fichier (Table Schema v1)."
CODES = ("periode", "territoire_code", "structure_code")  # columns of figures that are no numbers


@dataclass(frozen=True)
class Example:
    """Code that reads the main table: what it is written in, as people and as Markdown name it."""

    title: str
    language: str
    code: str


def workbook_text(dataset: Dataset) -> str:
    """Say what the workbook of a dataset holds."""
    if dataset.workbook is None:
        return "toutes les tables, une feuille chacune, et le dictionnaire des colonnes"
    years = counted(dataset.workbook.years, "dernière année", "dernières années")
    return f"les résultats annuels ({years} au plus) en toutes lettres, face au national, et les listes"


def examples(main: history.ReleasedPart, address: str) -> tuple[Example, ...]:
    """Return code that reads a CSV of the main table, at an address, codes as the texts that they are."""
    kinds = (("Python (pandas)", "python", "py"), ("R", "r", "r"), ("DuckDB (SQL)", "sql", "sql"))
    codes = [name for name in CODES if name in main.columns]
    mixed = main.name == main.table and "frequence" in main.columns
    examples = []
    for title, language, ending in kinds:
        template = _templates().get_template(f"example.{ending}.txt")
        examples.append(Example(title, language, template.render(file=address, codes=codes, mixed=mixed).strip()))
    return tuple(examples)


def warning(synthetic: str | None) -> list[str]:
    """Return the lines that warn of invented data, none for real ones."""
    return [f"{SYNTHETIC_MARK} : {synthetic} Ne pas citer comme des résultats."] if synthetic else []


def citation(owner: str, title: str, version: str) -> str:
    """Return the way to cite a release."""
    return f"{owner}, « {title} », version {version}, Licence Ouverte 2.0."


def introduction(dataset: Dataset, version: str, synthetic: str | None) -> list[str]:
    """Return the lines of the sheet « Lisez-moi »."""
    return [
        *warning(synthetic),
        f"Version {version}.",
        *(line for line in dataset.description.splitlines() if line.strip()),
        LICENCE_TEXT,
        f"Pour citer : {_citation(dataset, version, synthetic)}",
        *LIMITS,
        "Les colonnes sont expliquées dans la feuille Dictionnaire.",
    ]


def readme(
    dataset: Dataset,
    version: str,
    tables: Mapping[str, Table],
    parts: Sequence[tuple[TableFile, int]],
    synthetic: str | None,
) -> str:
    """Return LISEZMOI.md; ``parts``: what there is to read of the ``tables``, each with its rows."""
    return (
        _templates()
        .get_template("readme.md")
        .render(
            title=release_title(dataset, synthetic),
            warning=warning(synthetic),
            version=version,
            dataset=dataset,
            tables=tables,
            parts=parts,
            workbook=workbook_text(dataset),
            licence=LICENCE_TEXT,
            citation=_citation(dataset, version, synthetic),
            limits=LIMITS,
        )
    )


def reuse_page(catalogue: Catalogue, dataset_id: str, release: Path, *, address: Callable[[str], str]) -> str:
    """Return the reuse page, in Markdown, of the release in that folder.

    ``address`` gives the permalink of a file of the latest release, empty when the target doesn't hold it.
    """
    dataset, descriptor = catalogue.datasets[dataset_id], history.descriptor(release)
    parts = history.released_parts(release)
    invented = INVENTED if descriptor.get("synthetic") else None
    released = {part.table for part in parts}
    declared = {table: catalogue.tables[table] for table in dataset.tables if table in released}
    main = next(part for part in parts if part.table == dataset.main_table)
    return (
        _templates()
        .get_template("reuse.md")
        .render(
            dataset=dataset,
            title=descriptor["title"],
            version=release.name,
            synthetic=invented,
            tables=declared,
            parts=parts,
            columns={table: dictionary_rows({table: declared[table]}) for table in declared},
            history=known_versions(release.parent.parent, dataset_id)[::-1],
            licence=LICENCE_TEXT,
            limits=LIMITS,
            citation=_citation(dataset, release.name, invented),
            address=address,
            examples=examples(main, address(main.csv[-1])),
            excel=EXCEL_STEPS,
            workbook=workbook_text(dataset),
        )
    )


def _citation(dataset: Dataset, version: str, synthetic: str | None) -> str:
    return citation(dataset.contact.name, release_title(dataset, synthetic), version)


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters["cell"] = lambda text: " ".join(text.split()).replace("|", "\\|")  # of a Markdown table
    return templates
