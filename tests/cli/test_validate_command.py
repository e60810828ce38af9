"""`resultats validate` alone: exit codes, terminal, JSON, letters; and any file against any Table Schema."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import frictionless
import openpyxl
import pytest

from pipelines.cli import main
from pipelines.mechanics import limits

PROJECT = Path(__file__).resolve().parents[2]
HEADER = "sep=;\nMois;Code CAF;Département;Appels présentés;Appels traités\n"
GOOD = "01/2022;CAF01;01;2200;1581\n"
CAF = ("--network", "caf", "--export", "telephone")


@pytest.fixture
def file(tmp_path):
    def write(content: str | bytes, name: str = "telephone-2022.csv") -> str:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return write


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (HEADER + GOOD, 0),
        (HEADER + GOOD + "13/2022;CAF02;02;10;5\n", 1),
        (HEADER.replace("Mois", "Moi") + GOOD, 1),
        (HEADER + GOOD.replace("2022", "2021"), 1),
        (HEADER, 1),
        ("", 2),
        (b"\x00\x01\x02" * 50, 2),
        ("<!DOCTYPE html><html></html>", 2),
        (HEADER + GOOD + '01/2022;"' + GOOD * 20_000, 2),
        (HEADER.encode() + b"\xff;" * 20 + b"\n", 2),
    ],
)
def test_exit_codes(file, capsys, content, code):
    assert main(["validate", file(content), *CAF]) == code
    told = capsys.readouterr()
    assert told.out
    assert told.err == ""
    assert main(["validate", file(content), *CAF, "--json"]) == code
    report = json.loads(capsys.readouterr().out)
    assert report["valide"] == (code == 0)
    assert report["annee"] == 2022


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--network", "caf"],
        ["--network", "caff", "--export", "telephone"],
        ["--network", "caf", "--export", "telephon"],
        [*CAF, "--year", "1999"],
        [*CAF, "--schemas", "/nulle/part"],
        [*CAF, "--schema", "x.json"],
        [*CAF, "--dialect", "x.json"],
        ["--schema", "absent.json"],
        ["--schema", "absent.json", "--limit-errors", "0"],
    ],
)
def test_usage(file, capsys, arguments):
    assert main(["validate", file(HEADER + GOOD), *arguments]) == 2
    told = capsys.readouterr()
    assert told.err
    assert told.out == ""


def test_usage_of_a_file_that_is_not_there_or_has_no_year(file, capsys, tmp_path):
    assert main(["validate", str(tmp_path / "absent.csv"), *CAF]) == 2
    assert "introuvable" in capsys.readouterr().err
    path = file(HEADER + GOOD, "appels.csv")
    assert main(["validate", path, *CAF]) == 2
    assert "--year" in capsys.readouterr().err
    assert main(["validate", path, *CAF, "--year", "2022"]) == 0


@pytest.mark.parametrize(("name", "code"), [("telephone-2022.csv", 2), ("telephone-2022.xlsx", 0)])
def test_a_workbook_stands_for_a_csv_under_its_own_name_alone(file, capsys, name, code):
    """The main job would refuse a workbook named .csv; a filled template is another file."""
    book = openpyxl.Workbook()
    for line in (HEADER.split("\n")[1], GOOD.strip()):
        book.active.append(line.split(";"))
    stream = io.BytesIO()
    book.save(stream)
    assert main(["validate", file(stream.getvalue(), name), *CAF]) == code
    told = " ".join(capsys.readouterr().out.split())
    assert ("Le fichier est un classeur XLSX, alors qu'un CSV est attendu" in told) == (code == 2)


def test_the_terminal_says_no_plural_of_one(file, tmp_path, capsys):
    (tmp_path / "s.json").write_text(json.dumps(SCHEMA))
    assert main(["validate", file("id,jour\n1,demain\n", "f.csv"), "--schema", str(tmp_path / "s.json")]) == 1
    assert "f.csv, 1 ligne, 1 erreur" in " ".join(capsys.readouterr().out.split())


def test_a_file_of_several_years_needs_none(samples, capsys):
    path = str(samples / "barometre-2024" / "ind-304.csv")
    chosen = ["--network", "securite", "--export", "patrouilles", "--json"]
    assert main(["validate", path, *chosen]) == 0
    every = json.loads(capsys.readouterr().out)
    assert every["annee"] is None
    assert main(["validate", path, *chosen, "--year", "2024"]) == 0
    assert 0 < json.loads(capsys.readouterr().out)["lignes_acceptees"] < every["lignes_acceptees"]


def test_the_terminal_groups_problems_and_says_how_to_mend_them(file, capsys):
    bad = "".join(f"0{month}/2022;CAF{place:02d};{place:02d};beaucoup;5\n" for month in (1, 2) for place in range(1, 9))
    assert main(["validate", file(HEADER + bad), *CAF]) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "REJETÉ" in told
    assert "Colonne « Appels présentés » : La valeur n'a pas le type attendu (il faut : nombre entier)." in told
    assert "16 fois, lignes 3, 4, 5 et 13 autres ; vu : « beaucoup »" in told
    assert "Que faire : " in told
    assert "Par exemple : « 2700 »." in told


def test_letters_are_written_for_a_file_that_has_something_to_mend(file, capsys, tmp_path):
    bad = HEADER + GOOD * 2
    assert main(["validate", file(bad), *CAF, "--letter", str(tmp_path / "lettres")]) == 1
    assert sorted(path.name for path in (tmp_path / "lettres").iterdir()) == [
        "telephone-lettre.html",
        "telephone-lettre.txt",
        "telephone-lignes-refusees.xlsx",
    ]
    assert main(["validate", file(HEADER + GOOD), *CAF, "--letter", str(tmp_path / "rien")]) == 0
    assert not (tmp_path / "rien").exists()


def test_no_personal_value_is_told(schemas, file, capsys, tmp_path):
    network = schemas / "networks" / "assurance-maladie.yml"
    text = network.read_text(encoding="utf-8")
    network.write_text(
        text.replace(
            "{name: profil, label: Profil,",
            "{name: profil, label: Profil, personal: true, constraints: {maxLength: 5},",
        )
    )
    content = (
        "Référence;Date;Département;Code CPAM;CPAM;Profil;Satisfaction;Note (1-5);Avis\n"
        "R1;01/02/2022;30;CPAM30;x;MARQUEUR long;Très satisfait;4;Bien\n"
        "R2;01/02/2022;30;CPAM30;x;MARQUEUR;Très satisfait;MARQUEUR;Bien;MARQUEUR\n"
        "R3;01/02/2022;30;CPAM30;marie@example.org;ok;Très satisfait;4;Bien\n"
    )
    command = ["validate", file(content, "e-2022.csv"), "--network", "assurance-maladie", "--export", "enquete"]
    command += ["--schemas", str(schemas), "--letter", str(tmp_path / "l")]
    assert main(command) == 1
    assert main([*command, "--json"]) == 1
    told = capsys.readouterr()
    letters = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "l").glob("*lettre*"))
    everything = told.out + told.err + letters
    assert "(valeur masquée)" in everything
    assert "données personnelles (adresse électronique)" in " ".join(everything.split())
    assert "MARQUEUR" not in everything
    assert "marie" not in everything


# Any file, any schema

SCHEMA = {
    "fields": [{"name": "id", "type": "integer", "constraints": {"required": True}}, {"name": "jour", "type": "date"}],
    "primaryKey": ["id"],
}


def plain(report: dict) -> dict:
    """A report without what differs between two runs: times and paths."""
    report = json.loads(json.dumps(report))
    report["stats"].pop("seconds")
    for task in report["tasks"]:
        task["stats"].pop("seconds")
        task.pop("place")
    return report


@pytest.mark.parametrize(
    ("content", "dialect", "code"),
    [
        ("id,jour\n1,2024-01-02\n", None, 0),
        ("id,jour\nun,2024-01-02\n2,demain\n2,2024-01-02\n,\n\n3\n4,2024-01-01,x\n", None, 1),
        ("id;jour\n1;2024-01-02\nx;y\n", {"delimiter": ";"}, 1),
        ("identifiant,jour\n1,2024-01-02\n", None, 1),
    ],
)
def test_the_report_of_any_file_is_that_of_frictionless(file, tmp_path, capsys, content, dialect, code):
    path, schema = Path(file(content, "f.csv")), tmp_path / "s.json"
    schema.write_text(json.dumps(SCHEMA))
    options = []
    if dialect:
        (tmp_path / "d.json").write_text(json.dumps({"csv": dialect}))
        options = ["--dialect", str(tmp_path / "d.json")]
    assert main(["validate", str(path), "--schema", str(schema), "--json", *options]) == code
    told = plain(json.loads(capsys.readouterr().out))
    own = {"dialect": frictionless.Dialect.from_descriptor({"csv": dialect})} if dialect else {}
    expected = frictionless.Resource(
        path=path.name, basepath=str(path.parent), schema=frictionless.Schema.from_descriptor(SCHEMA), **own
    ).validate()
    assert told == plain(json.loads(expected.to_json()))
    assert main(["validate", str(path), "--schema", str(schema), *options]) == code
    assert capsys.readouterr().out.startswith("VALIDE" if code == 0 else "NON VALIDE")


def test_unreadable_bytes_are_all_located(file, tmp_path, capsys):
    (tmp_path / "s.json").write_text(json.dumps(SCHEMA))
    path = file(b"id,jour\n" + b"1,2024-01-02\n" * 2000 + b"2,\xff\n3,\xe9t\xe9\n", "f.csv")
    options = ["--schema", str(tmp_path / "s.json"), "--encoding", "utf-8"]
    assert main(["validate", path, *options]) == 2
    told = capsys.readouterr().out
    assert "ligne 2002, position 3 : ff" in told
    assert "ligne 2003, position 3 : e9, sans doute « é »" in told
    assert "ligne 2003, position 5" in told


def test_an_unreadable_byte_of_an_export_is_located(file, capsys):
    content = (HEADER + GOOD).encode() + "01/2022;CAF02;02;10;é\n".encode()[:-3] + b"\xe9\n"
    assert main(["validate", file(content), *CAF]) == 2
    told = " ".join(capsys.readouterr().out.split())
    assert "à partir de la ligne 4" in told
    assert "position 21 de la ligne (octets e9, sans doute « é »). ligne 4" in told


def test_errors_are_limited(file, tmp_path, capsys):
    (tmp_path / "s.json").write_text(json.dumps(SCHEMA))
    path = file("id,jour\n" + "x,y\n" * 50, "f.csv")
    assert main(["validate", path, "--schema", str(tmp_path / "s.json"), "--json", "--limit-errors", "7"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["stats"]["errors"] == 7


@pytest.mark.parametrize("schema", ["{", "[]", '{"fields": [{"name": "a", "type": "zut"}]}', '{"fields": 3}'])
def test_a_schema_that_cannot_be_used(file, tmp_path, capsys, schema):
    (tmp_path / "s.json").write_text(schema)
    assert main(["validate", file("a\n1\n", "f.csv"), "--schema", str(tmp_path / "s.json"), "--json"]) == 2
    told = capsys.readouterr()
    report = json.loads(told.out)  # there is one in every case
    assert [error["type"] for error in report["errors"]] == ["schema-error"]
    assert not report["valid"]
    assert report["errors"][0]["note"] in told.err


def test_a_file_of_an_unknown_format_is_unusable(file, tmp_path, capsys):
    (tmp_path / "s.json").write_text(json.dumps(SCHEMA))
    for name in ("f.pdf", "f.xlsx"):
        assert main(["validate", file(b"%PDF-1.4", name), "--schema", str(tmp_path / "s.json")]) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("command", ["validate", "template"])
def test_help_is_light(command):
    code = (
        f"import sys; from pipelines.cli import main\ntry:\n    main(['{command}', '--help'])\n"
        "except SystemExit:\n    pass\n"
        "print('LOADED', *{name.split('.')[0] for name in sys.modules})"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    loaded = set(run.stdout.rsplit("LOADED", 1)[1].split())
    assert loaded.isdisjoint({"pandas", "dagster", "frictionless", "pyarrow", "rich", "xlsxwriter", "yaml", "jinja2"})


@pytest.mark.parametrize(
    "schema", ['{"fields": [1]}', '{"fields": [{"name": "a", "constraints": {"pattern": "("}}]}', "[" * 100_000]
)
def test_a_schema_that_frictionless_fails_on(file, tmp_path, capsys, schema):
    (tmp_path / "s.json").write_text(schema)
    assert main(["validate", file("a\n1\n", "f.csv"), "--schema", str(tmp_path / "s.json")]) == 2
    assert capsys.readouterr().err.startswith("resultats : ")


@pytest.mark.parametrize("options", [["--encoding", "base64"], ["--encoding", "undefined"], ["--dialect", "d.json"]])
def test_an_encoding_or_a_dialect_that_cannot_be_used(file, tmp_path, capsys, monkeypatch, options):
    monkeypatch.chdir(tmp_path)
    Path("s.json").write_text(json.dumps(SCHEMA))
    Path("d.json").write_text('{"headerRows": ["x"]}')
    assert main(["validate", file("id,jour\n1,\n", "f.csv"), "--schema", "s.json", *options]) == 2
    assert capsys.readouterr().err.startswith("resultats : ")


def workbook(rows: list[str]) -> bytes:
    """An XLSX of one sheet, from the XML of its rows."""
    import xlsxwriter

    stream, changed = io.BytesIO(), io.BytesIO()
    with xlsxwriter.Workbook(stream) as book:
        book.add_worksheet().write(0, 0, "id")
    with zipfile.ZipFile(stream) as source, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "xl/worksheets/sheet1.xml":
                start, end = content.index(b"<sheetData>"), content.index(b"</sheetData>")
                content = content[:start] + b"<sheetData>" + "".join(rows).encode() + content[end:]
            target.writestr(name, content)
    return changed.getvalue()


def inline(text: str) -> str:
    return f'<c t="inlineStr"><is><t>{text}</t></is></c>'


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("f.parquet", b"PAR1xxxxPAR1", "n'est pas un parquet lisible"),
        ("f.parquet", b"", "n'est pas un parquet lisible"),
        ("f.xlsx", b"PK\x03\x04rien", "n'est pas un xlsx lisible"),
        ("f.csv", ",".join(f"c{number}" for number in range(20_000)), "20000 colonnes"),
        ("f.csv", "id,jour\n" + "x" * 10_000_001, "la ligne 2 dépasse 10000000 octets"),
        ("f.xlsx", workbook([f"<row>{inline('c') * 5_000}</row>"]), "5000 colonnes"),
        ("f.xlsx", workbook([f"<row>{inline('id')}</row><row>{inline('x' * 3_000_000)}</row>"]), "une cellule dépasse"),
    ],
    ids=["parquet", "empty parquet", "xlsx", "wide csv", "endless line", "wide xlsx", "swollen cell"],
)
def test_a_file_that_is_no_table_is_refused_at_once(file, tmp_path, capsys, name, content, reason):
    (tmp_path / "s.json").write_text(json.dumps(SCHEMA))
    before = time.process_time()
    assert main(["validate", file(content, name), "--schema", str(tmp_path / "s.json"), "--json"]) == 2
    assert time.process_time() - before < 5
    report = json.loads(capsys.readouterr().out)
    assert [error["type"] for error in report["errors"]] == ["format-error"]
    assert reason in report["errors"][0]["note"]


def test_a_workbook_is_judged_as_before(file, tmp_path, capsys):
    (tmp_path / "s.json").write_text(json.dumps(SCHEMA))
    content = workbook([f"<row>{inline('id')}</row>", "<row><c><v>1</v></c></row>"])
    main(["validate", file(content, "f.xlsx"), "--schema", str(tmp_path / "s.json"), "--json"])
    assert json.loads(capsys.readouterr().out)["tasks"][0]["labels"] == ["id"]


def test_files_that_nothing_can_be_read_of_have_one_exit_code(file, capsys):
    oversized = HEADER + GOOD + '02/2022;"' + "x;y\n" * 10_000
    assert main(["validate", file(oversized), *CAF]) == 2
    assert main(["validate", file(HEADER + GOOD + ";" * 20_000 + "\n"), *CAF]) == 2
    assert main(["validate", file(b"a;b\n\x00\x00"), *CAF]) == 2
    assert "démesuré" in capsys.readouterr().out


def test_a_file_too_large_is_refused_before_it_is_read(file, capsys, monkeypatch):
    monkeypatch.setattr(limits, "LARGEST_FILE", 1_000)
    assert main(["validate", file(workbook([f"<row>{inline('Mois') * 1_000}</row>"])), *CAF]) == 2
    assert "démesuré pour un export" in " ".join(capsys.readouterr().out.split())


def test_an_unjudgeable_value_is_told_in_french_by_its_place(file, tmp_path, capsys):
    number = {"name": "n", "type": "number", "constraints": {"minimum": 0}}
    (tmp_path / "s.json").write_text(json.dumps({"fields": [{"name": "id"}, number]}))
    assert main(["validate", file("id,n\na,1\nb,sNaN\n", "f.csv"), "--schema", str(tmp_path / "s.json")]) == 2
    told = capsys.readouterr().err
    assert "Une valeur de la ligne 3 (colonne « n ») n'a pu être jugée" in told
    assert "sNaN" not in told
