"""Cross-file checks of what feeds an indicator: values, frequencies, exports of unlike levels, comparisons."""

from __future__ import annotations

import pytest
from changed_schemas import change

from pipelines.declarations import DeclarationError, load


@pytest.mark.parametrize(
    ("file", "before", "after", "said"),
    [
        (
            "indicators/nps.yml",
            "    export: enquete\n",
            "    export: enquete\n    frequency: month\n",
            "« month » impossible",
        ),
        (
            "indicators/taux-transparence.yml",
            "where: {id_indicateur: tx-transparence-resultats}",
            "where: {id_indicateur: 12}",
            "« 12 » n'est pas du type du champ id_indicateur (string)",
        ),
        (
            "indicators/actes-france-services.yml",
            "departement: {obtained: declared}",
            "departement: {obtained: declared, compare: sum}",
            "seules les mailles region et national",
        ),
        (
            "indicators/satisfaction-france-services.yml",
            "inputs: {value: valeur}",
            "inputs: {value: valeur}\n    where: {maille_source: [DEP]}",
            "« DEP » n'est pas une valeur du champ maille_source ; vouliez-vous dire « DEPT » ?",
        ),
    ],
)
def test_what_feeds_an_indicator_must_fit(schemas, file, before, after, said):
    change(schemas, file, before, after)
    with pytest.raises(DeclarationError) as refused:
        load(schemas)
    assert any(said in str(problem) and problem.file == file for problem in refused.value.problems), str(refused.value)


def test_exports_of_unlike_levels_do_not_feed_one_computed_indicator(schemas):
    path = schemas / "indicators" / "taux-transparence.yml"
    text = (
        path.read_text(encoding="utf-8")
        .replace("name: declared", "name: mean")
        .replace("year: declared", "year: pooled")
    )
    path.write_text(text.replace("obtained: declared", "obtained: pooled"), encoding="utf-8")
    with pytest.raises(DeclarationError, match="compteraient deux fois"):
        load(schemas)


def test_a_method_that_does_not_suit_the_estimator_is_told_at_its_line(schemas):
    file = "indicators/taux-transparence.yml"
    change(schemas, file, "region: {obtained: declared}", "region: {obtained: pooled}")
    with pytest.raises(DeclarationError) as refused:
        load(schemas)
    (problem,) = refused.value.problems
    line = (schemas / file).read_text(encoding="utf-8").splitlines()[problem.line - 1]
    assert problem.key == "levels.region"
    assert "region: {obtained: pooled}" in line
