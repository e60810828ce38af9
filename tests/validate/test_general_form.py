"""`resultats validate FILE --schema`: any file, as frictionless judges it; what can't be read is told in French."""

from __future__ import annotations

import bz2
import copy
import datetime
import gzip
import io
import json
import os
import random
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import frictionless
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from frictionless.resources import TableResource
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.cli import main
from pipelines.mechanics import limits

PROJECT = Path(__file__).resolve().parents[2]
CASES = PROJECT.parent / "shared" / "cases"
SCHEMA = {"fields": [{"name": "a", "type": "integer"}, {"name": "b", "type": "string"}]}
TEXT = b"a,b\n1,x\n2,y\nz,t\n"
V2 = "https://datapackage.org/profiles/2.0/tableschema.json"


@pytest.fixture
def check(tmp_path, capsys):
    """Check a content by a schema; return the exit code, the JSON report and what was told."""

    def run(content: bytes, name: str, schema=SCHEMA, *options: str, dialect: dict | None = None):
        path, wanted = tmp_path / name, tmp_path / "schema.json"
        path.write_bytes(content)
        wanted.write_text(json.dumps(schema), encoding="utf-8")
        more = list(options)
        if dialect is not None:
            (tmp_path / "dialecte.json").write_text(json.dumps(dialect), encoding="utf-8")
            more += ["--dialect", str(tmp_path / "dialecte.json")]
        code = main(["validate", str(path), "--schema", str(wanted), "--json", *more])
        told = capsys.readouterr()
        return code, json.loads(told.out), told.err

    return run


def shown(tmp_path: Path, capsys, *options: str, name: str = "f.csv") -> str:
    main(["validate", str(tmp_path / name), "--schema", str(tmp_path / "schema.json"), *options])
    return " ".join(capsys.readouterr().out.split())


def zipped(members, kind=zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", kind) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return stream.getvalue()


def errors(report: dict) -> list[dict]:
    return [*report["errors"], *(error for task in report["tasks"] for error in task["errors"])]


def still(text: bytes) -> bytes:
    """A gz that says no time: the same whenever it is made."""
    return gzip.compress(text, mtime=0)


# Archives


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("f.csv.gz", still),
        ("f.csv.zip", lambda text: zipped([("f.csv", text)])),
        ("f.CSV.GZ", still),
    ],
)
def test_a_packed_file_has_the_report_of_frictionless(check, tmp_path, name, pack):
    content = pack(TEXT)  # once: an archive has the time in it
    code, report, _ = check(content, name)
    plain = TableResource(path=name.lower(), basepath=str(tmp_path), schema=frictionless.Schema.from_descriptor(SCHEMA))
    (tmp_path / name.lower()).write_bytes(content)
    expected = json.loads(plain.validate().to_json())
    assert code == 1
    task, wanted = report["tasks"][0], expected["tasks"][0]
    assert task["errors"] == wanted["errors"]
    assert task["labels"] == wanted["labels"]
    assert {**task["stats"], "seconds": 0} == {**wanted["stats"], "seconds": 0}
    assert task["name"] == wanted["name"] if name.islower() else True


def test_a_zip_is_read_by_the_name_of_its_first_file(check):
    code, report, told = check(zipped([("__MACOSX/._f.csv", b"x"), ("f.csv", TEXT), ("notes.txt", b"x")]), "envoi.zip")
    assert code == 1
    assert report["stats"]["errors"] == 1
    assert "seul le premier, « f.csv »" in told


def altered(content: bytes, place: int) -> bytes:
    changed = bytearray(content)
    changed[place] ^= 0xFF
    return bytes(changed)


