"""What must not change while the inside is rebuilt: releases, answers, letters and messages, held against a record.

The record is in ``frozen/``, one JSON file per scenario and subject. When behaviour rightly changes, renew it and
review its diff in git, in the commit that says why::

    RENEW_FROZEN=1 pytest tests/e2e/test_frozen.py        # all of it: samples, corrected, and real where they stand
    RENEW_FROZEN=1 pytest tests/e2e/test_frozen.py -k "samples and letters"

Scenarios: ``samples`` (the shipped samples), ``corrected`` (one network, two releases, the second after a declared
correction) and ``real`` (the real files, where they stand beside the checkout). A failure names the file, its columns
and about how many of its rows changed: of a table the record holds a digest per column and a sign per row (one change
in 64 leaves the sign as it is, never the digest), of a text four signs per line.

What may rightly differ between two machines, two days or two states of the code is replaced, and nothing else:

- places: the folders of the exports, the output, the declarations and the project differ on each machine;
- the digest of a released file, wherever it is quoted (``SHA256SUMS``, ``datapackage.json``, catalogue, ``explain``):
  the bytes of Parquet and XLSX depend on the libraries that write them, ``datapackage.json`` on the code. It becomes
  the name of the file that has this digest, so that a wrong digest is still seen; likewise for declarations, whose
  place in a file (``ligne``) becomes the text that stands there;
- the sizes of Parquet, XLSX and ``datapackage.json``, for the same reason, once found equal to those of the files;
- ``inputs.code``, and what the declarations hash to (``inputs.declarations``, ``declarations`` of a reception,
  ``hash`` of a plan, ``empreinte`` of what waits): made of the code, or of the shape of our own models;
- ``date``, ``jours`` (once found to be the days since ``attendu_le``) and ``faite_le``, of ``status``: the day of the
  test. The messages of a morning and of a night are written for a day given by the test.

Parquet is recorded as its schema and its values, XLSX as its unpacked parts: the same content in other bytes passes.
"""

from __future__ import annotations

import base64
import contextlib
import csv
import datetime
import hashlib
import io
import json
import os
import re
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from assets.workspace import Workspace
from pipelines.cli import main
from pipelines.declarations import load
from pipelines.flow.changes import Look, look
from pipelines.release import history
from pipelines.report.alerts import Places, alerts_of, write_message
from pipelines.report.facts import known_years
from pipelines.report.night import begin_night, end_night, night_brief

pytestmark = pytest.mark.e2e

PROJECT = Path(__file__).resolve().parents[2]
RECORD = Path(__file__).with_name("frozen")
RENEWED = bool(os.environ.get("RENEW_FROZEN"))
DATASET = "resultats-services-publics"
NOW = datetime.datetime(2025, 7, 1, 2, 0, tzinfo=datetime.UTC)
MADE_OF_CODE = "<empreinte>"
SHA256 = re.compile(r"\b[0-9a-f]{64}\b")
SUMS = "SHA256SUMS"
DERIVED = (".parquet", ".xlsx", "datapackage.json")  # their bytes depend on libraries or on the code
SEPARATOR = "\x1f"
LINES: dict[str, str] = {}  # sign of a line → the line, as this session met it: what a failure shows

