"""What the data team is shown of the observations in Dagster: nothing that may be personal."""

from __future__ import annotations

import pytest

from pipelines.flow.preview_rows import shown_columns
from pipelines.validate import Finding, JudgedFile, judge
from pipelines.validate.personal import RULE

MADE_OF = {"Code": ["code", "_structure"], "Zone": ["zone", "_territoire"], "Valeur": ["valeur"]}


def shown(essai, *suspected):
    judged = essai.judge([essai.row()])
    judged.findings += [Finding(RULE, "Message.", "avertissement", 2, label) for label in suspected]
    export = essai.export
    verdict = judge(export, 2024, essai.acceptance, [JudgedFile("f.csv", "", judged)])
    columns = shown_columns(export, export.layouts[0], verdict)
    assert verdict.observations.head(5).select(columns).column_names == columns
    return columns


@pytest.mark.parametrize("label", MADE_OF)
def test_a_suspected_column_is_not_shown_nor_what_is_made_of_it(essai, label):
    assert set(shown(essai)) - set(shown(essai, label)) == set(MADE_OF[label])


def test_a_personal_period_is_not_shown(essai):
    fields = tuple(field.model_copy(update={"personal": field.name == "jour"}) for field in essai.export.fields)
    essai = type(essai)(**{**vars(essai), "export": essai.export.model_copy(update={"fields": fields})})
    assert not {"jour", "_periode"} & set(shown(essai))
