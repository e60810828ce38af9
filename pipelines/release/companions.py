"""The tables that go with every release and tell of it: journal, list of versions. Declared here, filled elsewhere."""

from __future__ import annotations

from pipelines.compile.dictionary import DICTIONARY
from pipelines.declarations import Column, Table
from pipelines.declarations.base import Constraints
from pipelines.release.reasons import NATURES

HIDDEN = "(secret)"
DATASET_ITSELF, KEY_ITSELF = "datapackage", "primaryKey"  # neither can be the name of a table or of a column

_REQUIRED = Constraints(required=True)
JOURNAL = Table(
    title="Journal des différences",
    description="Ce qui diffère de la version précédente : une ligne par cellule changée, par ligne ou colonne ajoutée "
    "ou retirée. Une table nouvelle tient en une ligne.",
    key=("table", "cle", "colonne"),
    columns=(
        Column(
            name="table",
            title="Table",
            description=f"Nom de la table ; {DATASET_ITSELF} pour le jeu de données entier.",
            type="string",
            constraints=_REQUIRED,
        ),
        Column(
            name="cle",
            title="Clé",
            description="Clé de la ligne, en JSON. Vide quand le changement porte sur la table ou sur une colonne.",
            type="string",
        ),
        Column(
            name="colonne",
            title="Colonne",
            description=f"Colonne qui change ; {KEY_ITSELF} pour la clé. Vide pour une ligne entière ou pour la table.",
            type="string",
        ),
        Column(
            name="avant",
            title="Avant",
            description="Cellule dans la version précédente, ou cellules remplies de la ligne retirée (JSON). "
            f"{HIDDEN} quand la ligne est désormais couverte par le secret.",
            type="string",
        ),
        Column(
            name="apres",
            title="Après",
            description="Cellule dans cette version, ou cellules remplies de la ligne ajoutée (JSON).",
            type="string",
        ),
        Column(
            name="nature",
            title="Nature",
            description="ajout, retrait, révision (prévue : donnée reçue, méthode, fichier remplacé), correction "
            "(d'une erreur), définition (textes et règles) ou inexpliqué.",
            type="string",
            constraints=Constraints(required=True, enum=NATURES),
        ),
        Column(
            name="motif",
            title="Motif",
            description="Pourquoi, en une phrase.",
            type="string",
            constraints=_REQUIRED,
        ),
    ),
)  # fmt: skip

KINDS = ("première", "majeure", "mineure", "corrective")
VERSIONS = Table(
    title="Versions",
    description="Toutes les versions du jeu de données, celle-ci comprise, de la première à la dernière.",
    key=("rang",),
    columns=(
        Column(
            name="rang",
            title="Rang",
            description="1 pour la première version.",
            type="integer",
            constraints=Constraints(required=True, minimum=1),
        ),
        Column(name="version", title="Version", description="Numéro de version.", type="string", constraints=_REQUIRED),
        Column(
            name="precedente",
            title="Version précédente",
            description="Version à laquelle celle-ci est comparée. Vide pour la première.",
            type="string",
        ),
        Column(
            name="nature",
            title="Nature",
            description="première ; majeure (tables ou colonnes retirées ou changées) ; mineure (lignes, colonnes ou "
            "tables ajoutées, lignes retirées) ; corrective (valeurs ou textes changés).",
            type="string",
            constraints=Constraints(required=True, enum=KINDS),
        ),
        Column(name="motif", title="Motif", description="Ce qui a fait cette version.", type="string"),
        Column(
            name="lignes_ajoutees",
            title="Lignes ajoutées",
            description="Toutes tables ensemble. Vide quand la version ne l'a pas consigné.",
            type="integer",
        ),
        Column(name="lignes_retirees", title="Lignes retirées", description="De même.", type="integer"),
        Column(name="lignes_modifiees", title="Lignes modifiées", description="De même.", type="integer"),
        Column(
            name="date_donnees",
            title="Date des données",
            description="Dernière date d'extraction (à défaut, de référence) des données de la version.",
            type="date",
        ),
        Column(
            name="contenu",
            title="Empreinte du contenu",
            description="Ce qui décide si quelque chose a changé (contentHash de datapackage.json).",
            type="string",
        ),
        Column(
            name="sha256",
            title="Empreinte de la version",
            description="SHA-256 de son fichier SHA256SUMS. Vide pour la dernière : elle est écrite dans la suivante.",
            type="string",
        ),
    ),
)  # fmt: skip

COMPANIONS = {"dictionnaire": DICTIONARY, "journal": JOURNAL, "versions": VERSIONS}
