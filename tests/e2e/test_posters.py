"""Every poster of the samples, read back: its figures are those of the release, and nothing else is shown."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest
from fixtures.read_posters import assert_accessible, picture_of, qr_code_of, squeezed, text_of
from PIL import Image

from pipelines.cli import main
from pipelines.release import history

pytestmark = pytest.mark.e2e

DATASET = "resultats-services-publics"
MOST = 6


@pytest.fixture(scope="module")
def release(whole_run) -> Path:
    (found,) = (whole_run[0] / "releases" / DATASET).glob("1.*")
    return found


@pytest.fixture(scope="module")
def site(whole_run, tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("site")


def table(release: Path, name: str) -> pd.DataFrame:
    return pd.concat([pd.read_parquet(path) for path in history.columnar_files(release, name)])


def number(value: float, decimals: int) -> str:
    return f"{value:.{decimals}f}".replace(".", ",").replace("-", "−")


def expected(title: str, rows: pd.DataFrame, year: int, decimals: int) -> str:
    """What a tile begins with, by the row of the year: the figure, or the reason for its absence."""
    found = rows[rows.annee == year]
    if found.empty:
        return f"{title} Non mesuré"
    row = found.iloc[0]
    if pd.isna(row.valeur):
        return f"{title} {row.motif_absence[:1].upper()}{row.motif_absence[1:]}"
    return f"{title} {number(row.valeur, decimals)}"


@pytest.mark.parametrize(
    "network",
    ["assurance-maladie", "barometre", "caf", "dgfip", "france-services", "france-travail", "gendarmerie",
     "prefectures", "securite", "universites"],
)  # fmt: skip
def test_the_posters_of_a_network_are_its_release(whole_run, release, site, catalogue, tmp_path, network):
    assert main(["posters", "--output", str(whole_run[0]), "--site", str(site), "--network", network]) == 0
    declared, indicators = catalogue.networks[network], table(release, "indicateurs").set_index("indicateur")
    rows = table(release, "resultats")
    rows = rows[(rows.reseau == network) & (rows.frequence == "annuelle") & (rows.maille == declared.finest_level)]
    rows = rows.assign(code=rows.structure_code.fillna(rows.territoire_code))
    with_values = rows.dropna(subset="valeur")
    shown = declared.poster.indicators if declared.poster else sorted(with_values.indicateur.unique())[:MOST]
    year = int(with_values[with_values.indicateur.isin(shown)].annee.max())
    posters = sorted((site / "affiches" / network).glob("*.pdf"))
    assert {path.stem for path in posters} >= set(rows[rows.annee == year].code)
    for path in posters:
        told, own = text_of(path), rows[rows.code == path.stem]
        assert f"Nosrésultatsen{year}" in told
        for code in shown:
            title, decimals = indicators.titre[code], int(indicators.decimales[code])
            figure = squeezed(expected(title, own[own.indicateur == code], year, decimals))
            assert figure in told, path.name
        for row in own[(own.annee == year) & own.indicateur.isin(shown)].itertuples():
            decimals = int(indicators.decimales[row.indicateur])
            if pd.notna(row.borne_basse) and row.borne_basse < row.borne_haute:
                bounds = f"Entre {number(row.borne_basse, decimals)} et {number(row.borne_haute, decimals)}"
                assert squeezed(bounds) in told, path.name
            if pd.notna(row.valeur) and pd.notna(row.effectif):
                assert f"ur{int(row.effectif)}" in told, path.name
        assert_accessible(path)
    assert qr_code_of(posters[0], tmp_path) == catalogue.datasets[DATASET].site + _page(network, posters[0].stem)


def _page(network: str, code: str) -> str:
    sites = {"dgfip", "france-travail", "prefectures", "universites"}
    return f"/structures/{network}/{code}.html" if network in sites else f"/departements/{code}/{network}.html"


def test_the_picture_of_the_documentation(whole_run, site, tmp_path):
    """RESULTATS_PICTURES: the folder where the picture of a poster is written again (make docs-pictures)."""
    words = ["--network", "france-travail", "--structure", "FT13-2"]
    assert main(["posters", "--output", str(whole_run[0]), "--site", str(site), *words]) == 0
    picture = picture_of(site / "affiches" / "france-travail" / "FT13-2.pdf", tmp_path, dots=64)
    if folder := os.environ.get("RESULTATS_PICTURES"):
        Image.open(picture).quantize(64).save(Path(folder) / "affiche.png", optimize=True)
    assert Image.open(picture).size == (530, 749)
