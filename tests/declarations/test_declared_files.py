"""One file at a time: what a declaration may say, and how a fault is told (file, line, key, what is allowed)."""

from __future__ import annotations

import pytest
from changed_schemas import INDICATOR, change, problems, with_one_indicator

from pipelines.declarations import DeclarationError, load
from pipelines.declarations.strict_model import Constraints, Years

NETWORK = "networks/prefectures.yml"


@pytest.fixture
def schemas(schemas, monkeypatch):
    return with_one_indicator(schemas, monkeypatch)


def only_problem(schemas):
    found = problems(schemas)
    assert len(found) == 1, [str(item) for item in found]
    return found[0]


# file, text, faulty text, key, words of the message
FAULTS = [
    (NETWORK, "finest_level:", "finest_levle:", "finest_levle", ["clé inconnue", "« finest_level »", "clés permises"]),
    (NETWORK, "title: Préfectures\n", "", "title", ["clé obligatoire absente"]),
    (NETWORK, "kind: values", "kind: sondage", "exports.0.kind", ["« sondage »", "survey", "operations", "values"]),
    (NETWORK, "title: Préfectures", "title: 12", "title", ["texte attendu", "« 12 »", "guillemets"]),
    (NETWORK, "title: Préfectures", "title:", "title", ["texte attendu", "rien"]),
    (NETWORK, "title: Préfectures", 'title: ""', "title", ["texte trop court"]),
    (NETWORK, "years: 2022-2024", "years: 2024-2022", "years", ["la dernière année (2022) précède la première (2024)"]),
    (NETWORK, "years: 2022-2024", "years: depuis 2022", "years", ["2022-2024 ou 2022"]),
    (NETWORK, "years: 2022-2024", "years: 1999-2024", "years.first", ["« 1999 »", "2000"]),
    (NETWORK, "years: 2022-2024", "years: 2022-2999", "years.last", ["« 2999 »", "2100"]),
    (NETWORK, 'due: "03-31"', 'due: "31/03"', "due", ["« 31/03 » n'a pas la forme attendue"]),
    (NETWORK, "max_refused_share: 0.05", "max_refused_share: 5", "acceptance.max_refused_share", ["maximum 1"]),
    (NETWORK, "max_refused_share: 0.05", "max_refused_share: peu", "acceptance.max_refused_share", ["nombre attendu"]),
    (NETWORK, "acceptance:\n", "acceptance: 1\nsuite:\n", "acceptance", ["bloc de clés attendu"]),
    (NETWORK, "key: [prefecture_code]", "key: prefecture_code", "exports.0.key", ["liste attendue"]),
    (NETWORK, "{name: prefecture_nom,", "{name: Préfecture,", "exports.0.fields.1.name", ["forme attendue"]),
    (NETWORK, "\n    level: site", "\n    level: commune", "exports.0.level.otherwise", ["« commune »", "region"]),
    (NETWORK, "\n    level: site", "\n    level: {field: departement}", "exports.0.level", ["vont ensemble"]),
    (NETWORK, "\n    level: site", "\n    level: {}", "exports.0.level", ["indiquer une maille"]),
    (NETWORK, "\n    level: site", "\n    level: 12", "exports.0.level", ["bloc de clés attendu, trouvé « 12 »"]),
    (NETWORK, "extracted: 2023-02-15", "extracted: 15/02/2023", "exports.0.layouts.0.extracted", ["AAAA-MM-JJ"]),
    (NETWORK, 'delimiter: ";"', 'delimiter: ";;"', "exports.0.layouts.0.delimiter", ["texte trop long"]),
    (NETWORK, 'delimiter: ";"', "skipRows: -1", "exports.0.layouts.0.skipRows", ["minimum 0"]),
    (NETWORK, 'delimiter: ";"', "headerRows: deux", "exports.0.layouts.0.headerRows", ["nombre entier attendu"]),
    (NETWORK, "constraints: {required: true", "constraints: {required: peut-être",
     "exports.0.fields.0.constraints.required", ["true ou false"]),
    (NETWORK, "prefectures/resultats-{year}.csv", "../{year}.csv", "exports.0.layouts.0.path", ["sous la racine"]),
    (NETWORK, "prefectures/resultats-{year}.csv", "/data/{year}.csv", "exports.0.layouts.0.path", ["sous la racine"]),
    (NETWORK, "prefectures/resultats-{year}.csv", "s3://x/{year}", "exports.0.layouts.0.path", ["sous la racine"]),
    (NETWORK, 'format: "%d/%m/%Y"', "format: any", "exports.1.fields.0", ["le mois avant le jour"]),
    (INDICATOR, "{name: ratio, factor: 100}", "{name: ratio, facteur: 100}", "estimator.facteur",
     ["clé inconnue", "« factor »", "clés permises : name, factor"]),
    (INDICATOR, "{name: ratio, factor: 100}", "{name: rapport}", "estimator", ["« rapport »", "'ratio'"]),
    (INDICATOR, "{name: ratio, factor: 100}", "{factor: 100}", "estimator", ["il manque « name »"]),
    (INDICATOR, "{name: ratio, factor: 100}", "{name: ratio, factor: 0}", "estimator.factor", ["0"]),
    (INDICATOR, "year: ratio_of_sums", "year: last", "year", ["« last » ne convient pas à l'estimateur ratio"]),
    (INDICATOR, "site: {obtained: ratio_of_sums}", "site: {obtained: pooled}", "levels.site",
     ["« pooled » ne convient pas", "ratio_of_sums"]),
    (INDICATOR, "site: {obtained: ratio_of_sums}", "site: {obtained: ratio_of_sums, compare: sum}", "levels.site",
     ["compare n'a de sens"]),
    (INDICATOR, "decimals: 1", "decimals: 7", "decimals", ["maximum 6"]),
    (INDICATOR, "direction: higher", "direction: up", "direction", ["« up »", "'higher'"]),
    (INDICATOR, "    inputs: {numerator", "    colonnes: {}\n    inputs: {numerator", "networks.caf.colonnes",
     ["clé inconnue", "export, inputs, where"]),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "key", "words"), FAULTS, ids=[f"{f[2][:30]}" for f in FAULTS])