def encrypted(content: bytes) -> bytes:
    changed = bytearray(content)
    changed[6] |= 1
    changed[changed.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(changed)


PACKED = zipped([("f.csv", TEXT)])
BOOK = io.BytesIO()
openpyxl.Workbook().save(BOOK)
TABLE = io.BytesIO()
pq.write_table(
    pa.table({"a": list(range(20_000)), "b": [f"x{row}" for row in range(20_000)]}), TABLE, compression="zstd"
)
UNREADABLE = {
    "encrypted.csv.zip": encrypted(PACKED),
    "crc.csv.zip": altered(PACKED, 40),
    "cut.csv.gz": gzip.compress(os.urandom(5_000))[:-300],
    "none.csv.gz": TEXT,
    "none.zip": TEXT,
    "empty.zip": zipped([]),
    "bomb.csv.gz": gzip.compress(bytes(10_000_000)) * 30,
    "bomb.csv.zip": zipped([("f.csv", bytes(150_000_000))], zipfile.ZIP_BZIP2),
    "lzma.csv.zip": zipped([("f.csv", bytes(150_000_000))], zipfile.ZIP_LZMA),
    "bomb.xlsx": zipped([("xl/workbook.xml", ""), ("xl/worksheets/sheet1.xml", bytes(150_000_000))]),
    "f.csv.bz2": bz2.compress(TEXT),
    "f.xlsx": TEXT,
    "cut.xlsx": BOOK.getvalue()[:-200],
    "f.ods": b"rien",
    "f.xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 2_000,
    "f.xlsb": BOOK.getvalue()[:500],
    "pdf.xlsx": b"%PDF-1.4",
    "f.parquet": TABLE.getvalue()[:-500] + b"PAR1",
    "page.parquet": altered(altered(TABLE.getvalue(), 30_000), 60_000),
    "f.json": b"[[1",
    "f.html": b"<table>",
    "f.docx": b"x",
    "sans-nom": TEXT,
    "f.csv": b"",
    "book.csv": BOOK.getvalue(),
    "pdf.txt": b"%PDF-1.4 rien",
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_can_t_be_read_exits_2_in_french_with_a_report(check, name):
    before = time.process_time()
    code, report, told = check(UNREADABLE[name], name)
    assert code == 2
    assert not report["valid"] and errors(report)
    assert "Traceback" not in told and "frictionless[" not in json.dumps(report) + told
    if name != "f.csv":  # of which frictionless says itself that it is empty
        assert len(told.strip().splitlines()) == 1
        assert told.startswith("resultats : ")
    assert time.process_time() - before < 10


def test_damaged_bytes_never_end_in_a_traceback(check):
    for seed in range(12):
        chance = random.Random(seed)
        for name, content in (("f.parquet", TABLE.getvalue()), ("f.xlsx", BOOK.getvalue()), ("f.csv.zip", PACKED)):
            changed = bytearray(content)
            for _ in range(chance.randint(1, 20)):
                changed[chance.randrange(4, len(changed))] = chance.randrange(256)
            code, report, told = check(bytes(changed), name)
            assert code in (0, 1, 2)
            assert bool(code) == (not report["valid"])
            assert "Traceback" not in told


@pytest.mark.parametrize("missing", ["f.csv", "schema.json"])
def test_a_file_that_is_not_there_has_a_report(tmp_path, capsys, missing):
    for name in {"f.csv", "schema.json"} - {missing}:
        (tmp_path / name).write_text(json.dumps(SCHEMA))
    asked = ["validate", str(tmp_path / "f.csv"), "--schema", str(tmp_path / "schema.json")]
    assert main([*asked, "--json"]) == 2
    told = capsys.readouterr()
    assert not json.loads(told.out)["valid"]
    assert f"introuvable : {tmp_path / missing}" in told.err
    assert main(asked) == 2
    assert capsys.readouterr().out == ""


# What a schema may ask for


@pytest.mark.parametrize(
    "schema",
    [
        {"fields": ["http://127.0.0.1:9/champ"]},
        {"fields": ["{folder}/champ.json"]},
        {"fields": "{folder}/champ.json"},
        {"fields": None},
        {},
    ],
)
def test_nothing_that_a_schema_names_is_opened(check, tmp_path, schema):
    (tmp_path / "champ.json").write_text('{"name": "a", "type": "integer"}')
    asked = json.loads(json.dumps(schema).replace("{folder}", str(tmp_path)))
    code, report, told = check(TEXT, "f.csv", asked)
    assert code == 2
    assert "doit être une liste d'objets" in told
    assert [error["type"] for error in errors(report)] == ["schema-error"]


@pytest.mark.parametrize("key", ["$schema", "profile"])
def test_the_profile_of_a_schema_is_not_fetched(check, key):
    code, report, _ = check(TEXT, "f.csv", {**SCHEMA, key: "http://127.0.0.1:9/profil.json"})  # sockets are forbidden
    assert (code, report["stats"]["errors"]) == (1, 1)


def test_a_key_into_another_table_is_told_as_not_run(check):
    key = {"fields": ["b"], "reference": {"resource": "http://127.0.0.1:9/communes.csv", "fields": ["code"]}}
    code, report, told = check(TEXT.replace(b"z", b"3"), "f.csv", {**SCHEMA, "foreignKeys": [key]})
    assert code == 0 and report["valid"]
    assert "clé étrangère non contrôlée : b" in told


@pytest.mark.parametrize("target", ["a", "absente"])
def test_a_key_into_the_table_itself_has_a_verdict(check, target):
    schema = {
        "fields": [{"name": "a", "type": "string"}, {"name": "b", "type": "string"}],
        "foreignKeys": [{"fields": ["b"], "reference": {"resource": "", "fields": [target]}}],
    }
    code, report, _ = check(b"a,b\n1,1\n2,3\n", "f.csv", schema)
    assert code in (1, 2)
    assert errors(report)


def test_labelled_missing_values_are_judged_as_frictionless_does(check, tmp_path):
    schema = {
        "$schema": V2,
        "fields": [
            {"name": "a", "type": "integer", "missingValues": [{"value": "-9", "label": "refus"}, {"value": "NA"}]},
            {"name": "b", "type": "string", "categories": ["x", "y"], "categoriesOrdered": True},
            {"name": "c", "type": "list", "itemType": "integer"},
            {"name": "d", "type": "any"},
            {"name": "e", "type": "integer", "constraints": {"exclusiveMinimum": 3}},
        ],
        "missingValues": ["", {"value": "99", "label": "sans réponse"}],
    }
    content = 'a,b,c,d,e\n-9,x,"1,2",5,4\nNA,z,"1,u",,3\n99,99,,99,99\n,y,,x,5\n'
    for declared in (schema, {**schema, "missingValues": [{"value": ""}, {"value": "99", "label": "sans réponse"}]}):
        code, report, _ = check(content.encode(), "f.csv", declared)
        try:
            frictionless.Schema.from_descriptor(copy.deepcopy(declared))
        except frictionless.FrictionlessException:
            assert code == 2  # plain texts and objects in one list
            continue
        expected = frictionless.validate("f.csv", schema="schema.json", basepath=str(tmp_path))  # as its command does
        assert report["tasks"][0]["errors"] == json.loads(expected.to_json())["tasks"][0]["errors"]
        found = {(error["type"], error["rowNumber"], error["fieldName"]) for error in errors(report)}
        assert {("type-error", 3, "c"), ("constraint-error", 3, "e")} <= found  # cells are judged, not the schema


def test_files_whose_lines_end_in_cr_alone_are_read(check):
    code, report, _ = check(b"a,b\r" + b"1,x\r" * 5_000 + b"z,y\r", "f.csv")
    assert code == 1
    assert [error["rowNumber"] for error in errors(report)] == [5_002]


def test_a_txt_is_read_as_a_csv(check):
    code, report, _ = check(TEXT.replace(b",", b"\t"), "f.txt")
    assert code == 1
    assert [(error["type"], error["rowNumber"]) for error in errors(report)] == [("type-error", 4)]


def test_a_pattern_that_hangs_is_told_as_too_long(check, monkeypatch):
    schema = {"fields": [{"name": "a", "constraints": {"pattern": "(?=A)([A-Z]+)*[0-9]"}}, {"name": "b"}]}
    monkeypatch.setattr(limits, "_CHECKING_SECONDS", 1)
    code, report, told = check(f"a,b\n{'A' * 48},1\n".encode(), "f.csv", schema)
    assert code == 2 and errors(report)
    assert "dépassé 1 secondes de calcul" in told and "pattern" in told


@pytest.mark.parametrize("pattern", ["([A-Z]+)*[0-9]", "(A|A)*B", "(\\w+ ?)*!"])
def test_a_pattern_of_linear_time_is_judged_at_once(check, pattern):
    schema = {"fields": [{"name": "a", "constraints": {"pattern": pattern}}, {"name": "b"}]}
    before = time.process_time()
    code, report, _ = check(f"a,b\n{'A' * 48},1\n".encode(), "f.csv", schema)
    assert (code, [error["note"] for error in errors(report)]) == (1, [f'constraint "pattern" is "{pattern}"'])
    assert time.process_time() - before < 5


# Labels


def test_labels_that_were_found_are_shown_and_a_free_order_is_offered(check, tmp_path, capsys):
    check(b"nom,a\nx,1\n", "f.csv")
    told = shown(tmp_path, capsys)
    assert "Colonne « a »" in told and "« nom »" in told and "--ordre-libre" in told
    check(b"A,b\n1,x\n", "f.csv")
    assert "« A », écrit autrement" in shown(tmp_path, capsys)
    check(b"a\n1\n", "f.csv")
    assert "en-têtes du fichier : « a »" in shown(tmp_path, capsys)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"b,a\nx,1\n", 0),
        (b"a\n1\n", 0),
        (b"autre,a\nx,1\n", 0),
        (b"b\nx\n", 1),  # a is required
        (b"b,a\nx,un\n", 1),
        (b"c,d\nx,1\n", 1),
    ],
)
def test_a_free_order_judges_as_validata_does(check, tmp_path, capsys, content, code):
    schema = {"fields": [{"name": "a", "type": "integer", "constraints": {"required": True}}, {"name": "b"}]}
    assert check(content, "f.csv", schema, "--ordre-libre")[0] == code
    assert "--ordre-libre" not in shown(tmp_path, capsys, "--ordre-libre")


