"""Whole runs that several end-to-end tests read, made once for all the workers of a session."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

PROJECT = Path(__file__).resolve().parents[2]
CORRECTION = """\
corrections:
  - {export: resultats, year: 2024, where: {trimestre: 01/01/2024, zone: D01}, field: appels_traites,
     expected: "3977", value: "3900", reason: erreur de saisie, date: 2025-03-03}
"""


@pytest.fixture(scope="session")
def whole_run(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> tuple[Path, str]:
    """The output of a run of the shipped samples, and what it told. To be read only: work on a copy."""
    return _made_once(tmp_path_factory, "whole-run", lambda output: _run(samples, output))


@pytest.fixture(scope="session")
def real_run(tmp_path_factory: pytest.TempPathFactory, real: Path) -> tuple[Path, str]:
    """The output of a run of the real files, and what it told. To be read only: work on a copy."""
    return _made_once(tmp_path_factory, "real-run", lambda output: _run(real, output))


@pytest.fixture(scope="session")
def corrected_run(
    tmp_path_factory: pytest.TempPathFactory, samples: Path, few_networks: Callable[..., Path]
) -> tuple[Path, str]:
    """One network (exports, schemas, output) run, then run again with a correction; and what the second run told."""

    def make(folder: Path) -> str:
        schemas, output = folder / "schemas", folder / "output"
        shutil.copytree(few_networks("gendarmerie"), schemas)
        shutil.copytree(samples / "gendarmerie", folder / "exports" / "gendarmerie")
        _run(folder / "exports", output, "--schemas", schemas)
        (schemas / "corrections").mkdir(exist_ok=True)
        (schemas / "corrections" / "gendarmerie.yml").write_text(CORRECTION, encoding="utf-8")
        return _run(folder / "exports", output, "--schemas", schemas)

    return _made_once(tmp_path_factory, "corrected-run", make)


def _made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], str]) -> tuple[Path, str]:
    """Make a folder, unless another worker of this session did, and return what making it told."""
    shared = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder, told = shared / name, shared / f"{name}.txt"
    with FileLock(shared / f"{name}.lock"):
        if not told.exists():
            shutil.rmtree(folder, ignore_errors=True)
            told.write_text(make(folder), encoding="utf-8")
    return folder, told.read_text(encoding="utf-8")


def _run(exports: Path, output: Path, *options: object) -> str:
    """Run the command without any instance to write to."""
    environment = {key: value for key, value in os.environ.items() if key != "DAGSTER_HOME"}
    words = ["run", "--exports", exports, "--output", output, *options]
    command = [str(word) for word in (Path(sys.executable).with_name("resultats"), *words)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=PROJECT, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout
