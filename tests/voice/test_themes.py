"""Lemmas with their denials, the examples of the declared themes, and how a pattern is read."""

import re
import shutil

import pytest
import yaml

from pipelines.cli import main
from pipelines.voice.lemmas import as_written, lemmas, normalised
from pipelines.voice.themes import example_faults, expressions


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("On ne m'a jamais rappelé.", ["jamais_rappeler"]),
        ("Aucune réponse à mes mails", ["aucun_réponse", "courriel"]),
        ("Personne ne répond au téléphone", ["personne_répondre", "téléphone"]),
        ("Le standard ne répond pas.", ["standard", "pas_répondre"]),
        ("Je n'arrive pas à joindre un agent", ["pas_joindre", "agent"]),
        ("Plus rapide que prévu", ["rapide", "prévoir"]),
        ("Vous êtes injoignables, délais arrêtés", ["injoignable", "délai", "arrêter"]),
        ("J'ai écrit à [courriel] sans succès", ["écrit", "sans_succès"]),
    ],
)
def test_what_is_denied_is_one_lemma(text, told):
    assert lemmas(text) == told


def test_the_declared_examples_hold(catalogue):
    assert list(example_faults(catalogue.themes)) == []
    assert 25 <= sum(len(family.themes) for family in catalogue.themes.values()) <= 35


def test_a_theme_is_found_whatever_the_accents_and_the_signs(catalogue):
    pattern = re.compile(expressions(catalogue.themes)["sans-reponse"])
    for text in ("Aucune réponse !", "AUCUNE REPONSE", "aucune  reponse", "Aucune réponse"):
        assert pattern.search(as_written(lemmas(normalised(text))))
    assert not pattern.search(as_written(lemmas(normalised("Merci pour votre réponse"))))


def test_an_example_that_does_not_hold_is_told_with_its_line(schemas, capsys):
    path = schemas / "themes" / "simplicite.yml"
    declared = yaml.safe_load(path.read_text(encoding="utf-8"))
    declared["themes"]["procuration"]["examples"]["left"].append("Ma procuration est prête.")
    path.write_text(yaml.safe_dump(declared, allow_unicode=True, sort_keys=False), encoding="utf-8")
    assert main(["check", "--schemas", str(schemas)]) == 1
    told = capsys.readouterr().err
    assert "themes/simplicite.yml:" in told and "Ma procuration est prête." in told and "procuration" in told


def test_a_wrong_network_and_a_label_twice_are_told(schemas, capsys):
    path = schemas / "references" / "typologies.yml"
    text = path.read_text(encoding="utf-8").replace("network: caf\n", "network: caff\n")
    path.write_text(text.replace("labels: [Urssaf]", "labels: [Urssaf, C.A.F, caf]"), encoding="utf-8")
    assert main(["check", "--schemas", str(schemas)]) == 1
    told = capsys.readouterr().err
    assert "réseau « caff » inconnu" in told and "« caf » est déjà un intitulé de « caf »" in told


def test_texts_of_users_are_not_declared_in_a_network(schemas, capsys):
    path = schemas / "networks" / "caf.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("kind: survey", "kind: experiences", 1), encoding="utf-8")
    assert main(["check", "--schemas", str(schemas)]) == 1
    assert "des textes d'usagers se déclarent dans experiences/" in capsys.readouterr().err


def test_without_experiences_no_typology_is_needed(schemas):
    shutil.rmtree(schemas / "experiences")
    (schemas / "references" / "typologies.yml").unlink()
    assert main(["check", "--schemas", str(schemas)]) == 0
