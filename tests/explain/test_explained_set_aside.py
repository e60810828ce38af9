"""A network that can't be published safely stops no other: the whole job, from the command line to the explanation."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fixtures.explained_run import YEAR, House, export, judged, levels

from pipelines.cli import main
from pipelines.declarations import Catalogue
from pipelines.disclosure.results_table import protected
from pipelines.flow import protection

pytestmark = pytest.mark.e2e
OFFICES = (("B1", "30", 1), ("B2", "30", 2), ("B3", "34", 9), ("B4", "34", 2), ("B5", "75", 9))


def _said(command: list[str]) -> tuple[int, str]:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        return main(command), said.getvalue()


def _shown_beside(results: pd.DataFrame, catalogue: Catalogue, earlier: Any = ()) -> pd.DataFrame:
    """Hide as the product does, but for what network « trouble » hides beside its small bases."""
    found = protected(results, catalogue, earlier)
    open_before = results["statut_confidentialite"].eq("F").reindex(found.index, fill_value=False)
    told = found.index[found["reseau"].eq("trouble") & open_before]
    found.loc[told] = results.loc[told]
    return found


def test_the_others_are_published_and_the_summary_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protection, "protected", _shown_beside)  # no file makes the pattern fail: a fault is planted
    house = House(tmp_path)
    feeds = {}
    for name in ("clair", "trouble"):
        layouts = [{"years": YEAR, "path": f"{name}-{{year}}.csv", "delimiter": ";"}]
        fields = {"montant": "number", "siren": {}}
        house.network(name, export("ventes", fields, kind="operations", layouts=layouts))
        lines = [
            f"03/02/2024;{place};{office};{1 + n % 3};{n}"
            for office, place, count in OFFICES for n in range(count)
        ]  # fmt: skip
        house.hand_over(f"{name}-2024.csv", "jour;lieu;bureau;montant;siren", *lines)
        feeds[name] = {"export": "ventes", "inputs": {"value": "montant"}, "contributor": "siren"}
    house.indicator("ventes", estimator={"name": "sum"}, year="sum", enterprises={"why": "essai"},
                    levels=levels("sum", "site", "departement", "national"), networks=feeds)  # fmt: skip
    command = ["run", "--exports", str(house.exports), "--output", str(house.output), "--schemas", str(house.schemas)]
    _, told = _said(command)
    assert "AUCUNE PUBLICATION" not in told
    assert "trouble 2024 est mis de côté en entier, les autres réseaux sont publiés" in told
    assert "trouble-2024.csv" in told
    explainer = house.explainer()
    published = explainer.release.results
    assert published.loc[published["reseau"].eq("clair"), "valeur"].notna().any()
    checked = judged(explainer, published)
    assert not checked["accord"].eq(False).any(), checked[checked["accord"].eq(False)].to_string()
    mine = checked[checked["reseau"].eq("trouble")]
    assert set(mine["motif_absence"]) == {"erreur de traitement"}
