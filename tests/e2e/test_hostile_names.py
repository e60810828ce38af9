"""Formulas and control signs of headers, files, sheets and members reach no output: tables, letters, terminal."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import zipfile
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.cli import main
from pipelines.mechanics.plain_text import table_text

pytestmark = pytest.mark.e2e

PROJECT = Path(__file__).resolve().parents[2]
ACTS = "\x1b[31m\x07\u202e\u200b"
EVIL = f"=1+1{ACTS}"
FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d.,]+\Z)")
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]")
NETWORK = """
title: Consulats (exemple)
producer: Ministère d'exemple
description: Réseau ajouté par un test.
structure_type: Consulat
finest_level: site
years: 2025
acceptance: {max_refused_share: 0.1, why: exemple}
exports:
"""
EXPORT = """
  - id: {name}
    kind: survey
    title: Enquête
    fields:
      - {{name: jour, label: Jour, type: date, format: "%d/%m/%Y", constraints: {{required: true}}}}
      - {{name: poste, label: Poste, constraints: {{required: true}}}}
      - {{name: ville, label: Ville}}
      - {{name: avis, label: Avis, constraints: {{enum: [content, mécontent]}}}}
    period: {{field: jour, frequency: quarter}}
    level: site
    structure: {{code: poste, name: ville}}
    layouts:
      - {{years: 2025, path: "*{name}-{{year}}*", {more}}}
"""
INDICATOR = """
title: Part des usagers contents
definition: Part des réponses « content ».
type: satisfaction
unit: "%"
unit_family: taux
direction: higher
estimator: {name: share, favourable: [content], among: [content, mécontent]}
decimals: 1
year: pooled
levels:
  site: {obtained: pooled}
  national: {obtained: pooled}
networks:
  consulats: {export: [texte, feuille, archive, entete], inputs: {answer: avis}}