def test_a_fault_is_told_where_it_is(schemas, file, old, new, key, words):
    line = change(schemas, file, old, new)
    told = [item for item in problems(schemas) if item.file == file and item.key == key]
    assert len(told) == 1, [str(item) for item in problems(schemas)]
    for word in words:
        assert word in told[0].message
    if key and "absente" not in told[0].message and "\n" not in old:
        written = told[0].key.split(".")[-1]
        assert abs(told[0].line - line) <= (0 if written in new else 12)


@pytest.mark.parametrize(
    ("estimator", "year", "message"),
    [
        ("{name: share, favourable: [a, b], among: [a, b]}", "pooled", "une partie (pas le tout) de among"),
        ("{name: share, favourable: [c], among: [a, b]}", "pooled", "une partie (pas le tout) de among"),
        ("{name: share, favourable: [], among: [a]}", "pooled", "1 élément au moins"),
        ("{name: top_box, scale: [5, 1], top: 2}", "pooled", "la note la plus basse d'abord"),
        ("{name: ces, scale: [1, 7], best: yes}", "pooled", "'low' ou 'high'"),
        ("{name: score, points: [{answer: a, points: 1}]}", "pooled", "2 éléments au moins"),
    ],
)
def test_an_estimator_is_declared_whole(schemas, estimator, year, message):
    change(schemas, INDICATOR, "{name: ratio, factor: 100}", estimator)
    assert any(message in item.message for item in problems(schemas))