# Checks of schema.data.gouv.fr


CHECKS = [
    ("french-siren-value", {"column": "a"}, [("130025265", ""), ("130 025 265", ""), ("", "")],
     [("123456789", ""), ("x", "")]),
    ("french-siret-value", {"column": "a"}, [("13002526500013", ""), ("35600000049837", "")],
     [("13002526500014", ""), ("1", "")]),
    ("cohesive-columns-value", {"column": "a", "othercolumns": ["b"]}, [("", ""), ("x", "y")], [("x", ""), ("", "y")]),
    ("compare-columns-value", {"column": "a", "op": "<=", "column2": "b"},
     [("2", "10"), ("", "1"), ("2024-01-02", "2024-01-03")],
     [("10", "2"), ("x", "2")]),
    ("sum-columns-value", {"column": "a", "columns": ["b", "b"]}, [("0.6", "0.3"), ("", "3")], [("5", "3")]),
    ("year-interval-value", {"column": "a"}, [("2023/2024", "")], [("2024/2023", ""), ("2024", ""), ("23/24", "")]),
    ("year-interval-value", {"column": "a", "allow-year-only": "true"}, [("2024", "")], [("24", "")]),
    ("nomenclature-actes-value", {"column": "a"}, [("Urbanisme/Permis", ""), ("urbanisme/x", "")],
     [("Urbanisme", ""), ("Urbanisme / x", ""), ("Jardins/x", "")]),
    ("phone-number-value", {"column": "a"},
     [("01 23 45 67 89", ""), ("+33 1 23 45 67 89", ""), ("3939", ""), ("+32 2 555 12 12", "")],
     [("0123", ""), ("douze", "")]),
    ("one-of-required", {"column1": "a", "column2": "b"}, [("x", ""), ("", "y")], [("", "")]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "parameters", "right", "wrong"), CHECKS)
