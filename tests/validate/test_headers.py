"""The header against the declaration: any order, any spaces; what is missing proposes its mend."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.mechanics.spelling import one_writing
from pipelines.validate.findings import Finding
from pipelines.validate.personal import masked


def test_the_order_of_columns_does_not_matter(essai):
    header = essai.header[::-1]
    straight, turned = essai.judge([essai.row()]), essai.judge([essai.row()[::-1]], header)
    assert straight.observations.table().equals(turned.observations.table())
    assert turned.findings == []


def test_spaces_and_accents_of_labels_are_forgiven(essai):
    header = [f" {label.replace('Valeur', ' Valeur ')}\u00a0" for label in essai.header]
    assert essai.judge([essai.row()], header).usable
    fields = [{"name": "code", "label": "Unité de l'été"}]
    decomposed = unicodedata.normalize("NFD", "Unité  de\u202fl'été")
    judged = essai.judge(
        [["1"]], [decomposed], fields=fields, key=[], period={}, territory=None, level="national", structure=None
    )
    assert judged.usable
    assert judged.observations.table().column("code").to_pylist() == ["1"]


@given(st.text(max_size=20))
def test_a_label_is_written_in_one_way(text):
    assert one_writing(one_writing(text)) == one_writing(text)
    assert one_writing(f"  {text}\t") == one_writing(text)


def test_a_missing_column_proposes_the_line_to_write(essai):
    header = [label.replace("Valeur", "Valeurs 2024") for label in essai.header]
    judged = essai.judge([essai.row()], header)
    assert not judged.usable
    assert judged.observations.num_rows == 0
    missing, unknown = judged.findings
    assert (missing.rule, missing.severity, missing.column) == ("missing-label", "erreur", "Valeur")
    assert "Une colonne « Valeurs 2024 » y ressemble." in missing.message
    assert missing.declare == 'valeur: {label: "Valeurs 2024"}'
    assert "layout" not in missing.message
    assert (unknown.rule, unknown.severity, unknown.column) == ("extra-label", "avertissement", "Valeurs 2024")


def test_a_missing_column_that_nothing_resembles(essai):
    (finding,) = essai.judge([["S1"] * 5], essai.header[:-1]).findings
    assert "y ressemble" not in finding.message
    assert finding.declare == 'valeur: {label: "le nouvel en-tête"}'


def test_the_only_unknown_column_may_be_the_missing_one(essai):
    found = essai.judge([essai.row()], [*essai.header[:-1], "Taux"]).findings
    assert "La colonne « Taux », qui n'est pas attendue, est peut-être la même." in found[0].message
    assert found[0].declare == 'valeur: {label: "Taux"}'
    two = essai.judge([["S1"] * 6], [*essai.header[:3], "Taux", *essai.header[4:-1], "Territoire"]).findings
    assert "Taux" not in two[0].message + two[1].message


def test_an_unreadable_label_is_never_proposed(essai):
    fields = [{"name": "code", "label": "Référence"}, {"name": "jour", "label": "Jour"}]
    rest = {"key": [], "period": {}, "territory": None, "level": "national", "structure": None}
    found = essai.judge([["1", "2"]], ["RÃ©fÃ©rence", "Jour"], fields=fields, **rest).findings
    assert [item.rule for item in found] == ["encodage"]
    found = essai.judge([["1", "2"]], ["RÃ©fÃ©rences", "Jour"], fields=fields, **rest).findings
    assert found[0].column == "Référence"
    assert "Ã" not in found[0].message + found[0].declare


@pytest.mark.parametrize(("sign", "told"), [("|", "« | »"), (",", "« , »"), ("\t", "une tabulation")])
def test_the_wrong_separator_is_all_that_is_told(essai, sign, told):
    export, layout = essai.export, essai.export.layouts[0]
    judged = essai.judge([[sign.join(essai.row())]], [sign.join(essai.header)])
    message = f"Le fichier n'a qu'une colonne : ses cellules semblent séparées par {told}, alors que « ; » est attendu."
    assert [(item.rule, item.message) for item in masked(judged.findings, export, layout)] == [("separateur", message)]
    assert not judged.usable


def test_a_title_is_not_taken_for_a_header_with_another_separator(essai):
    judged = essai.judge([], ["Valeur, année 2024 | essai"])
    assert "separateur" not in {item.rule for item in judged.findings}


def test_every_missing_column_is_told(essai):
    judged = essai.judge([], ["x"])
    assert [item.column for item in judged.findings if item.rule == "missing-label" and item.column] == [
        label for label in essai.header if label != "Nom"
    ]


def test_an_optional_column_may_be_missing(essai):
    header, row = essai.header[:4] + essai.header[5:], essai.row()[:4] + essai.row()[5:]
    judged = essai.judge([row], header)
    assert judged.findings == []
    assert judged.observations.table().column("nom").to_pylist() == [None]
    assert not essai.judge([row], header, layout={"fields": {"nom": {"optional": False}}}).usable


def test_a_layout_may_change_labels_and_need(essai):
    layout = {"fields": {"valeur": {"label": "Taux", "optional": True}}}
    assert essai.judge([essai.row()], [*essai.header[:-1], "Taux"], layout=layout).findings == []
    judged = essai.judge([essai.row()[:-1]], essai.header[:-1], layout=layout)
    assert judged.usable
    assert judged.observations.table().column("_absence_valeur").to_pylist() == [None]


def test_an_unknown_column_is_a_warning_and_its_cells_are_free(essai):
    judged = essai.judge([[*essai.row(), "n'importe quoi"]], [*essai.header, "Remarque"])
    assert essai.told(judged) == [("extra-label", None, "Remarque")]
    assert judged.usable
    assert judged.observations.num_rows == 1
    assert "Remarque" not in judged.observations.table().column_names


def test_a_column_twice_makes_the_file_unusable(essai):
    judged = essai.judge([[*essai.row(), "2"]], [*essai.header, " Valeur"])
    assert essai.told(judged) == [("duplicate-label", None, "Valeur")]
    assert not judged.usable


def test_an_unknown_column_twice_is_only_unknown(essai):
    judged = essai.judge([[*essai.row(), "1", "2"]], [*essai.header, "x", "x"])
    assert [item.rule for item in judged.findings] == ["extra-label"] * 2
    assert judged.usable


def test_a_column_without_label_is_a_warning(essai):
    judged = essai.judge([[*essai.row(), "1"]], [*essai.header, "  "])
    assert [(item.rule, item.severity) for item in judged.findings] == [("blank-label", "avertissement")]
    assert judged.observations.num_rows == 1


def test_what_is_masked_twice_says_the_same(catalogue):
    name = next(iter(catalogue.experiences))
    export = next(item for item in catalogue.networks[name].exports if item.kind == "experiences")
    layout = export.layouts[0]
    finding = Finding("extra-label", "Une colonne n'est pas déclarée.", "avertissement", column="M. Durand a dit")
    (once,) = masked([finding], export, layout)
    assert "Durand" not in once.message
    assert "15 signes" in once.message
    assert masked([once], export, layout) == [once]