def test_a_syntax_error_and_a_twin_key_say_their_line(schemas):
    (schemas / NETWORK).write_text("title: a\ntitle: b\n")
    (schemas / INDICATOR).write_text("title: [a\n")
    told = {(item.file, item.line): item.message for item in problems(schemas)}
    assert told[NETWORK, 2] == "clé « title » écrite deux fois"
    assert told[INDICATOR, 2].startswith("YAML illisible")


def test_a_file_that_holds_no_block_is_refused(schemas):
    (schemas / NETWORK).write_text("- a\n- b\n")
    assert [item.message[:20] for item in problems(schemas)] == ["bloc de clés attendu"]


def test_a_file_that_is_not_utf8_is_refused(schemas):
    (schemas / NETWORK).write_bytes("title: Préfectures\n".encode("cp1252"))
    assert only_problem(schemas).message == "le fichier n'est pas en UTF-8 (octet 9)"


def test_a_file_name_is_an_identifier(schemas):
    (schemas / NETWORK).rename(schemas / "networks" / "Préfectures.yml")
    assert any("minuscules sans accent" in item.message for item in problems(schemas))


def test_the_extension_is_yml(schemas):
    (schemas / "networks" / "neuf.yaml").write_text("title: x\n")
    assert str(only_problem(schemas)) == "networks/neuf.yaml:1: l'extension attendue est .yml"


@pytest.mark.parametrize("name", ["territoires", "motifs", "engagements", "qualite"])
def test_a_reference_is_needed(schemas, name):
    (schemas / "references" / f"{name}.yml").unlink()
    assert str(only_problem(schemas)) == f"references/{name}.yml:1: fichier absent"


def test_a_territory_row_is_checked(schemas):
    change(schemas, "references/territoires.yml", '[departement, "01", ', '[departement, "1", ')
    change(schemas, "references/territoires.yml", "[national, FR, France, pays]", "France")
    told = problems(schemas)
    assert any("« 1 » n'a pas la forme attendue" in item.message for item in told)
    assert any("bloc de clés attendu, trouvé « France »" in item.message for item in told)


@pytest.mark.parametrize("folder", ["networks", "indicators"])
def test_an_empty_folder_is_refused(schemas, folder):
    for path in (schemas / folder).glob("*.yml"):
        path.unlink()
    assert f"{folder}:1: aucune déclaration dans ce dossier" in [str(item) for item in problems(schemas)]


def test_an_absent_folder_is_refused(tmp_path):
    problem = only_problem(tmp_path / "absent")
    assert problem.message == f"dossier de déclarations absent : {tmp_path / 'absent'}"


def test_all_files_are_told_at_once_in_order(schemas):
    change(schemas, NETWORK, "finest_level:", "finest_levle:")
    change(schemas, INDICATOR, "decimals: 1", "decimals: beaucoup")
    change(schemas, "tables/reseaux.yml", "type: string", "type: texte")
    change(schemas, "datasets/resultats-services-publics.yml", "licence: lov2", "licence: libre")
    told = problems(schemas)
    assert list(told) == sorted(told)
    assert {item.file for item in told} == {
        NETWORK,
        INDICATOR,
        "tables/reseaux.yml",
        "datasets/resultats-services-publics.yml",
    }
    with pytest.raises(DeclarationError) as refused:
        load(schemas)
    assert str(refused.value) == "\n".join(str(item) for item in told)


def test_years_as_they_are_written():
    assert list(Years.model_validate("2022-2024")) == [2022, 2023, 2024]
    assert str(Years.model_validate("2022 - 2024")) == "2022-2024"
    assert str(Years.model_validate(2022)) == "2022"
    assert 2023 in Years.model_validate("2022-2024")
    assert "2023" not in Years.model_validate("2022-2024")


def test_constraints_say_only_what_is_declared():
    assert Constraints().descriptor() == {}
    declared = Constraints.model_validate({"required": True, "minLength": 0, "enum": ["a", 1]})
    assert declared.descriptor() == {"required": True, "minLength": 0, "enum": ["a", 1]}
