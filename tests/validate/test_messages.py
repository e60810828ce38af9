"""The French catalogue is complete: frictionless's own errors and constraints, and every rule that the code emits."""

from __future__ import annotations

import ast
from pathlib import Path

import frictionless
import pytest
from frictionless import fields as frictionless_fields
from hypothesis import given
from hypothesis import strategies as st

from pipelines.compile.expected_cells import TYPE_WORDS, expected_words, right_example
from pipelines.compile.exports import field_descriptor
from pipelines.validate import messages
from pipelines.validate.findings import Finding

PROJECT = Path(__file__).resolve().parents[2]
CALLS = {"Finding", "_finding", "finding", "UnusableFileError"}


def error_types() -> set[str]:
    found, waiting = set(), [frictionless.Error]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        found.add(kind.type)
    return found - {"error"}


def constraint_kinds() -> set[str]:
    kinds = {kind for name in dir(frictionless_fields) if name.endswith("Field")
             for kind in getattr(frictionless_fields, name).supported_constraints}  # fmt: skip
    return kinds | {"unique"}


def emitted_rules() -> set[str]:
    """Every rule written in the code of reading, validation, flow and assets."""
    found = set()
    for room in ("pipelines/read", "pipelines/validate", "pipelines/flow", "assets"):
        for path in (PROJECT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                    first = node.args[0] if node.args else None
                    if name in CALLS and isinstance(first, ast.Constant):
                        found.add(first.value)
                if isinstance(node, ast.Dict):
                    found |= {value.value for key, value in zip(node.keys, node.values, strict=True)
                              if isinstance(key, ast.Constant) and key.value == "regle"
                              and isinstance(value, ast.Constant)}  # fmt: skip
    return found


def test_every_error_of_frictionless_is_in_the_catalogue():
    assert len(error_types()) > 50
    assert error_types() <= set(messages.rules())


def test_every_rule_that_the_code_emits_is_in_the_catalogue():
    assert {"territoire-inconnu", "encodage", "missing-label", "fichier-absent"} <= emitted_rules()
    assert emitted_rules() <= set(messages.rules())


def test_every_constraint_and_type_has_words():
    assert len(constraint_kinds()) > 8
    assert constraint_kinds() - {"jsonSchema"} == set(messages.constraints())
    types = {getattr(frictionless_fields, name).type for name in dir(frictionless_fields) if name.endswith("Field")}
    assert types <= set(TYPE_WORDS)


def test_texts_are_whole_sentences_and_titles_tell_constraints_apart():
    every = [*messages.rules().values(), *messages.constraints().values()]
    for message in every:
        for text in (message.title, message.why, message.mend):
            assert text.endswith("."), text
            assert text[0].isupper(), text
    stems = [message.title.rstrip(".") for message in messages.constraints().values()]
    assert not [(one, two) for one in stems for two in stems if one != two and two.startswith(one)]
    assert len(stems) == len(set(stems))


@pytest.mark.parametrize(
    ("kind", "constraint", "cell", "told"),
    [
        ("integer", {"minimum": 1}, "0", "La valeur est trop petite (au moins 1)."),
        ("integer", {"maximum": 5}, "9", "La valeur est trop grande (au plus 5)."),
        ("integer", {"required": True}, "", "La cellule est vide."),
        ("string", {"pattern": "CAF[0-9]+"}, "x", "La valeur n'a pas la forme attendue."),
        ("string", {"enum": ["Très bien", "Bien"]}, "x",
         "La valeur n'est pas dans la liste permise (valeurs permises : Très bien, Bien)."),
        ("string", {"minLength": 2}, "x", "Le texte est trop court (au moins 2 caractères)."),
        ("string", {"maxLength": 2}, "xyz", "Le texte est trop long (au plus 2 caractères)."),
    ],
)  # fmt: skip
def test_a_constraint_is_told_with_its_limit_and_known_again(kind, constraint, cell, told):
    field = frictionless.Field.from_descriptor({"name": "a", "type": kind, "constraints": constraint})
    (note,) = field.read_cell(cell)[1].values()
    finding = Finding("constraint-error", messages.sentence("constraint-error", note))
    assert finding.message == told
    (name,) = constraint
    assert messages.constraint_of(finding) == name
    assert messages.message_of(finding) == messages.constraints()[name]


def test_types_and_positions_are_told_in_french():
    assert "date écrite JJ/MM/AAAA" in messages.sentence("type-error", 'type is "date/%d/%m/%Y"')
    assert "nombre entier" in messages.sentence("type-error", 'type is "integer/default"')
    assert "ligne 12" in messages.sentence("unique-error", "the same as in the row at position 12")


@given(st.sampled_from(sorted(messages.rules())), st.text())
def test_any_note_gives_a_sentence(rule, note):
    assert messages.sentence(rule, note).endswith(".")


def test_every_shipped_column_has_a_right_example(catalogue):
    for name, network in catalogue.networks.items():
        for export in network.exports:
            for layout in export.layouts:
                for field in export.fields:
                    cell = right_example(field, layout, layout.years.last)
                    assert cell, (name, export.id, field.name)
                    judge = frictionless.Field.from_descriptor(field_descriptor(field, layout))
                    assert judge.read_cell(cell)[1] is None
                    assert expected_words(field, layout)
