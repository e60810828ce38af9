"""Between files: every name that a file uses is declared in the other, and faults are told where they are written."""

from __future__ import annotations

import pytest
from changed_schemas import INDICATOR as RATE
from changed_schemas import change, problems, with_one_indicator

from pipelines.declarations import load

CAF_NAME = "{name: caf_nom, label: CAF, example: CAF du Gard}"
CAF, PREF, GN = "networks/caf.yml", "networks/prefectures.yml", "networks/gendarmerie.yml"
UNIVERSITIES = "networks/universites.yml"
DATASET = "datasets/resultats-services-publics.yml"


@pytest.fixture
def schemas(schemas, monkeypatch):
    return with_one_indicator(schemas, monkeypatch)


def told(schemas):
    return [(item.file, item.key, item.message) for item in problems(schemas)]


def assert_told(schemas, file, key, *words):
    found = told(schemas)
    where = [message for where, at, message in found if (where, at) == (file, key)]
    assert any(all(word in message for word in words) for message in where), found


# file, text, faulty text, key, words of the message
FAULTS = [
    # networks
    (CAF, "- id: telephone", "- id: enquete", "exports", ["export « enquete » déclaré 2 fois"]),
    (PREF, "years: 2022-2024\n", "years: 2022-2024\nprovisional_years: [2025]\n", "provisional_years",
     ["2025 n'est pas une année attendue (2022-2024)"]),
    (PREF, "years: 2022-2024\n", "years: 2022-2024\nclosed_until: 2021\n", "closed_until",
     ["2021 n'est pas une année attendue (2022-2024)"]),
    (PREF, "years: 2022-2024\n", "years: 2022-2024\nclosed_until: 2023\nprovisional_years: [2023]\n",
     "provisional_years", ["2023 est close"]),
    (PREF, "name: prefecture_nom", "name: prefecture_code", "exports.0.fields", ["champ « prefecture_code »"]),
    (CAF, "period: {field: date_reponse", "period: {field: date_reponce", "exports.0.period.field",
     ["champ « date_reponce » inconnu", "vouliez-vous dire « date_reponse »", "déclarés : "]),
    (CAF, "territory: {field: departement", "territory: {field: dept", "exports.0.territory.field", ["« dept »"]),
    (GN, "level: {field: maille_source", "level: {field: maille", "exports.0.level.field", ["« maille »"]),
    (CAF, "structure: {code: caf_code", "structure: {code: caf", "exports.0.structure.code", ["« caf »"]),
    (CAF, "code: caf_code, name: caf_nom", "code: caf_code, name: nom", "exports.0.structure.name", ["« nom »"]),
    (CAF, "weight: poids", "weight: satisfaction", "exports.0.weight", ["doit être un nombre", "pas string"]),
    (CAF, "weight: poids", "weight: masse", "exports.0.weight", ["« masse »"]),
    (CAF, "key: [reponse]", "key: [reponse, numero]", "exports.0.key.1", ["« numero »"]),
    (CAF, "note_demarche: {optional: true}", "note_site: {optional: true}", "exports.0.layouts.0.fields.note_site",
     ["« note_site » inconnu"]),
    (CAF, "weight: poids", "weight: poids\n    ignore: [{blank: [vide], why: essai}]", "exports.0.ignore.0.vide",
     ["« vide »"]),
    (CAF, CAF_NAME, '{name: caf_nom, label: CAF, missingValues: ["", ns], absences: {ns: bruit}}',
     "exports.0.fields.4.absences.ns", ["motif d'absence « bruit » inconnu", "secret-statistique"]),
    (CAF, CAF_NAME, "{name: caf_nom, label: CAF, absences: {ns: non-significatif}}",
     "exports.0.fields.4.absences.ns", ["« ns » doit aussi figurer dans missingValues du champ caf_nom"]),
    (CAF, CAF_NAME, "{name: caf_nom, label: Code CAF}", "exports.0.layouts.0",
     ["en-tête « Code CAF » déclaré 2 fois"]),
    (CAF, "{years: 2023, path: \"caf/enquete", "{years: 2022-2023, path: \"caf/enquete", "exports.0.layouts",
     ["2 layouts se disputent l'année 2022"]),
    (CAF, "{years: 2023, path: \"caf/enquete", "{years: 2021, path: \"caf/enquete", "exports.0.layouts",
     ["l'année 2021 n'est pas attendue de ce réseau (2022-2024)"]),
    (CAF, 'delimiter: ";"', "sheet: Feuille", "exports.0.layouts.0.sheet", ["pas de sens pour un fichier csv"]),
    (PREF, "prefectures/resultats-{year}.csv", "prefectures/resultats.csv", "exports.0.layouts.0",
     ["plusieurs années demande « period.field »"]),
    (PREF, "    territory: {field: departement, codes: departement}\n    level: site", "    level: departement",
     "exports.0", ["demandent « territory »"]),
    (PREF, "    structure: {code: prefecture_code, name: prefecture_nom}\n", "", "exports.0",
     ["demandent « structure »"]),
    # indicators
    (RATE, "engagement: joignabilite", "engagement: joignabilites", "engagement",
     ["engagement « joignabilites » inconnu", "« joignabilite »"]),
    (RATE, "  caf:\n", "  caff:\n", "networks.caff", ["réseau « caff » inconnu", "« caf »"]),
    (RATE, "export: telephone", "export: telefone", "networks.caf.export", ["export « telefone » inconnu"]),
    (RATE, "export: telephone", "export: [telephone, autre]", "networks.caf.export", ["export « autre » inconnu"]),
    (RATE, "denominator: appels_presentes", "denominator: appels", "networks.caf.inputs.denominator",
     ["champ de l'export telephone « appels » inconnu"]),
    (RATE, "denominator: appels_presentes", "denominateur: appels_presentes", "networks.caf.inputs.denominateur",
     ["entrée « denominateur » inconnu", "« denominator »"]),
    (RATE, "numerator: appels_traites", "numerator: mois", "networks.caf.inputs.numerator",
     ["l'entrée numerator demande un nombre", "mois est du type date"]),
    (RATE, ", denominator: appels_presentes", "", "networks.caf.inputs", ["demande l'entrée « denominator »"]),
    (RATE, "where: {maille_source: DEP}", "where: {maille: DEP}", "networks.gendarmerie.where.maille", ["« maille »"]),
    (RATE, "    targets: [{year: 2022", "    years: 2020-2023\n    targets: [{year: 2022", "networks.caf.years",
     ["2020 n'est pas attendue"]),
    (RATE, "levels: {departement: {obtained: ratio_of_sums}", "levels: {site: {obtained: ratio_of_sums}",
     "networks.caf.levels", ["la maille site est plus fine que les lignes de l'export telephone (departement)"]),
    (RATE, "    levels: {departement: {obtained: ratio_of_sums}, region: {obtained: ratio_of_sums}, "
     "national: {obtained: ratio_of_sums}}\n", "", "levels.site", ["la maille site est plus fine"]),
    (RATE, "    targets: [{year: 2022", "    breaks: [{year: 2030, why: essai}]\n    targets: [{year: 2022",
     "networks.caf.breaks.0", ["2030 n'est pas attendue de ce réseau (2022-2024)"]),
    (CAF, "solicited: {2022: 6000", "solicited: {2021: 6000", "exports.0.solicited",
     ["2021 n'est pas une année d'enquête de l'export enquete"]),
    (PREF, "acceptance:", "poster: {indicators: [taux-decroches]}\nacceptance:", "poster.indicators.0",
     ["indicateur « taux-decroches » inconnu", "vouliez-vous dire « taux-decroche »"]),
    (UNIVERSITIES, "acceptance:", "poster: {indicators: [taux-decroche]}\nacceptance:", "poster.indicators.0",
     ["indicateur « taux-decroche » inconnu", "déclarés : aucun"]),
    (PREF, "acceptance:", "poster: {indicators: [taux-decroche, taux-decroche]}\nacceptance:",
     "poster.indicators",
     ["indicateur « taux-decroche » déclaré 2 fois"]),
    (PREF, "acceptance:", "poster: {indicators: [taux-decroche], orientation: paysage}\nacceptance:",
     "poster.orientation",
     ["« paysage » n'est pas permis", "portrait' ou 'landscape"]),
    (CAF, "finest_level: departement", "finest_level: site\nposter: {indicators: [taux-decroche]}",
     "poster.indicators.0",
     ["« taux-decroche » n'a pas de résultat à la maille site", "departement"]),
    (DATASET, "site: https://", "site: ", "site", ["n'a pas la forme attendue"]),
    # published
    ("tables/reseaux.yml", "key: [reseau]", "key: [reso]", "key.0", ["colonne « reso » inconnu"]),
    (DATASET, "tables: [resultats,", "tables: [resultat,", "tables.0", ["table « resultat » inconnu", "« resultats »"]),
    (DATASET, "main_table: resultats", "main_table: resultat", "main_table", ["table « resultat » inconnu"]),
    (DATASET, "where: {frequence: [annuelle]}", "where: {frequense: [annuelle]}",
     "layout.resultats.parts.0.where", ["colonne « frequense » inconnu", "« frequence »"]),
    (DATASET, "name: resultats-annuels", "name: annuels",
     "layout.resultats.parts.0.name", ["commence par celui de sa table, resultats"]),
    (DATASET, "layout:\n  resultats:\n", "layout:\n  resultat:\n",
     "layout.resultat", ["table « resultat » inconnu"]),
    (DATASET, "\nhistorical:",
     "\nexplanations: [{after: 1.0.0, kind: révision, reason: x, networks: [caff]}]\nhistorical:",
     "explanations.0.networks.0", ["réseau « caff » inconnu", "« caf »"]),
    (DATASET, "first: [valeur]", "first: [valeurs]", "historical.columns.10.first.0", ["colonne « valeurs » inconnu"]),
    (DATASET, "column: typologie", "column: typo", "historical.columns.2.lookup.column", ["colonne « typo » inconnu"]),
    (DATASET, "first_day_of: periode", "first: [periode]\n      join: [periode]", "historical.columns.7",
     ["une seule origine par colonne"]),
    # references
    ("references/territoires.yml", '[region, "02", "Martinique', '[region, "01", "Martinique', "territoires.2",
     ["territoire « region 01 » déclaré 2 fois"]),
    ("references/territoires.yml", '"Bas-Rhin", département, "42", null, 2015', '"Bas-Rhin", dép., "42", null, 2016',
     "territoires.151", ["territoire « departement 67 » déclaré 2 fois"]),
    ("references/territoires.yml", '"Bas-Rhin", département, "42", null, 2015', '"Bas-Rhin", dép., "44", null, 2015',
     "territoires.150", ["région « 44 » absente de la liste ces années-là"]),
    ("references/territoires.yml", '"Ain", département, "84"', '"Ain", département, "85"', "territories.36",
     ["région « 85 » absente de la liste"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "old", "new", "key", "words"), FAULTS, ids=[f"{item[3]}-{index}" for index, item in enumerate(FAULTS)]
)
def test_a_fault_between_files_is_told(schemas, file, old, new, key, words):
    change(schemas, file, old, new)
    assert_told(schemas, file, key.replace("territoires", "territories"), *words)


TABLE = """\
title: Essai
description: Table d'essai
key: [a]
columns:
  - {name: a, title: A, description: A, type: string}
  - {name: a, title: A, description: A, type: string}
foreignKeys:
  - {fields: [b], table: reseaux, references: [reseau]}
  - {fields: [a], table: reso, references: [reseau]}
  - {fields: [a], table: reseaux, references: [code]}
"""


def test_the_keys_of_a_table(schemas):
    (schemas / "tables" / "essai.yml").write_text(TABLE)
    assert [(key, message.split(" ;")[0]) for _, key, message in told(schemas)] == [
        ("columns", "colonne « a » déclaré 2 fois"),
        ("foreignKeys.0.fields", "colonne « b » inconnu"),
        ("foreignKeys.1.table", "table « reso » inconnu"),
        ("foreignKeys.2.references", "colonne « code » inconnu"),
    ]


CORRECTION = """\
corrections:
  - export: {export}
    year: {year}
    where: {{{where}: R2022-00001}}
    field: {field}
    expected: "11"
    value: "10"
    reason: Faute de frappe confirmée par la caisse
    date: 2024-05-02
"""


def correct(schemas, network="caf", export="enquete", year=2022, where="reponse", field="recommandation"):
    text = CORRECTION.format(export=export, year=year, where=where, field=field)
    (schemas / "corrections").mkdir(exist_ok=True)
    (schemas / "corrections" / f"{network}.yml").write_text(text)


def test_a_correction_is_read(schemas):
    correct(schemas)
    found = load(schemas).corrections["caf"]
    assert [(item.field, item.value, item.status) for item in found] == [("recommandation", "10", "confirmed")]


@pytest.mark.parametrize(
    ("change_", "key", "message"),
    [
        ({"network": "cafe"}, "", "réseau « cafe » inconnu"),
        ({"export": "sondage"}, "corrections.0.export", "export « sondage » inconnu"),
        ({"year": 2019}, "corrections.0.year", "2019 n'est pas attendue"),
        ({"field": "nps"}, "corrections.0", "champ de l'export enquete « nps » inconnu"),
        ({"where": "numero"}, "corrections.0", "champ de l'export enquete « numero » inconnu"),
    ],
)
def test_a_correction_names_what_is_declared(schemas, change_, key, message):
    correct(schemas, **change_)
    assert_told(schemas, f"corrections/{change_.get('network', 'caf')}.yml", key, message)


def test_a_broken_network_is_not_blamed_on_those_who_use_it(schemas):
    correct(schemas)
    (schemas / CAF).write_text("titre: x\n")
    assert {file for file, _, _ in told(schemas)} == {CAF}


def test_a_broken_table_is_not_blamed_on_the_dataset(schemas):
    (schemas / "tables" / "reseaux.yml").write_text("titre: x\n")
    (schemas / "tables" / "essai.yml").write_text(TABLE.replace("[b]", "[a]").replace("reso,", "reseaux,"))
    assert {file for file, _, _ in told(schemas)} == {"tables/reseaux.yml", "tables/essai.yml"}


def test_what_the_models_refuse_and_what_does_not_hold_are_told_together(schemas):
    change(schemas, PREF, "kind: values", "kind: sondage")
    change(schemas, RATE, "engagement: joignabilite", "engagement: rien")
    assert {file for file, _, _ in told(schemas)} == {PREF, RATE}