# Network, indicator, year, then what tells the row: level, territory, structure, period.
QUESTIONS: dict[str, tuple[tuple[str | int, ...], ...]] = {
    "samples": (
        ("france-travail", "taux-net-satisfaction", 2023, "site", "", "FT2B-1", "2023-T4"),  # secret
        ("caf", "satisfaction-globale", 2024, "national", "", "", "2024-T3"),
        ("universites", "insertion-master-shs", 2016, "site", "", "0000001A"),  # not significant at the source
        ("assurance-maladie", "score-avis", 2022, "region", "93"),  # too few answers
        ("barometre", "taux-transparence", 2017, "national"),  # not handed over
        ("gendarmerie", "taux-decroche", 2023, "departement", "75", "", "2023-T1"),  # doesn't apply
        ("securite", "heures-patrouille", 2024, "departement", "35"),  # months of a declared value
        ("assurance-maladie", "dossiers-traites", 2024, "national", "", "", "2024-02"),  # incomplete
        ("prefectures", "delai-moyen", 2022, "site", "", "PREF69"),  # not available at the source
        ("dgfip", "respect-delai-annonce", 2023, "region", "84", "", "2023-S2"),
        ("franceagrimer", "aides-versees", 2024, "departement", "2B"),  # secret of enterprises
        ("franceagrimer", "aides-versees", 2024, "national"),
        ("france-travail", "dossiers-traites", 2023, "site", "", "FT62-1", "2023-01"),
        ("france-services", "actes-france-services", 2024, "region", "93", "", "2024-08"),
        ("france-services", "satisfaction-france-services", 2023, "national"),
        ("dgfip", "taux-decroche", 2023, "national"),  # refused
        ("caf", "csat", 2022, "region", "75", "", "2022-T1"),  # secret, hidden lest another be deduced
        ("barometre", "labels-france-services", 2020, "departement", "01", "", "2020-07"),
        ("dgfip", "ces", 2024, "departement", "13", "", "2024-S1"),
        ("universites", "salaire-master-deg", 2015, "site", "", "0000001A"),  # not filled in
        ("caf", "dossiers-traites", 2024, "region", "94"),  # incomplete
        ("dgfip", "taux-net-satisfaction", 2022, "national", "", "", "2022-S2"),
        ("dgfip", "delai-median", 2022, "national"),
        ("gendarmerie", "interventions", 2022, "departement", "971"),
        ("caf", "satisfaction-agents", 2024, "national"),
        ("caf", "qualite-demarches-en-ligne", 2023, "national"),
        ("prefectures", "taux-decroche", 2022, "departement", "75", "", "2022-06"),
        ("caf", "nps", 2024, "departement", "30"),
        ("france-travail", "score-avis", 2023, "region", "32"),
        ("assurance-maladie", "csat", 2023, "national"),  # the file is a web page
        ("caf", "nps", 2024, "departement", "999"),  # no such row
    ),
    "real": (
        ("barometre", "labels-france-services", 2021, "departement", "52", "", "2021-05"),
        ("caf", "satisfaction-globale", 2024, "national"),
        ("universites", "salaire-master-shs", 2012, "site", "", "0640251A"),
        ("universites", "salaire-master-lla", 2016, "site", "", "9840349G"),
        ("securite", "heures-patrouille", 2023, "region", "52"),
        ("france-services", "actes-france-services", 2023, "national", "", "", "2023-06"),
        ("barometre", "satisfaction-services-publics", 2022, "national"),
    ),
    "corrected": (
        ("gendarmerie", "taux-decroche", 2024, "departement", "01", "", "2024-T1"),
        ("gendarmerie", "taux-decroche", 2024, "departement", "01"),
        ("gendarmerie", "taux-decroche", 2024, "departement", "01", "", "2024-T1", "1.0.0"),
        ("gendarmerie", "taux-decroche", 2023, "departement", "01"),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Scenario:
    """A run to look at: where its exports, declarations and output are, and what it told."""

    name: str
    exports: Path
    schemas: Path
    output: Path
    told: str

    @property
    def releases(self) -> list[Path]:
        """The folders of the releases, the first one first."""
        return sorted((self.output / "releases" / DATASET).iterdir())

    def shown_by(self, path: Path) -> Path:
        """Return the release that a file speaks of: the last one of the data set whose folder it is in."""
        own = self.output / "releases" / path.parent.name
        return max(own.iterdir()) if own.is_dir() else self.releases[-1]

    @cached_property
    def files_by_digest(self) -> dict[str, str]:
        """Digest → name of each file that a release or the declarations hold.

        Of the other data sets, whose releases aren't recorded, only of files that depend on libraries or on the code.
        """
        found: dict[str, str] = {}
        releases = self.output / "releases"
        folders = ((self.schemas, "*.yml"), (releases / DATASET, "*"), (releases, f"*/*/{SUMS}"))
        folders += tuple((releases, f"*/*/*{kind}") for kind in DERIVED)
        for folder, pattern in folders:
            for path in sorted(folder.rglob(pattern)):
                if path.is_file():
                    found.setdefault(_sha256(path.read_bytes()), path.relative_to(folder).as_posix())
        return found

    def plain(self, text: str) -> str:
        """Replace places and the digests of known files."""
        places = {self.output: "<sortie>", self.exports: "<exports>", self.schemas: "<schemas>", PROJECT: "<projet>"}
        for place in sorted(places, key=lambda item: -len(str(item))):
            text = text.replace(str(place), places[place])
        known = self.files_by_digest
        return SHA256.sub(lambda found: f"<empreinte de {known[found[0]]}>" if found[0] in known else found[0], text)

    def ask(self, *words: object, output: Path | None = None) -> dict[str, Any]:
        """Return the exit code of a command, and what it answered: JSON if there is any, then its errors."""
        answer, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(answer), contextlib.redirect_stderr(errors):
            where = ["--schemas", str(self.schemas), *(["--output", str(output)] if output else [])]
            code = main([*map(str, words), *where, "--json"])
        found: dict[str, Any] = {"code": code}
        if answer.getvalue():
            found["reponse"] = json.loads(self.plain(answer.getvalue()))
        return found | ({"erreurs": self.plain(errors.getvalue())} if errors.getvalue() else {})

    def copy(self, folder: Path) -> Path:
        """Return a copy of the output to work on."""
        return Path(shutil.copytree(self.output, folder / "output"))


@pytest.fixture
def scenario(request: pytest.FixtureRequest) -> Scenario:
    name = request.param
    if name == "corrected":
        folder, told = request.getfixturevalue("corrected_run")
        return Scenario(name, folder / "exports", folder / "schemas", folder / "output", told)
    exports = request.getfixturevalue("samples" if name == "samples" else "real")
    output, told = request.getfixturevalue("whole_run" if name == "samples" else "real_run")
    return Scenario(name, exports, PROJECT / "schemas", output, told)


# What is recorded of a file ------------------------------------------------------------------------------------------


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _digest(text: str, signs: int = 8) -> str:
    found = hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
    return base64.b64encode(found)[:signs].decode()


def _lines(text: str) -> dict[str, Any]:
    """Record a text by four signs per line."""
    signs = []
    for line in text.splitlines():
        signs.append(_digest(line, 4))
        LINES[signs[-1]] = line
    return {"texte": " ".join(signs)}


def _table(text: str, *, rows: bool = True) -> dict[str, Any]:
    """Record a CSV: a digest per column, and a sign per row, by network and year where it has these columns."""
    header, *records = list(csv.reader(io.StringIO(text, newline="")))
    by = [place for place, name in enumerate(header) if name in ("reseau", "annee")]
    groups: dict[str, list[str]] = {}
    for record in records if rows else ():
        sign = _sign(SEPARATOR.join(record))
        groups.setdefault(
            " ".join(record[place] for place in sorted(by, key=lambda at: header[at] == "annee")), []
        ).append(sign)
    columns = {name: _digest(SEPARATOR.join(record[place] for record in records)) for place, name in enumerate(header)}
    signs = {group: "".join(found) for group, found in sorted(groups.items())}
    return {"lignes": len(records), "octets": _digest(text), "colonnes": columns} | (
        {"par_ligne": signs} if signs else {}
    )


def _sign(row: str) -> str:
    return "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[zlib.crc32(row.encode()) & 63]


def _parquet(path: Path) -> dict[str, Any]:
    """Record the schema of a Parquet file, how it is packed, and its values."""
    file = pq.ParquetFile(path)
    table, packed = file.read(), file.metadata
    columns = {
        field.name: f"{field.type} {_digest(SEPARATOR.join(map(str, table[field.name].to_pylist())))}"
        for field in table.schema
    }
    told = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    described = [(field.name, field.nullable, field.metadata) for field in table.schema]
    return {
        "lignes": table.num_rows,
        "groupes": packed.num_row_groups,
        "compression": packed.row_group(0).column(0).compression if packed.num_row_groups else None,
        "dit": _digest(json.dumps(told, sort_keys=True) + repr(described)),
        "colonnes": columns,
    }


def _workbook(scenario: Scenario, path: Path) -> dict[str, str]:
    """Record each sheet of a workbook, and the rest of its parts; the sheet of versions alone quotes other files."""
    with zipfile.ZipFile(path) as book:
        names = re.findall(r'<sheet name="([^"]+)"', book.read("xl/workbook.xml").decode())
        parts = {name: book.read(name) for name in sorted(book.namelist())}
    sheets = {f"xl/worksheets/sheet{at}.xml": name for at, name in enumerate(names, 1)}
    for part in (part for part, name in sheets.items() if name == "Versions"):
        parts[part] = scenario.plain(parts[part].decode()).encode()
    rest = [(part, _sha256(content)) for part, content in parts.items() if part not in sheets]
    return {"reste": _digest(repr(rest))} | {name: _sha256(parts[part])[:8] for part, name in sheets.items()}


def _branches(content: Any, depth: int = 2) -> Any:
    """Record a JSON content by its branches: short ones whole, long ones by a digest."""
    if isinstance(content, list) and content and all(isinstance(item, dict) for item in content):
        named = {str(item.get("name") or item.get("path")): item for item in content}
        if len(named) == len(content):
            content = named
    if isinstance(content, dict) and depth:
        return {key: _branches(value, depth - 1) for key, value in content.items()}
    text = json.dumps(content, ensure_ascii=False, sort_keys=True)
    return content if len(text) <= 60 else f"{_digest(text)} ({len(text)})"


def _described(scenario: Scenario, path: Path) -> Any:
    """Record a file by what it is."""
    if path.suffix == ".parquet":
        return _parquet(path)
    if path.suffix == ".xlsx":
        return _workbook(scenario, path)
    text = scenario.plain(path.read_bytes().decode("utf-8"))
    if path.suffix == ".csv" and not path.name.endswith("-anomalies.csv"):
        return _table(text, rows=path.name != "resultats-format-historique.csv")  # a row of it for each of resultats
    if path.suffix == ".json":
        return _branches(_without_sizes(_without_code(json.loads(text)), scenario.shown_by(path)))
    if "-lettre." in path.name:
        text = _without_day(text)
    if path.name.endswith("-lettre.html"):  # the same words as the text beside it
        return {"octets": _digest(text), "lignes": text.count("\n")}
    return _lines(text)


def _without_day(letter: str) -> str:
    """Leave out the day of a letter and that of its answer, which are those of the run, and how lines are cut there."""
    paragraphs = (" ".join(part.split()) for part in re.split(r"\n\s*\n", letter))
    dated = (re.sub(r"(Lettre du|avant le)\s\d+(er)?\s\S+\s\d{4}", r"\1 <jour>", part) for part in paragraphs)
    return "\n".join(part for part in dated if part)


def _without_code(content: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is made of the code, or of the shape of our models; which objects have a fingerprint is kept."""
    if "inputs" not in content:
        return content
    inputs = content["inputs"]
    fingerprints = dict.fromkeys(inputs["declarations"]["fingerprints"], MADE_OF_CODE)
    declarations = {"archive": MADE_OF_CODE, "fingerprints": fingerprints}
    receptions = [item | {"declarations": MADE_OF_CODE} for item in inputs["receptions"]]
    return content | {"inputs": inputs | {"code": MADE_OF_CODE, "declarations": declarations, "receptions": receptions}}


def _without_sizes(content: Any, release: Path) -> Any:
    """Leave out the sizes of files whose bytes may differ, once they are found to be the sizes of these files."""
    if isinstance(content, list):
        return [_without_sizes(item, release) for item in content]
    if not isinstance(content, dict):
        return content
    name = Path(str(content.get("path", ""))).name
    file = release / name
    if name.endswith(DERIVED) and file.is_file() and content.get("bytes") == file.stat().st_size:
        content = content | {"bytes": "<taille du fichier>"}
    return {key: _without_sizes(value, release) for key, value in content.items()}


# What is recorded of a scenario --------------------------------------------------------------------------------------


def release(scenario: Scenario, _: Path) -> dict[str, Any]:
    """Every file of every release; those before the last by a digest each."""
    *earlier, last = (
        {path.name: _described(scenario, path) for path in sorted(folder.iterdir())} for folder in scenario.releases
    )
    told = {
        folder.name: {name: _digest(json.dumps(described, sort_keys=True)) for name, described in files.items()}
        for folder, files in zip(scenario.releases, earlier, strict=False)
    }
    return told | {scenario.releases[-1].name: last}


def catalogue(scenario: Scenario, _: Path) -> dict[str, Any]:
    """What programs read in the folder target, and which release it shows."""
    root = scenario.output / "catalogue"
    latest = {path.name: _sha256(path.read_bytes()) for path in (root / DATASET / "latest").iterdir()}
    last = {name: _sha256(path.read_bytes()) for name, path in history.stable_names(scenario.releases[-1]).items()}
    others = sorted(path for path in root.rglob("*") if path.is_file() and path.parent.name != "latest")
    told = {path.relative_to(root).as_posix(): _described(scenario, path) for path in others}
    return {
        "latest": scenario.releases[-1].name if latest == last else sorted(set(latest.items()) ^ set(last.items())),
        **told,
    }


def letters(scenario: Scenario, _: Path) -> dict[str, Any]:
    """What networks receive: letters, annotated copies, lists of anomalies."""
    pattern = re.compile(r"-lettre\.(html|txt)$|-lignes-refusees\.xlsx$|-anomalies\.csv$")
    found = sorted(path for path in (scenario.output / "work").rglob("*") if pattern.search(path.name))
    return {path.relative_to(scenario.output).as_posix(): _described(scenario, path) for path in found}


def run(scenario: Scenario, _: Path) -> dict[str, Any]:
    """What the run told at its end."""
    return _lines(scenario.plain(scenario.told))


def status(scenario: Scenario, _: Path) -> dict[str, Any]:
    """``resultats status``."""
    found = scenario.ask("status", output=scenario.output)
    told = found["reponse"]
    day = datetime.date.fromisoformat(told["date"])
    for late in told["retards"]:
        assert late["jours"] == (day - datetime.date.fromisoformat(late["attendu_le"])).days
        late["jours"] = "<jours depuis attendu_le>"
    for dataset in told["jeux_de_donnees"]:
        if dataset["version"]:
            assert datetime.datetime.fromisoformat(dataset["faite_le"])
            dataset["faite_le"] = "<moment>"
    for waiting in told["en_attente"]:
        waiting["empreinte"] = MADE_OF_CODE
    return found | {"reponse": told | {"date": "<jour>"}}


def plan(scenario: Scenario, folder: Path) -> dict[str, Any]:
    """``resultats plan``: on the catalogue as it is, on none, and on one that shows the first release alone."""
    output = scenario.copy(folder)
    told = {"catalogue à jour": _planned(scenario, output)}
    shutil.rmtree(output / "catalogue")
    told["aucun catalogue"] = _planned(scenario, output)
    return told


def _planned(scenario: Scenario, output: Path) -> dict[str, Any]:
    found = scenario.ask("plan", output=output)
    for item in found["reponse"].get("plans", ()):
        assert re.fullmatch("[0-9a-f]{64}", item["hash"])
        item["hash"] = MADE_OF_CODE
    return _shortened(json.loads(json.dumps(found).replace(str(output), "<sortie>")))


def explain(scenario: Scenario, _: Path) -> dict[str, Any]:
    """``resultats explain``, on rows of all kinds."""
    names = ("--network", "--indicator", "--year", "--level", "--territory", "--structure", "--period", "--release")
    told = {}
    for question in QUESTIONS[scenario.name]:
        words = [word for name, value in zip(names, question, strict=False) if value for word in (name, value)]
        found = scenario.ask("explain", *words, output=scenario.output)
        for item in found.get("reponse", {}).get("declarations", ()):
            place = scenario.schemas / item["fichier"]
            item["ligne"] = place.read_text(encoding="utf-8").splitlines()[item["ligne"] - 1].strip()
        if "estimateur" in found.get("reponse", {}):
            definition = found["reponse"]["estimateur"]["definition"]
            found["reponse"]["estimateur"]["definition"] = f"{definition[:30]}… {_digest(definition)}"
        told[" ".join(str(word) for word in question if word)] = found
    return told


def validate(scenario: Scenario, folder: Path) -> dict[str, Any]:
    """``resultats validate``, on each file that was received, for its last year, and on some that are damaged."""
    inputs = json.loads((scenario.releases[-1] / "datapackage.json").read_text(encoding="utf-8"))["inputs"]
    last = {
        (item["network"], file["export"], file["path"]): item["year"]
        for item in inputs["receptions"]
        for file in item["files"]
    }
    told = {}
    for (network, export, path), year in sorted(last.items()):
        words = (scenario.exports / path, "--network", network, "--export", export, "--year", year)
        told[f"{path} {export} {year}"] = _shortened(scenario.ask("validate", *words))
    return told | (_damaged(scenario, folder) if scenario.name == "samples" else {})


def _damaged(scenario: Scenario, folder: Path) -> dict[str, Any]:
    """Judge a file damaged in several ways, and one by a schema of its own."""
    whole = (scenario.exports / "dgfip" / "telephone-2024.csv").read_bytes()
    book = (scenario.exports / "dgfip" / "enquete-2024.xlsx").read_bytes()
    lines = whole.splitlines(keepends=True)
    damages = {
        "vide": ("telephone", b""),
        "page web": ("telephone", b"<!DOCTYPE html><html><body>Erreur 502</body></html>"),
        "colonne absente": ("telephone", b"".join(line.split(b",", 1)[1] for line in lines)),
        "autre séparateur": ("telephone", whole.replace(b",", b";")),
        "lignes en double": ("telephone", b"".join([*lines, *lines[1:30]])),
        "octets nuls": ("telephone", b"".join([*lines[:5], b"\0\0,\xff\xfe\n"])),
        "classeur coupé": ("enquete", book[: len(book) // 2]),
        "format inattendu": ("enquete", whole),
    }
    told = {}
    for name, (export, content) in damages.items():
        path = folder / (f"{export}-2024.csv" if export == "telephone" else f"{export}-2024.xlsx")
        path.write_bytes(content)
        found = scenario.ask("validate", path, "--network", "dgfip", "--export", export, "--year", 2024)
        told[f"abîmé : {name}"] = _shortened(found)
    table, schema = folder / "essai.csv", folder / "essai.json"
    table.write_text("code,valeur\nA,1\nB,x\nA,3\n", encoding="utf-8")
    fields = [{"name": "code", "type": "string"}, {"name": "valeur", "type": "integer"}]
    schema.write_text(json.dumps({"fields": fields, "primaryKey": "code"}), encoding="utf-8")
    found = scenario.ask("validate", table, "--schema", schema)
    for task in found["reponse"]["tasks"]:
        task["stats"].pop("seconds", None)
    found["reponse"]["stats"].pop("seconds", None)
    return told | {"avec un schéma": json.loads(json.dumps(found).replace(str(folder), "<dossier>"))}


def night(scenario: Scenario, folder: Path) -> dict[str, Any]:
    """The summary of a first night, then what looks find: of the same exports, and of the same in another place."""
    declared, output = load(scenario.schemas), scenario.copy(folder)
    known = Workspace(exports=str(scenario.exports), output=str(output), schemas=str(scenario.schemas))
    unknown = Workspace(exports=str(scenario.exports), output=str(folder / "vide"), schemas=str(scenario.schemas))
    moved = Workspace(
        exports=str(shutil.copytree(scenario.exports, folder / "exports")), output=str(output), schemas=known.schemas
    )
    record = begin_night(known.store, "2025-07-01", look(declared, unknown.store, known.root), NOW)
    text = end_night(known.store, declared, record, {("caf", 2022): "essai"}, "tables à jour, version publiée", NOW)
    return {
        "à traiter": [f"{item['network']} {item['year']} : {item['resultat']}" for item in record["a_traiter"]],
        "bilan": _lines(text.replace(str(output), "<sortie>")),
        "en bref": night_brief(record).splitlines(),
        "regard suivant": _told(look(declared, known.store, known.root)),
        "exports déplacés": _told(look(declared, moved.store, moved.root)),
    }


def _told(found: Look) -> Any:
    return _shortened([f"{cell.network} {cell.year} : {cell.why}" for cell in (*found.cells, *found.ignored)])


def morning(scenario: Scenario, _: Path) -> dict[str, Any]:
    """The message of a morning to the data team: what is late, refused or not computed."""
    workspace = Workspace(exports=str(scenario.exports), output=str(scenario.output), schemas=str(scenario.schemas))
    places = Places(workspace.exports, workspace.output, "https://dagster.example")
    declared = load(scenario.schemas)
    years = known_years(workspace.store, declared)
    alerts = alerts_of(declared, workspace.store, years, places, NOW.date())
    message = write_message(alerts, NOW.date())
    told = {"sujet": message.subject, "texte": message.text.splitlines(), "faits": message.payload["faits"]}
    return dict(json.loads(scenario.plain(json.dumps(told, ensure_ascii=False))))


def _shortened(content: Any) -> Any:
    """Keep of a long list its first item, and a digest of them all."""
    if isinstance(content, dict):
        return {key: _shortened(value) for key, value in content.items()}
    if isinstance(content, list):
        kept = [_shortened(item) for item in content[:1]]
        rest = json.dumps(content, ensure_ascii=False, sort_keys=True)
        return kept + ([f"… {len(content)} en tout, {_digest(rest)}"] if len(content) > 1 else [])
    return content


# The comparison ------------------------------------------------------------------------------------------------------


def differences(before: Any, after: Any, place: str) -> Iterator[str]:
    """Yield, in one line each, how what is found now differs from what was recorded."""
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        if "lignes" in before and "colonnes" in before and "colonnes" in after:
            yield _table_differs(before, after, place)
        elif set(before) == set(after) == {"texte"}:
            yield from _text_differs(before["texte"].split(), after["texte"].split(), place)
        else:
            yield from _branches_differ(before, after, place)
    elif isinstance(before, list) and isinstance(after, list):
        if len(before) != len(after):
            yield f"{place} : {len(before)} éléments → {len(after)}"
        for at, (one, other) in enumerate(zip(before, after, strict=False), 1):
            yield from differences(one, other, f"{place}[{at}]")
    else:
        yield f"{place} : {_shown(before)} → {_shown(after)}"


def _branches_differ(before: dict[str, Any], after: dict[str, Any], place: str) -> Iterator[str]:
    for name in [*before, *(name for name in after if name not in before)]:
        if name not in after:
            yield f"{place} › {name} : n'est plus là"
        elif name not in before:
            yield f"{place} › {name} : nouveau"
        else:
            yield from differences(before[name], after[name], f"{place} › {name}")


def _table_differs(before: dict[str, Any], after: dict[str, Any], place: str) -> str:
    old, new = before["colonnes"], after["colonnes"]
    told = [f"{before['lignes']} lignes → {after['lignes']}"] if before["lignes"] != after["lignes"] else []
    gone, added = [name for name in old if name not in new], [name for name in new if name not in old]
    told += [f"colonnes retirées : {', '.join(gone)}"] if gone else []
    told += [f"colonnes ajoutées : {', '.join(added)}"] if added else []
    changed = [name for name in old if name in new and old[name] != new[name]]
    told += [f"colonnes changées : {', '.join(changed)}"] if changed else []
    told += [f"ordre des colonnes : {', '.join(new)}"] if not gone + added and list(old) != list(new) else []
    told += _rows_differ(before.get("par_ligne", {}), after.get("par_ligne", {}))
    named = ("lignes", "colonnes", "par_ligne", "octets")
    told += [
        f"{name} : {before.get(name)} → {after.get(name)}"
        for name in after
        if name not in named and before.get(name) != after.get(name)
    ]
    return (
        f"{place} : {' ; '.join(told) or 'autre écriture des mêmes valeurs (guillemets, séparateurs, fins de ligne)'}"
    )


def _rows_differ(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Tell about how many rows changed, and in which groups most."""
    counts = {}
    for group in {**before, **after}:
        old, new = before.get(group, ""), after.get(group, "")
        if old != new:
            counts[group] = sum(one != other for one, other in zip(old, new, strict=False)) + abs(len(old) - len(new))
    most = sorted(counts, key=lambda group: -counts[group])[:5]
    shown = ", ".join(f"{group or 'table'} {counts[group]}" for group in most)
    return (
        [f"environ {sum(counts.values())} lignes changées ({shown}{'…' if len(counts) > 5 else ''})"] if counts else []
    )


def _text_differs(before: list[str], after: list[str], place: str) -> Iterator[str]:
    new = [(at, sign) for at, sign in enumerate(after, 1) if sign not in before]
    gone = [at for at, sign in enumerate(before, 1) if sign not in after]
    yield f"{place} : {len(before)} lignes → {len(after)}, {len(gone)} disparues {gone[:5]}, {len(new)} nouvelles"
    yield from (f"    ligne {at} : {_shown(LINES.get(sign, ''))}" for at, sign in new[:3])


def _written(content: Any, depth: int = 3) -> str:
    """Write JSON with one line per branch down to some depth: short, and a diff says which branch changed."""
    if not depth or not isinstance(content, dict | list) or not content:
        return json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    within = "\n" + " " * (4 - depth)
    named = isinstance(content, dict)
    items = [f"{json.dumps(key, ensure_ascii=False)}: " for key in content] if named else [""] * len(content)
    values = content.values() if isinstance(content, dict) else content
    body = f",{within}".join(f"{name}{_written(value, depth - 1)}" for name, value in zip(items, values, strict=True))
    opened, closed = "{}" if named else "[]"
    return f"{opened}{within}{body}{within[:-1]}{closed}"


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 160 else f"{text[:160]}…"


SUBJECTS: dict[str, tuple[Callable[[Scenario, Path], Any], ...]] = {
    "samples": (release, catalogue, letters, run, status, plan, explain, validate, night, morning),
    "corrected": (release, catalogue, run, status, plan, explain),
    "real": (release, catalogue, letters, run, status, plan, explain, validate),
}
FROZEN = [
    pytest.param(name, subject, id=f"{name}-{subject.__name__}")
    for name, subjects in SUBJECTS.items()
    for subject in subjects
]


@pytest.mark.parametrize(("scenario", "subject"), FROZEN, indirect=["scenario"])
def test_nothing_changed_but_what_the_record_says(scenario, subject, tmp_path):
    found = json.loads(json.dumps(subject(scenario, tmp_path)))
    record = RECORD / scenario.name / f"{subject.__name__}.json"
    if RENEWED:
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(_written(found) + "\n", encoding="utf-8")
    told = list(differences(json.loads(record.read_text(encoding="utf-8")), found, subject.__name__))
    more = [f"… et {len(told) - 40} autres"] if len(told) > 40 else []
    assert not told, "\n".join(["ce qui est figé a changé (RENEW_FROZEN=1 le renouvelle) :", *told[:40], *more])


TABLE = "reseau,annee,valeur\ncaf,2023,1\ncaf,2024,2\ndgfip,2024,3\n"


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (
            TABLE.replace("caf,2024,2", "caf,2024,9"),
            "colonnes changées : valeur ; environ 1 lignes changées (caf 2024 1)",
        ),
        (TABLE + "dgfip,2025,4\n", "3 lignes → 4"),
        (TABLE.replace("valeur", "montant"), "colonnes retirées : valeur ; colonnes ajoutées : montant"),
        (TABLE.replace(",1\n", ',"1"\n'), "autre écriture des mêmes valeurs"),
    ],
)
def test_a_changed_table_is_told_by_its_columns_and_rows(after, told):
    (line,) = differences(_table(TABLE), _table(after), "resultats.csv")
    assert line.startswith("resultats.csv : ")
    assert told in line


def test_a_changed_text_is_told_by_its_lines():
    told = list(differences(_lines("bonjour\nau revoir"), _lines("bonjour\nà demain"), "lettre.txt"))
    assert told == ["lettre.txt : 2 lignes → 2, 1 disparues [2], 1 nouvelles", "    ligne 2 : à demain"]
    moved = list(differences(_lines("un\ndeux"), _lines("deux\nun"), "lettre.txt"))
    assert moved == ["lettre.txt : 2 lignes → 2, 0 disparues [], 0 nouvelles"]


def test_the_record_is_written_and_read_without_loss():
    content = {"a": {"b": [{"c": None}, "d"], "e": {}}, "f": [], "g": "é\n"}
    assert json.loads(_written(content)) == content
