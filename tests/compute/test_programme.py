"""The estimators of the programme: progress towards a target, on real figures too, and transparency of networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

PROGRESS = {"estimator": {"name": "progress_rate"}, "year": "declared",
            "feed": {"inputs": {"current": "actuelle", "initial": "initiale", "target": "cible"}}}  # fmt: skip
FIGURES = {"actuelle": "number", "initiale": "number", "cible": "number"}
SYNTHESIS = "barometre-2023/barometre-resultats-synthese-departemental.csv"

RATES = {"estimator": {"name": "transparency_rate"}, "year": "last",
         "feed": {"inputs": {"network": "reseau", "published": "publiant", "sites": "sites"}}}  # fmt: skip
LEVELS = {"departement": {"obtained": "network_mean"}, "region": {"obtained": "network_mean"},
          "national": {"obtained": "network_share"}}  # fmt: skip
SITES = {"reseau": "string", "publiant": "number", "sites": "number"}
WHERE = {"field": "niveau", "values": {"site": "site", "national": "national"}}


def test_progress_is_the_one_that_the_barometer_published(real: Path, labo) -> None:
    """98.1 % of the rows of January 2023 follow the formula; the source does not say how it made the others."""
    found = pd.read_csv(real / SYNTHESIS).dropna(subset=["valeur_actuelle", "valeur_initiale", "cible"])
    found = found[found["pourcentage_cible"].notna()].reset_index(drop=True)
    rows = [
        {"maille": "departement", "territoire": str(index), "structure": None, "actuelle": row.valeur_actuelle,
         "initiale": row.valeur_initiale, "cible": row.cible}
        for index, row in enumerate(found.itertuples())
    ]  # fmt: skip
    declared = {**PROGRESS, "levels": {"departement": {"obtained": "declared"}}}
    made = labo.run(declared, labo.export(FIGURES, kind="values", level="departement"), rows).results
    ours = made.set_index("territoire_code")["valeur"].reindex(map(str, found.index)).reset_index(drop=True)
    agree = abs(ours - found["pourcentage_cible"]) <= 0.51  # published without decimals
    assert (len(found), round(100 * agree.mean(), 1)) == (3645, 98.1)


@given(current=st.floats(-50, 150), initial=st.floats(-50, 150), target=st.floats(-50, 150))
@settings(max_examples=20)
def test_progress_stays_between_0_and_100(current: float, initial: float, target: float, labo) -> None:
    rows = [{"maille": "national", "territoire": "FR", "actuelle": current, "initiale": initial, "cible": target}]
    declared = {**PROGRESS, "levels": {"national": {"obtained": "declared"}}}
    line = labo.run(declared, labo.export(FIGURES, kind="values", level="national"), rows).results.iloc[0]
    if target == initial:
        assert (line["valeur"] != line["valeur"], line["motif"]) == (True, "non-renseigne")
    else:
        expected = 100 * (current - initial) / (target - initial)
        assert line["valeur"] == pytest.approx(min(max(expected, 0), 100), abs=1e-5)


def _site(
    network: str, departement: str | None, published: float, sites: float, period: str = "2024"
) -> dict[str, Any]:
    return {"reseau": network, "publiant": published, "sites": sites, "territoire": departement, "periode": period,
            "structure": f"{network}-{departement}"}  # fmt: skip


def _national(network: str, published: float, period: str = "2024") -> dict[str, Any]:
    return {"reseau": network, "publiant": published, "sites": 1, "maille": "national", "territoire": "FR",
            "periode": period}  # fmt: skip


def _rates(labo, rows: list[dict[str, Any]], frequency: str = "year") -> pd.DataFrame:
    made = labo.run({**RATES, "levels": LEVELS}, labo.export(SITES, level=WHERE, frequency=frequency), rows)
    assert not made.failures
    return made.results.set_index(["periode", "maille", "territoire_code"])


def test_transparency_at_both_levels(labo) -> None:
    rows = [
        _site("ecoles", "30", 8, 10), _site("ecoles", "75", 1, 10),  # 9 of 20: not above two thirds
        _site("musees", "30", 1, 1), _site("musees", "75", 2, 3),  # 3 of 4: counts
        _site("consulats", None, 5, 5),  # counts in France only
        _national("insee", 1), _national("afpa", 0),
    ]  # fmt: skip
    found = _rates(labo, rows)
    national = found.loc[("2024", "national", "FR")]
    assert (national["valeur"], national["numerateur"], national["effectif"]) == (60, 3, 5)
    gard, paris = found.loc[("2024", "departement", "30")], found.loc[("2024", "departement", "75")]
    assert (gard["valeur"], gard["effectif"]) == (pytest.approx(100 * (0.8 + 1 + 1 + 0) / 4), 4)
    assert paris["valeur"] == pytest.approx(100 * (0.1 + 2 / 3 + 1 + 0) / 4)
    assert found.loc[("2024", "region", "76"), "valeur"] == pytest.approx(gard["valeur"])
    assert found[["borne_basse", "borne_haute"]].isna().all(axis=None)


@pytest.mark.parametrize(("published", "networks", "rate"), [(24, 53, 45), (42, 53, 79), (19, 53, 36)])
def test_published_rates_are_shares_of_the_53_networks(published: int, networks: int, rate: int, labo) -> None:
    """The barometer's 36, 45 and 79 % (2020 to 2022) are whole numbers of networks out of the 53 of the list."""
    rows = [_site(f"r{number}", "30", number < published, 1) for number in range(networks)]
    assert round(_rates(labo, rows).loc[("2024", "national", "FR"), "valeur"]) == rate


def test_a_year_is_its_last_state(labo) -> None:
    rows = [
        _site("ecoles", "30", 0, 2, "2024-T1"),
        _site("ecoles", "30", 2, 2, "2024-T3"),
        _site("musees", "30", 0, 1, "2024-T3"),
    ]
    found = _rates(labo, rows, "quarter")
    assert found.loc[("2024-T1", "national", "FR"), "valeur"] == 0
    assert found.loc[("2024", "national", "FR"), "valeur"] == 50
    assert str(found.loc[("2024", "national", "FR"), "date_reference"]) == "2024-09-30"
