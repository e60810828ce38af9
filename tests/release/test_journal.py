"""The journal says everything that differs, with its reason, and can be replayed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pytest
from fixtures.made_results import DATASET
from hypothesis import given
from hypothesis import strategies as st

from pipelines.declarations import Catalogue, load
from pipelines.declarations.datasets import Explanation
from pipelines.declarations.references import AbsenceReason
from pipelines.release.difference import ReleaseDifference, TableState, release_difference
from pipelines.release.inputs import Inputs, ReceivedFile, Reception, inputs_of
from pipelines.release.journal import journal, misled
from pipelines.release.reasons import Reason, Reasons

CELLS = st.sampled_from(["", "1", "2", "a,b", '"', "-3.5", "é\n"])
COLUMNS = st.lists(st.sampled_from(["annee", "reseau", "valeur", "motif"]), unique=True, max_size=4)


def state(columns: list[str], rows: dict[tuple[str, str], list[str]], types: str = "string") -> TableState:
    names = ["cle", "autre_cle", *columns, "version_publication"]
    schema = {"fields": [{"name": name, "type": types} for name in names], "primaryKey": ["cle", "autre_cle"]}
    return TableState(schema, table(names, [(*key, *cells, "1.0.0") for key, cells in rows.items()]))


def table(names: list[str], rows: list[tuple[str, ...]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    return pa.table([pa.array(column, pa.string()) for column in columns], names=names)


def of_row(row: dict[str, str]) -> TableState:
    fields = [{"name": name, "type": "string"} for name in row]
    return TableState({"fields": fields, "primaryKey": []}, table(list(row), [tuple(row.values())]))


def rows_of(state: TableState) -> dict[tuple[str, ...], dict[str, str]]:
    """Return the rows by key, without the column of versions."""
    return {
        tuple(row[name] for name in state.key): {name: row[name] for name in row if name != "version_publication"}
        for row in state.records()
    }


def written(
    difference: ReleaseDifference, old: dict[str, TableState], new: dict[str, TableState], reasons: Reasons
) -> list[dict[str, str]]:
    return journal(difference, old, new, reasons).to_pylist()


def replay(old: dict[str, TableState], lines: list[dict[str, str]]) -> dict[str, dict[tuple[str, ...], dict[str, str]]]:
    """Return the rows that a journal makes of the old ones, without the columns that it says come or go."""
    gone = {(line["table"], line["colonne"]) for line in lines if not line["cle"] and line["nature"] == "retrait"}
    gone |= {(line["table"], "") for line in lines if line["colonne"] == "primaryKey"}
    tables = {
        name: {
            key: {column: cell for column, cell in row.items() if (name, column) not in gone}
            for key, row in rows_of(state).items()
        }
        for name, state in old.items()
        if (name, "") not in gone
    }
    for line in lines:
        if not line["cle"] or line["table"] not in tables:
            continue
        rows, key = tables[line["table"]], tuple(json.loads(line["cle"]).values())
        kept = [name for name in old[line["table"]].types if (line["table"], name) not in gone]
        if line["colonne"]:
            assert line["avant"] in (rows[key].get(line["colonne"]), "(secret)"), line
            rows[key][line["colonne"]] = line["apres"]
        elif line["apres"]:
            assert key not in rows, line
            rows[key] = filled(line["apres"], kept)
        else:
            assert rows.pop(key) == filled(line["avant"], kept), line
    return tables


def filled(cells: str, columns: list[str]) -> dict[str, str]:
    return {name: json.loads(cells).get(name, "") for name in columns if name != "version_publication"}


def common_rows(state: TableState, columns: Any) -> dict[tuple[str, ...], dict[str, str]]:
    return {key: {name: row[name] for name in row if name in columns} for key, row in rows_of(state).items()}


@st.composite
def states(draw: st.DrawFn) -> TableState:
    columns = draw(COLUMNS)
    keys = st.tuples(st.sampled_from("ab"), st.sampled_from(["", "x", 'é"']))
    cells = st.lists(CELLS, min_size=len(columns), max_size=len(columns))
    return state(columns, draw(st.dictionaries(keys, cells)))


RELEASES = st.dictionaries(st.sampled_from(["t", "u", "v"]), states())


@given(old=RELEASES, new=RELEASES)
def test_the_journal_applied_to_the_old_tables_gives_the_new_ones(
    catalogue: Catalogue, old: dict[str, TableState], new: dict[str, TableState]
) -> None:
    difference = release_difference(old, new)
    lines = written(difference, old, new, Reasons(catalogue, DATASET))
    keys = [(line["table"], line["cle"], line["colonne"]) for line in lines]
    assert keys == sorted(set(keys))
    replayed = replay(old, lines)
    assert misled(difference, old, new, journal(difference, old, new, Reasons(catalogue, DATASET))) == []
    assert replayed.keys() == {name for name in old.keys() & new.keys() if old[name].key == new[name].key}
    for name, rows in replayed.items():
        columns = old[name].types.keys() & new[name].types.keys() - {"version_publication"}
        assert rows == common_rows(new[name], columns)


def test_a_journal_that_starts_from_other_rows_is_refused(catalogue: Catalogue) -> None:
    old, new = {"t": state(["valeur"], {("a", ""): ["1"]})}, {"t": state(["valeur"], {("a", ""): ["2"]})}
    lines = journal(release_difference(old, new), old, new, Reasons(catalogue, DATASET))
    assert misled(release_difference(old, new), old, new, lines) == []
    other = {"t": state(["valeur"], {("a", ""): ["3"]})}
    assert misled(release_difference(other, new), other, new, lines) == ["t"]


def test_what_becomes_secret_is_not_said_again(catalogue: Catalogue) -> None:
    names = ["valeur", "effectif", "statut_confidentialite"]
    old = {"t": state(names, {("a", ""): ["12.5", "8", "F"], ("b", ""): ["3", "40", "F"]})}
    new = {"t": state(names, {("a", ""): ["", "", "A"], ("b", ""): ["", "41", "F"]})}
    lines = written(release_difference(old, new), old, new, Reasons(catalogue, DATASET))
    told = {(line["cle"][8], line["colonne"]): line["avant"] for line in lines}
    assert told == {
        ("a", "valeur"): "(secret)", ("a", "effectif"): "(secret)", ("a", "statut_confidentialite"): "F",
        ("b", "valeur"): "3", ("b", "effectif"): "40",
    }  # fmt: skip
    assert replay(old, lines)["t"] == common_rows(new["t"], ["cle", "autre_cle", *names])


def test_a_changed_key_is_one_line(catalogue: Catalogue) -> None:
    old = {"t": state(["valeur"], {("a", ""): ["1"]})}
    new = {"t": TableState(dict(old["t"].schema) | {"primaryKey": ["cle"]}, old["t"].data)}
    lines = written(release_difference(old, new), old, new, Reasons(catalogue, DATASET))
    assert [(line["colonne"], line["avant"], line["apres"]) for line in lines] == [
        ("", "", ""),
        ("primaryKey", "cle, autre_cle", "cle"),
    ]
    assert replay(old, lines) == {}


def received(sha256: str | None, year: int = 2024, **declarations: str) -> Inputs:
    files = (ReceivedFile("enquete", f"caf/{year}.csv", sha256),) if sha256 else ()
    return Inputs((Reception("caf", year, files),), {"networks/caf": "1"} | declarations, "a" * 64, "c")


ROW = {"reseau": "caf", "annee": "2024", "periode": "2024", "indicateur": "nps"}
SAME = received("0")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (SAME, SAME, ("inexpliqué", "Aucune cause trouvée dans les fichiers, les corrections et les déclarations.")),
        (received(None), SAME, ("révision", "Données reçues depuis la version précédente : caf/2024.csv.")),
        (SAME, received("1"), ("révision", "Fichier remplacé par le réseau : caf/2024.csv.")),
        (SAME, received(None), ("révision", "Fichier retiré par le réseau : caf/2024.csv.")),
        (SAME, received("0", **{"networks/caf": "2"}), ("révision", "Déclaration changée : networks/caf.")),
        (SAME, received("0", **{"networks/urssaf": "2"}), ("inexpliqué", None)),
        (SAME, received("0", **{"indicators/nps": "2"}), ("révision", "Déclaration changée : indicators/nps.")),
        (SAME, received("0", **{"indicators/csat": "2"}), ("inexpliqué", None)),
        (SAME, replace(SAME, code="d"), ("inexpliqué", "Aucune cause trouvée dans les fichiers, les corrections et les "
         "déclarations ; le code de calcul a changé.")),
        (received("0", 2023), received("1", 2023), ("inexpliqué", None)),
        (None, SAME, ("inexpliqué", "Aucune cause trouvée : l'une des deux versions ne dit pas de quels fichiers elle "
         "vient.")),
    ],
)  # fmt: skip
def test_causes_are_found_in_what_was_received_and_declared(
    catalogue: Catalogue, old: Inputs | None, new: Inputs, reason: tuple[str, str | None]
) -> None:
    found = Reasons(catalogue, DATASET, inputs=(old, new)).of("resultats", ROW)
    assert found.nature == reason[0]
    assert reason[1] in (None, found.text)


def change(column: str, before: str, after: str) -> dict[str, tuple[str, str]]:
    return {column: (before, after)}


def test_a_comparison_moves_with_the_year_it_looks_at(catalogue: Catalogue) -> None:
    reasons = Reasons(catalogue, DATASET, inputs=(received("0", 2023), received("1", 2023)))
    found = reasons.of("resultats", ROW, change("evolution", "1", "2"))
    assert found == Reason("révision", "Comparaison avec 2023, où : fichier remplacé par le réseau : caf/2023.csv.")
    assert reasons.of("resultats", ROW, change("valeur", "1", "2")).nature == "inexpliqué"
    assert reasons.of("resultats", ROW | {"annee": "2022"}, change("evolution", "1", "2")).nature == "inexpliqué"
    assert reasons.of("comparabilite", ROW, change("valeurs_appariees", "1", "2")) == found  # all of that table does


def test_a_mark_that_the_exports_root_changes_is_explained(catalogue: Catalogue) -> None:
    moved = change("nature_donnees", "synthétiques", "réelles")
    nobody = {"reseau": "urssaf", "annee": "2024"}  # never asked: the root in use says
    inputs = (replace(SAME, synthetic="Inventé."), SAME)
    assert Reasons(catalogue, DATASET, inputs=inputs).of("resultats", nobody, moved).nature == "révision"
    assert Reasons(catalogue, DATASET, inputs=inputs).of("resultats", ROW, moved).nature == "inexpliqué"
    received_again = (replace(SAME, receptions=(replace(SAME.receptions[0], synthetic="Inventé."),)), SAME)
    assert Reasons(catalogue, DATASET, inputs=received_again).of("resultats", ROW, moved).nature == "révision"


def test_a_provisional_value_made_final_is_a_revision(catalogue: Catalogue) -> None:
    found = Reasons(catalogue, DATASET, inputs=(SAME, received("1"))).of(
        "resultats", ROW, change("statut_observation", "P", "A") | change("valeur", "1", "2")
    )
    assert found == Reason("révision", "Valeur provisoire devenue définitive.")


def test_a_figure_that_few_answers_moved_says_why_it_is_kept(catalogue: Catalogue) -> None:
    kept = Reasons(catalogue, DATASET, inputs=(SAME, received("1")))
    cells = change("statut_observation", "A", "P") | change("version_conservee", "", "1.0.0")
    found = kept.of("resultats", ROW, cells)
    assert found.text.startswith("Chiffre provisoire, celui de la version précédente : moins de 11 réponses")
    declared = Reasons(catalogue, DATASET, inputs=(SAME, received("0", **{"networks/caf": "2"})))
    assert declared.of("resultats", ROW, cells).text.startswith("Déclaration changée")
    shipped = Reasons(load(Path(__file__).parents[2] / "schemas"), DATASET, inputs=(SAME, received("1")))
    amount = shipped.of("resultats", ROW | {"reseau": "franceagrimer", "indicateur": "aides-versees"}, cells)
    assert "sans qu'on sache combien d'entreprises" in amount.text
    provisional = change("version_conservee", "", "1.0.0")  # of a year that is provisional by declaration
    assert kept.of("resultats", ROW, provisional) == found
    revised = kept.of("resultats", ROW, change("version_conservee", "1.0.0", "") | change("valeur", "1", "2"))
    assert revised.text.startswith("Fichier remplacé par le réseau")


def test_a_treatment_that_failed_is_no_fault_of_the_file(catalogue: Catalogue) -> None:
    """The reader died on a file sent again: the network did nothing wrong by sending it."""
    reason = AbsenceReason(label="erreur de traitement", description="x", observation_status="O")
    catalogue = replace(catalogue, reasons=MappingProxyType({"erreur-traitement": reason}))
    row = ROW | {"motif_absence": reason.label}
    results = TableState(
        {"fields": [{"name": name, "type": "string"} for name in row], "primaryKey": []},
        table(list(row), [tuple(row.values())]),
    )
    reasons = Reasons(catalogue, DATASET, inputs=(SAME, received("1")), results=results)
    failed = Reason("révision", "Erreur de traitement : la valeur n'a pas pu être calculée.")
    assert reasons.of("resultats", row) == failed
    assert reasons.of("resultats", ROW | {"maille": "departement"}) == failed, "les lignes qui n'y sont plus aussi"
    assert reasons.of("resultats", ROW | {"indicateur": "csat"}).text.startswith("Fichier remplacé par le réseau")


def test_a_row_without_year_is_described_not_revised(catalogue: Catalogue) -> None:
    inputs = (SAME, received("0", **{"indicators/nps": "2"}))
    assert Reasons(catalogue, DATASET, inputs=inputs).of("indicateurs", {"indicateur": "nps"}).nature == "définition"
    assert Reasons(catalogue, DATASET, inputs=inputs).of("indicateurs", {"indicateur": "csat"}).nature == "inexpliqué"
    references = (SAME, received("0", references="2"))
    assert Reasons(catalogue, DATASET, inputs=references).of("territoires", {"maille": "region"}).nature == "définition"


def corrections(**changed: str) -> TableState:
    row = {"reseau": "caf", "numero": "1", "annee": "2024", "export": "enquete", "raison": "Faute de frappe du réseau.",
           "etat": "appliquée"} | changed  # fmt: skip
    return TableState(
        {"fields": [{"name": name, "type": "string"} for name in row], "primaryKey": []},
        table(list(row), [tuple(row.values())]),
    )


def test_a_correction_gives_its_published_reason(catalogue: Catalogue) -> None:
    inputs = (SAME, received("0", **{"corrections/caf": "2"}))
    new = Reasons(catalogue, DATASET, inputs=inputs, corrections=(None, corrections()))
    assert new.of("resultats", ROW) == Reason("correction", "Faute de frappe du réseau.")
    assert new.of("resultats", ROW | {"annee": "2022"}).nature == "révision"  # by the declaration alone
    assert new.of("resultats", ROW | {"reseau": "urssaf"}).nature == "inexpliqué"
    applied_before = (corrections(), corrections(numero="7"))
    assert (
        Reasons(catalogue, DATASET, inputs=inputs, corrections=applied_before).of("resultats", ROW).nature == "révision"
    )
    expired = (None, corrections(etat="périmée"))
    assert Reasons(catalogue, DATASET, inputs=inputs, corrections=expired).of("resultats", ROW).nature == "révision"


def test_a_declared_explanation_comes_first_and_only_after_its_version(catalogue: Catalogue) -> None:
    item = Explanation(
        after="1.2.0", kind="correction", reason="Erreur de calcul.", indicators=("nps",), years="2023-2024"
    )
    dataset = catalogue.datasets[DATASET].model_copy(update={"explanations": (item,)})
    explained = replace(catalogue, datasets=MappingProxyType({DATASET: dataset}))
    reasons = Reasons(explained, DATASET, after="1.2.0", inputs=(SAME, received("1")))
    assert reasons.of("resultats", ROW) == Reason("correction", "Erreur de calcul.")
    assert reasons.of("resultats", ROW | {"indicateur": "csat"}).nature == "révision"
    later = Reasons(explained, DATASET, after="1.3.0", inputs=(SAME, received("1")))
    assert later.of("resultats", ROW).nature == "révision"


def test_inputs_are_read_back_as_written() -> None:
    told = (Reception("caf", 2024, (), "Inventé.", declarations="d"), Reception("caf", 2023))
    inputs = replace(received("0", **{"indicators/nps": "2"}), receptions=told)
    assert (inputs.reception("caf", 2024), inputs.reception("caf", 2022)) == (told[0], None)
    assert inputs_of(json.loads(json.dumps({"inputs": inputs.descriptor()}))) == inputs
    assert inputs_of({}) is None