def test_custom_checks_that_are_known_are_run(check, name, parameters, right, wrong):
    schema = {
        "fields": [{"name": "n"}, {"name": "a"}, {"name": "b"}],
        "custom_checks": [{"name": name, "params": parameters}],
    }
    rows = [*right, *wrong]
    content = "n,a,b\n" + "".join(f'{number},"{a}","{b}"\n' for number, (a, b) in enumerate(rows))
    code, report, told = check(content.encode(), "f.csv", schema)
    assert code == 1
    assert [error["rowNumber"] for error in errors(report)] == [2 + len(right) + place for place in range(len(wrong))]
    assert {error["type"] for error in errors(report)} == {name}
    assert "non faits" not in told
    limited = check(content.encode(), "f.csv", schema, "--limit-errors", "1")[1]
    assert limited["stats"]["errors"] == 1


def test_custom_checks_run_on_sheets_and_beside_other_errors(check, tmp_path, capsys):
    schema = {
        "fields": [{"name": "siren"}, {"name": "n", "type": "integer"}],
        "custom_checks": [
            {"name": "french-siren-value", "params": {"column": "siren"}},
            {"name": "opening-hours-value", "params": {"column": "n"}},
            {"name": "cohesive-columns-value", "params": {"column": "siren", "othercolumns": ["absente"]}},
            {"name": "french-siren-value"},
        ],
    }  # fmt: skip
    book, stream = openpyxl.Workbook(), io.BytesIO()
    for row in (["siren", "n"], ["123456789", "x"], ["130025265", 2]):
        book.active.append(row)
    book.save(stream)
    for content, name in ((stream.getvalue(), "f.xlsx"), (b"siren,n\n123456789,x\n130025265,2\n", "f.csv")):
        code, report, told = check(content, name, schema)
        assert code == 1
        assert [(error["type"], error["rowNumber"]) for error in errors(report)] == [
            ("type-error", 2), ("french-siren-value", 2),
        ]  # fmt: skip
        assert "contrôles du schéma non faits : opening-hours-value (inconnu" in told
        assert "french-siren-value (paramètres" in told
        assert "cohesive-columns-value (colonne absente : absente)" in told
    text = shown(tmp_path, capsys)
    assert "french-siren-value : ce n'est pas un numéro SIREN" in text and "non faits : opening-hours-value" in text