"""
HEADER = ["Jour", "Poste", "Ville", "Avis", f"=SUM(A1){ACTS}", f"@autre{ACTS}"]
ROWS = [[f"{1 + day % 28:02d}/02/2025", "LON", "Londres", "content" if day % 4 else "mécontent", "x", EVIL]
        for day in range(40)] + [["01/02/2025", "", "Londres", EVIL, "x", "y"]]  # fmt: skip


def text(rows: list[list[str]]) -> bytes:
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=";").writerows(rows)
    return stream.getvalue().encode()


def book() -> bytes:
    made = openpyxl.Workbook()
    assert made.active is not None
    seen = [[cell.translate({0x1B: None, 0x07: None}) for cell in row] for row in [HEADER, *ROWS]]
    made.active.title = "Notice"
    for name in ("=1+1\u202e", "=2+2\u202e"):
        sheet = made.create_sheet(name)
        for row in seen:
            sheet.append([f"'{cell}" if cell.startswith("=") and cell not in seen[0] else cell for cell in row])
            for cell in sheet[sheet.max_row]:
                cell.data_type = "s"
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


def archive() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        made.writestr("=un\u202e.csv", text([HEADER, *ROWS]))
        made.writestr("=deux\u202e.csv", text([HEADER, *ROWS]))
    return stream.getvalue()


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    folder = tmp_path_factory.mktemp("hostile")
    schemas, exports, output = folder / "schemas", folder / "exports", folder / "output"
    for kept in ("tables", "datasets", "references"):
        shutil.copytree(PROJECT / "schemas" / kept, schemas / kept)
    layouts = {
        "texte": 'delimiter: ";"',
        "feuille": "format: xlsx",
        "archive": 'delimiter: ";"',
        "entete": 'delimiter: ";"',
    }
    declared = NETWORK + "".join(EXPORT.format(name=name, more=more) for name, more in layouts.items())
    for kind, name, content in (("networks", "consulats", declared), ("indicators", "contents", INDICATOR)):
        (schemas / kind).mkdir()
        (schemas / kind / f"{name}.yml").write_text(content, encoding="utf-8")
    exports.mkdir()
    contents = {"texte": text([HEADER, *ROWS]), "feuille": book(), "archive": archive(),
                "entete": text([["Jour", "Poste", "Ville", f"=Avis{ACTS}"], *ROWS])}  # fmt: skip
    endings = {"texte": "csv", "feuille": "xlsx", "archive": "zip", "entete": "csv"}
    for name, content in contents.items():
        (exports / f"{EVIL}\n{name}-2025.{endings[name]}").write_bytes(content)
    return schemas, exports, output


def cells(path: Path) -> list[str]:
    """Every text of an output file that a reader sees."""
    match path.suffix:
        case ".csv":
            with path.open(encoding="utf-8-sig", newline="") as stream:
                sign = ";" if path.name.endswith("-anomalies.csv") else ","
                return [cell for row in csv.reader(stream, delimiter=sign) for cell in row]
        case ".parquet":
            table = pq.read_table(path)
            texts = [column for column in table.columns if pa.types.is_string(column.type)]
            return [cell for column in texts for cell in column.to_pylist() if cell]
        case ".xlsx":
            found = openpyxl.load_workbook(path)
            return [str(cell.value) for sheet in found for row in sheet.iter_rows() for cell in row if cell.value]
        case ".json":
            return list(strings(json.loads(path.read_text(encoding="utf-8"))))
        case _:
            return []


def strings(content: object) -> list[str]:
    if isinstance(content, dict):
        return [text for pair in content.items() for item in pair for text in strings(item)]
    if isinstance(content, list):
        return [text for item in content for text in strings(item)]
    return [content] if isinstance(content, str) else []


def test_nothing_hostile_leaves(ran, capfd):
    schemas, exports, output = ran
    arguments = ["run", "--exports", str(exports), "--output", str(output), "--schemas", str(schemas)]
    assert main(arguments) == 0
    (changed,) = exports.glob("*texte-2025.csv")
    changed.write_bytes(text([HEADER, *ROWS, ROWS[0]]))
    assert main(arguments) == 0
    assert main([*arguments, "--json"]) == 0
    assert main(["status", "--output", str(output), "--schemas", str(schemas)]) in (0, 1)
    printed = capfd.readouterr()
    assert "NOUVEAU CONTENU sous le même nom : '=1+1[U+001B]" in printed.out
    for line in (printed.out + printed.err).split("\n"):
        assert not FORBIDDEN.search(line), line
    release = max((output / "releases").rglob("datapackage.json"))
    for path in [*(output / "releases").rglob("*"), *(output / "catalogue").rglob("*")]:
        if not path.is_file():
            continue
        for text_seen in cells(path):
            assert not FORBIDDEN.search(text_seen), (path.name, text_seen)
            assert not FORMULA.match(text_seen), (path.name, text_seen)
        if path.suffix in (".md", ".html", ".txt", ".json", ".xml", ".csv"):
            assert not FORBIDDEN.search(path.read_text(encoding="utf-8").replace("\r\n", "\n")), path.name
    for path in (output / "site").rglob("*.html"):
        assert not FORBIDDEN.search(path.read_text(encoding="utf-8")), path.name
    described = json.loads(release.read_text(encoding="utf-8"))
    paths = [file["path"] for reception in described["inputs"]["receptions"] for file in reception["files"]]
    assert len(paths) == 4
    assert all(path.startswith("'=1+1") for path in paths)
    told = {row["regle"] for row in csv.DictReader((release.parent / "anomalies.csv").open(encoding="utf-8"))}
    assert {"colonne-en-trop", "archive", "colonne-manquante", "contrainte-non-tenue"} <= told


def test_letters_and_details_hold_nothing_hostile(ran):
    _, _, output = ran
    letters = [path for path in output.rglob("*-lettre.*") if path.suffix in (".html", ".txt")]
    assert {path.name for path in letters} >= {"archive-lettre.html", "entete-lettre.html", "feuille-lettre.txt"}
    for path in letters:
        assert not FORBIDDEN.search(path.read_text(encoding="utf-8")), path.name
    details = list(output.rglob("*-anomalies.csv"))
    assert details
    for path in details:
        for cell in cells(path):
            assert not FORBIDDEN.search(cell), (path.name, cell)
            assert not FORMULA.match(cell), (path.name, cell)


@pytest.mark.parametrize("name", ["texte-2025.csv", "feuille-2025.xlsx", "archive-2025.zip", "entete-2025.csv"])
def test_a_producer_is_shown_nothing_hostile(ran, capfd, name):
    schemas, exports, _ = ran
    path = exports / f"{EVIL}\n{name}"
    arguments = [
        "validate",
        str(path),
        "--schemas",
        str(schemas),
        "--network",
        "consulats",
        "--export",
        name.split("-")[0],
    ]
    for more in ([], ["--json"]):
        assert main([*arguments, "--year", "2025", *more]) in (0, 1, 2)
        printed = capfd.readouterr()
        assert not FORBIDDEN.search((printed.out + printed.err).replace("\r\n", "\n"))
        if more:
            assert "problemes" in json.loads(printed.out)
    assert main([*arguments, "--year", "1999"]) == 2
    assert main(["validate", f"{path}{ACTS}", "--network", "consulats", "--export", "texte"]) == 2
    assert not FORBIDDEN.search(capfd.readouterr().err)


def test_two_names_stay_two_and_amounts_stay_amounts():
    assert table_text("=a\x1b") != table_text("=a\x07")
    assert table_text("-12,5") == "-12,5"
    assert table_text("-12,5 = x") == "'-12,5 = x"
    assert table_text("＝1+1") == "'＝1+1"
    assert table_text("Café\u00a0: 20\u202f€") == "Café\u00a0: 20\u202f€"
