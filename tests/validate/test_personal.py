"""Personal data are known by form and by their check digits; their values go nowhere."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.mechanics.opened_files import Cells
from pipelines.validate import FileContext, protect, validate_file
from pipelines.validate.findings import MASKED
from pipelines.validate.personal import RULE, kinds

EMAIL, PHONE, NIR, IBAN = "adresse électronique", "numéro de téléphone", "numéro de sécurité sociale", "IBAN"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("écrire à jeanne.martin@example.org merci", [EMAIL]),
        ("J.M+avis@mail.univ-exemple.fr", [EMAIL]),
        ("pas une adresse : @example ou a@b", []),
        ("06 12 34 56 78", [PHONE]),
        ("rappeler au 0612345678.", [PHONE]),
        ("+33 6 12 34 56 78", [PHONE]),
        ("+33(0)6.12.34.56.78", [PHONE]),
        ("0033612345678", [PHONE]),
        ("06\u202f12\u202f34\u202f56\u202f78", [PHONE]),
        ("+262 692 12 34 56", [PHONE]),
        ("R0612345678", []),
        ("00 12 34 56 78", []),
        ("06123456789", []),
        ("le 06/12/2024 à 10 h", []),
        ("CAF30", []),
        ("D2022-00001", []),
        ("255081416802538", [NIR]),
        ("2 55 08 14 168 025 38", [NIR]),
        ("255081416802539", []),
        ("1 85 05 2A 123 456 33", [NIR]),
        ("1 85 05 2A 123 456 34", []),
        ("1 85 17 75 123 456 00", []),
        ("FR76 3000 6000 0112 3456 7890 189", [IBAN]),
        ("FR7630006000011234567890189", [IBAN]),
        ("virer sur FR76 3000 6000 0112 3456 7890 189 MERCI", [IBAN]),
        ("FR76 3000 6000 0112 3456 7890 188", []),
        ("DE89 3704 0044 0532 0130 00", [IBAN]),
        ("ZZ89 3704 0044 0532 0130 00", []),
        ("0141408E", []),
        ("2024-01-02 12:34:56", []),
    ],
)
def test_forms_and_check_digits(text, found):
    assert kinds(text) == found


def nir_key(number: str) -> str:
    return f"{97 - int(number.replace('2A', '19').replace('2B', '18')) % 97:02d}"


@given(
    st.sampled_from("12"), st.integers(0, 99), st.integers(1, 12), st.sampled_from(["75", "01", "2A", "2B", "99"]),
    st.integers(1, 999), st.integers(1, 999),
)  # fmt: skip
def test_every_right_nir_is_found_and_a_wrong_key_is_not(sex, year, month, place, town, order):
    number = f"{sex}{year:02d}{month:02d}{place}{town:03d}{order:03d}"
    key = nir_key(number)
    assert NIR in kinds(number + key)
    wrong = f"{(int(key) % 97) + 1:02d}"
    assert NIR not in kinds(number + wrong)


@given(st.text("0123456789", min_size=23, max_size=23))
def test_every_right_iban_is_found_and_a_wrong_key_is_not(account):
    rest = int("".join(str(int(sign, 36)) for sign in account + "FR00")) % 97
    key = 98 - rest
    assert IBAN in kinds(f"FR{key:02d}{account}")
    assert IBAN not in kinds(f"FR{(key - 1) % 97 + 2:02d}{account}")


def test_a_column_is_warned_of_once_a_row_without_its_values(lab):
    text = lab.header + "".join(
        f"{index};01/02/2024;30;4;secret@example.org;{remark}\n"
        for index, remark in enumerate(["rien", "marie@example.org", "06 12 34 56 78", "marie@example.org"])
    )
    verdict = lab.judged(text)
    found = [item for _, _, item in verdict.findings if item.rule == RULE]
    assert [(item.column, item.row, item.severity, item.value) for item in found] == [
        ("Remarque", row, "avertissement", "") for row in (3, 4, 5)
    ]
    assert verdict.state == "accepté" and not verdict.clean
    assert not re.search("marie|06 12|secret", repr(found))


def test_refused_rows_are_looked_at_too(lab):
    verdict = lab.judged(lab.header + "1;01/02/2024;30;9;;marie@example.org\n2;01/02/2024;30;4;;\n")
    assert [(item.column, item.row) for _, _, item in verdict.findings if item.rule == RULE] == [("Remarque", 2)]


def test_values_of_personal_columns_and_of_shifted_rows_are_masked(lab):
    text = lab.header + (
        "1;01/02/2024;30;4;MARQUEUR bien trop long pour la colonne;\n"
        "2;01/02/2024;30;MARQUEUR;un avis;MARQUEUR;\n"
        "3;01/02/2024;30;douze;court;\n"
        "4;01/02/2024;30;marie@example.org;court;\n"
        "5;MARQUEUR\n"
    )
    findings = [item for _, _, item in lab.judged(text).findings]
    assert "MARQUEUR" not in repr(findings)
    assert "marie" not in repr(findings)
    assert any(item.value == "douze" for item in findings)


def test_a_key_with_a_personal_column_is_masked(lab):
    export = lab.export.model_copy(update={"key": ("numero", "avis")})
    rows = [["MARQUEUR1", "01/02/2024", "30", "4", "MARQUEUR2", ""]] * 2
    cells = Cells(["N°", "Jour", "departement", "Note", "Avis", "Remarque"], [list(row) for row in rows], 2)
    judged = validate_file(cells, FileContext(export, lab.layout, lab.catalogue.territories, "x", 2024))
    (finding,) = protect(judged, export, lab.layout).findings
    assert (finding.rule, finding.column, finding.value) == ("primary-key", "N°, Avis", MASKED)
    assert not any("MARQUEUR2" in str(row) for row in judged.observations.table().to_pylist())


def test_a_file_without_its_header_shows_none_of_its_first_row(lab):
    verdict = lab.judged("1;01/02/2024;MARQUEUR;4;Aviss MARQUEUR;x\n2;01/02/2024;30;4;;\n")
    assert verdict.state == "rejeté"
    assert "MARQUEUR" not in repr(verdict.findings) + verdict.explanation