# Sheets


NATIVE = [1, 2.5, 0, -3, 1e15, True, False, "x", "1", "", None, "2024-01-02", datetime.date(2024, 1, 2),
          datetime.datetime(2024, 1, 2, 3, 4), datetime.time(3, 4), datetime.timedelta(hours=30), "oui"]  # fmt: skip
TYPES = ["string", "integer", "number", "boolean", "date", "datetime", "time", "year", "any", "duration"]


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_an_xlsx_has_the_verdict_of_frictionless(tmp_path_factory, seed: int):
    from pipelines.cli.any_file import Asked, check_any_file

    chance, folder = random.Random(seed), tmp_path_factory.mktemp("feuille")
    names = ["a", "b", "c"][: chance.randint(1, 3)]
    fields = [{"name": name, "type": chance.choice(TYPES)} for name in names]
    schema = {"fields": fields}
    if chance.random() < 0.5:
        schema["primaryKey"] = ["a"]
    book = openpyxl.Workbook()
    pool = [chance.choice(NATIVE) for _ in range(4)]
    for row in (names, *([chance.choice(pool) for _ in names] for _ in range(chance.randint(1, 8)))):
        book.active.append(row)
    book.active.append(["fin", *["fin"] * (len(names) - 1)])  # a last row that is seen by both readers
    book.save(folder / "f.xlsx")
    (folder / "s.json").write_text(json.dumps(schema))
    answer = check_any_file(Asked(folder / "f.xlsx", folder / "s.json", None, None, 1000, False))
    plain = TableResource(path="f.xlsx", basepath=str(folder), schema=frictionless.Schema.from_descriptor(schema))
    expected = json.loads(plain.validate().to_json())
    assert answer.verdict.report["tasks"][0]["errors"] == expected["tasks"][0]["errors"]
    assert answer.verdict.report["tasks"][0]["labels"] == expected["tasks"][0]["labels"]


def sheet_of(*rows) -> bytes:
    book, stream = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.create_sheet("Seconde").append(["a", "b"])
    book["Seconde"].append(["un", "x"])
    book.save(stream)
    return stream.getvalue()


def test_the_sheet_of_the_dialect_is_read_and_another_one_is_refused(check):
    content = sheet_of(["a", "b"], [1, "x"])
    code, _, told = check(content, "f.xlsx")
    assert code == 0 and "Feuille contrôlée : « Sheet », l'une des 2" in told
    for sheet in ("Seconde", 2):
        code, report, _ = check(content, "f.xlsx", dialect={"excel": {"sheet": sheet}})
        assert (code, [error["type"] for error in errors(report)]) == (1, ["type-error"])
    for sheet in ("Troisième", 3):
        assert check(content, "f.xlsx", dialect={"excel": {"sheet": sheet}})[0] == 2


