"""A whole run on users' texts that hold personal details: none is in an output, a log, an event or a message.

Over a hundred kinds of them by place: those of ``tests/voice/planted.py`` in columns that are personal and in others,
of accepted rows, of refused ones, of shifted ones. Only the archive and the private rows hold texts.
"""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.voice.planted import CONTEXTS, bare, planted

pytestmark = pytest.mark.e2e
PROJECT = Path(__file__).resolve().parents[2]
KINDS = ("courriel", "telephone", "nir", "iban", "carte", "plaque", "dossier", "adresse", "naissance", "civilite-nom")
PLACES = ("titre", "description", "pseudonyme_usager", "clé_de_tracking", "commune_usager", "réponses")
OTHERS = ("id", "etat_de_lexpérience", "ressenti_usager", "date_de_publication", "écrit_le", "typologies", "structure",
          "evaluation_du_ressenti_par_canal_de_contact", "tags_généraux_réactivité", "posté_comme")  # fmt: skip
PRIVATE = ("archive/", "work/judged/", "/observations/")  # the file as it came, and the rows that voices are made of


def rows_with(places: tuple[str, ...]) -> tuple[list[str], list[list[str]], list[str]]:
    """The header of the sample of 2022, its rows with a detail of each kind in each place, and these details."""
    path = PROJECT / "data" / "samples" / "experiences" / "experiences-2022.csv"
    header, *rows = csv.reader(path.read_text(encoding="utf-8").splitlines(), delimiter=";")
    header, secrets = [*header, "réponses", "colonne inconnue"], []
    rows = [[*row, "", ""] for row in rows[:700]]
    at = 0
    for kind in KINDS:
        for place in (*places, "colonne inconnue"):
            details = list(planted(kind, 40))
            for refused in (False, True):
                detail = details[at % 40]
                row = rows[at]
                row[header.index(place)] = detail.written
                if refused and place not in OTHERS:
                    row[header.index("ressenti_usager")] = "Mitigé"
                secrets.append(detail.secret)
                at += 1
        shifted = rows[at]
        shifted[header.index("description")] = CONTEXTS[0].format(detail.written)
        shifted.insert(3, "case de trop")
        at += 1
    return header, rows, secrets


@pytest.fixture(scope="module")
def run(tmp_path_factory, few_networks) -> tuple[Path, str, list[str]]:
    """The output of a whole run, what it printed, and what must be nowhere in them."""
    folder = tmp_path_factory.mktemp("textes")
    header, rows, secrets = rows_with((*PLACES, *OTHERS))
    exports = folder / "exports" / "experiences"
    exports.mkdir(parents=True)
    with (exports / "experiences-2022.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";").writerows([header, *rows])
    schemas = few_networks("services-publics-plus", "gendarmerie")
    declared = schemas / "experiences" / "services-publics-plus.yml"
    declared.write_text(
        declared.read_text(encoding="utf-8").replace("max_refused_share: 0.05", "max_refused_share: 0.9"),
        encoding="utf-8",
    )
    done = subprocess.run(  # the command ends badly when half of a file is refused: what it left is what counts
        [sys.executable, "-m", "pipelines.cli", "run", "--exports", folder / "exports", "--output", folder / "output",
         "--schemas", schemas],
        check=False, cwd=PROJECT, capture_output=True, text=True, env=_environment(folder),
    )  # fmt: skip
    assert (folder / "output" / "work" / "networks" / "services-publics-plus" / "2022" / "report.json").exists(), (
        done.stderr
    )
    return folder, done.stdout + done.stderr, secrets


def _environment(folder: Path) -> dict[str, str]:
    home = folder / "dagster"
    home.mkdir()
    shutil.copy(PROJECT / "dagster.yaml", home)
    return {**os.environ, "DAGSTER_HOME": str(home)}


def texts_of(path: Path) -> str:
    """All the text of a file: of a Parquet and of a zipped workbook too."""
    if path.suffix == ".parquet":
        return str(pq.read_table(path).to_pylist()) + str(pq.read_schema(path).metadata)
    content = path.read_bytes()
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            return "\n".join(packed.read(name).decode("utf-8", "ignore") for name in packed.namelist())
    return content.decode("utf-8", "ignore")


def found_in(text: str, secrets: list[str]) -> list[str]:
    told = bare(re.sub(r"<[^>]+>", " ", text))
    return [secret for secret in secrets if secret in told]


def test_no_planted_detail_is_in_any_file_log_event_or_message(run):
    folder, printed, secrets = run
    assert len(secrets) >= 300
    assert found_in(printed, secrets) == []
    seen = 0
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not name.startswith("exports/") and not any(part in name for part in PRIVATE):
            assert found_in(texts_of(path), secrets) == [], name
            seen += 1
    assert seen > 20


def test_what_is_looked_for_is_really_there(run):
    folder, _, secrets = run
    assert (
        len(found_in((folder / "exports/experiences/experiences-2022.csv").read_text(encoding="utf-8"), secrets)) >= 100
    )
    letters = list(folder.rglob("*-lignes-refusees.xlsx"))
    assert len(letters) == 1 and "valeur masquée" in texts_of(letters[0])


def test_private_rows_hold_no_more_than_the_texts(run):
    folder, _, _ = run
    held = pq.read_table(next(folder.rglob("observations/experiences.parquet")))
    assert {"titre", "description"} <= set(held.column_names)
    assert not {"pseudonyme", "cle_de_tracking", "commune", "reponse_1"} & set(held.column_names)
