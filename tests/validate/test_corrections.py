"""Corrections: applied with their guard, listed with their state; those that expired name the line to delete."""

from __future__ import annotations

import shutil

import pandas as pd
import pytest
from fixtures.all_tables import national_tables

from assets.workspace import Workspace
from pipelines.declarations import DeclarationError, load
from pipelines.flow.gather import gather
from pipelines.flow.judge import judge_network_year
from pipelines.flow.kept_verdicts import keep_verdict
from pipelines.flow.receive import receive_exports

NOW = pd.Timestamp("2025-01-01", tz="UTC").to_pydatetime()
CORRECTIONS = """\
corrections:
  - {export: telephone, year: 2022, where: {mois: 01/2022, caf_code: CAF01}, field: appels_traites,
     expected: "1581", value: "1580", reason: saisie, date: 2025-02-03}
  - {export: telephone, year: 2022, where: {caf_code: CAF01}, field: appels_traites,
     expected: "EXPECTED", value: "1", reason: doute, date: 2025-02-03, status: STATUS}
  - {export: telephone, year: 2024, where: {caf_code: CAF01}, field: appels_traites,
     expected: "1", value: "2", reason: autre année, date: 2025-02-03}
"""


def judged(schemas, samples, tmp_path, expected, status):
    (schemas / "corrections").mkdir(exist_ok=True)
    text = CORRECTIONS.replace("EXPECTED", expected).replace("STATUS", status)
    (schemas / "corrections" / "caf.yml").write_text(text, encoding="utf-8")
    (tmp_path / "exports").mkdir(exist_ok=True)
    shutil.copytree(samples / "caf", tmp_path / "exports" / "caf", dirs_exist_ok=True)
    catalogue = load(schemas).of_results
    workspace = Workspace(exports=str(tmp_path / "exports"), output=str(tmp_path / "output"), schemas=str(schemas))
    store = workspace.store
    reception = receive_exports(catalogue.networks["caf"], "caf", 2022, store, workspace.root, NOW)
    verdicts = judge_network_year(catalogue, "caf", 2022, store, reception)
    keep_verdict(store, catalogue, "caf", 2022, verdicts, reception.fingerprint)
    inputs, _ = gather(catalogue, store, None)
    table = national_tables(catalogue, inputs)["corrections"]
    return next(item for item in verdicts if item.export == "telephone"), table


def test_an_applied_and_a_proposed_one(schemas, samples, tmp_path):
    verdict, table = judged(schemas, samples, tmp_path, "1580", "proposed")
    assert verdict.state == "accepté"
    values = verdict.observations.table().to_pandas()
    assert values.loc[values["_ligne"] == 3, "appels_traites"].item() == 1580
    assert list(table["etat"]) == ["appliquée", "non appliquée", "non appliquée"]
    assert list(table["statut_correction"]) == ["confirmée", "proposée", "confirmée"]
    assert table.loc[0, "selection"] == "mois = 01/2022, caf_code = CAF01"
    assert table.loc[0, ["valeur_attendue", "valeur_corrigee"]].tolist() == ["1581", "1580"]


def test_an_expired_one_stops_its_export_and_names_its_line(schemas, samples, tmp_path):
    verdict, table = judged(schemas, samples, tmp_path, "987654", "confirmed")
    assert verdict.state == "rejeté"
    (finding,) = [item for _, _, item in verdict.findings if item.rule == "correction-perimee"]
    assert "supprimez-la (corrections/caf.yml:4)." in verdict.explanation
    assert "(Code CAF = CAF01 ; " in finding.message
    assert "Appels traités : « 987654 »" in finding.message
    assert "corrections/" not in finding.message + verdict.told_producer
    assert list(table["etat"]) == ["appliquée", "périmée", "non appliquée"]
    lines = (schemas / "corrections" / "caf.yml").read_text().splitlines()
    assert lines[3].startswith("  - {export: telephone, year: 2022, where: {caf_code: CAF01}")
    (schemas / "corrections" / "caf.yml").write_text("# moved\n" + "\n".join(lines))


def test_values_of_personal_columns_are_masked(schemas, samples, tmp_path, monkeypatch):
    network = schemas / "networks" / "caf.yml"
    text = network.read_text(encoding="utf-8")
    field = "      - {name: appels_traites, label: Appels traités"
    assert field in text
    network.write_text(
        text.replace(field, "      - {name: avis, label: Avis, personal: true, optional: true}\n" + field)
    )
    monkeypatch.setitem(globals(), "CORRECTIONS", CORRECTIONS.replace("appels_traites", "avis"))
    verdict, table = judged(schemas, samples, tmp_path, "987654", "confirmed")
    told = repr(verdict.findings) + verdict.explanation + table.to_string()
    assert "987654" not in told and "1581" not in told
    assert set(table["valeur_attendue"]) == {"(valeur masquée)"}


def test_a_personal_column_feeds_no_result(schemas):
    for file, before, said in (
        ("caf.yml", "label: Appels traités, ", "« appels_traites » est déclaré personnel dans telephone"),
        ("caf.yml", "label: Poids, ", "« poids » est déclaré personnel : il ne peut nourrir aucun résultat"),
    ):
        path = schemas / "networks" / file
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(before, f"{before}personal: true, ", 1), encoding="utf-8")
        with pytest.raises(DeclarationError) as refused:
            load(schemas)
        assert said in "\n".join(map(str, refused.value.problems))
        path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("field", ["departement", "caf_code"])
def test_a_personal_column_cannot_be_published(schemas, field):
    network = schemas / "networks" / "caf.yml"
    text = network.read_text(encoding="utf-8")
    network.write_text(text.replace(f"{{name: {field},", f"{{name: {field}, personal: true,", 1))
    with pytest.raises(Exception, match="est déclaré personnel"):
        load(schemas)