def test_a_cell_that_is_no_text_is_told_as_what_it_is(check, tmp_path, capsys):
    fields = [{"name": name, "type": "string"} for name in "abc"]
    content = sheet_of(["a", "b", "c"], [75001, datetime.date(2024, 1, 2), True])
    assert check(content, "f.xlsx", {"fields": fields})[0] == 1
    told = shown(tmp_path, capsys, name="f.xlsx")
    for kind in ("un nombre", "une date", "un booléen (VRAI ou FAUX)"):
        assert f"La cellule est {kind}, alors qu'un texte est attendu." in told
    assert "format Texte" in told


def test_an_ods_is_judged(check):
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.table import Table, TableCell, TableRow
    from odf.text import P

    document, table, stream = OpenDocumentSpreadsheet(), Table(name="Feuille"), io.BytesIO()
    for row in (["a", "b"], [1, "x"], ["un", "y"], [3, 4]):
        line = TableRow()
        for value in row:
            if isinstance(value, int):
                cell = TableCell(valuetype="float", value=value)
            else:
                cell = TableCell(valuetype="string")
            cell.addElement(P(text=str(value)))
            line.addElement(cell)
        table.addElement(line)
    document.spreadsheet.addElement(table)
    document.write(stream)
    code, report, _ = check(stream.getvalue(), "f.ods")
    assert code == 1
    assert [(error["type"], error["rowNumber"], error["fieldName"]) for error in errors(report)] == [
        ("type-error", 3, "a"), ("type-error", 4, "b"),
    ]  # fmt: skip


def test_a_sheet_whose_dimension_is_a_whole_sheet_costs_nothing(check):
    content = sheet_of(["a", "b"], [1, "x"])
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith("sheet1.xml"):
                assert b'<dimension ref="A1:B2"' in data
                data = data.replace(b'<dimension ref="A1:B2"', b'<dimension ref="A1:XFD1048576"')
            new.writestr(name, data)
    before = time.process_time()
    assert check(stream.getvalue(), "f.xlsx")[0] == 0
    assert time.process_time() - before < 5


# Memory and time


CLUMSY = {
    "quoted.csv": b'a,b\n1,"' + b"[ 'x' , " * 14_000 + b'"\n',
    "wide.csv": b"a,b\n1,x\n" + b"1," * 50_000 + b"\n",
    "open.csv": b'a,b\n1,"' + b"x,y\n" * 200_000,
    "nul.csv.gz": gzip.compress(bytes(300_000_000)),
    "line.csv.gz": gzip.compress(b"a,b\n" + b"x" * 90_000_000),
}


@pytest.mark.parametrize("name", CLUMSY)
def test_a_clumsy_file_costs_seconds_and_megabytes(tmp_path, name):
    (tmp_path / name).write_bytes(CLUMSY[name])
    (tmp_path / "s.json").write_text(json.dumps(SCHEMA))
    command = (
        f'ulimit -v 2500000; ulimit -t 15; exec "{sys.executable}" -m pipelines.cli validate {name} --schema s.json'
    )
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )  # fmt: skip
    assert done.returncode in (0, 1, 2), done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout or done.stderr.startswith("resultats : ")


@pytest.mark.skipif(not CASES.is_dir(), reason="the cases of the field aren't here")
@pytest.mark.parametrize(
    ("folder", "file", "schema", "code"),
    [
        ("70-general-CSV-majuscule", "GUICHETS.CSV", "schema.json", 0),
        ("70-general-CSV-majuscule", "guichets.txt", "schema.json", 0),
        ("70-general-CSV-majuscule", "guichets.tsv", "schema.json", 0),
        ("70-general-CSV-majuscule", "guichets-cp1252.csv", "schema.json", 0),
        ("70-general-CSV-majuscule", "COUPE.CSV", "schema2.json", 0),
        ("71-general-xlsx-dates", "f.xlsx", "schema.json", 1),
        ("73-general-colonnes-facultatives", "ordre.csv", "schema-v1.json", 1),
        ("73-general-colonnes-facultatives", "ordre.csv", "schema.json", 0),
        ("74-general-custom-checks", "f.csv", "schema.json", 1),
        ("87b-general-ods-xls", "valeurs-2024.ods", "s.json", 1),
        ("87b-general-ods-xls", "valeurs-2024.xls", "s.json", 0),
    ],
)
def test_cases_of_the_field(folder, file, schema, code):
    assert main(["validate", str(CASES / folder / file), "--schema", str(CASES / folder / schema)]) == code
