"""Declarations of a folder → the Catalogue, or all that is wrong with them at once."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from typing import TYPE_CHECKING, TypeVar

from pydantic import TypeAdapter, ValidationError

from pipelines.declarations import barometer as barometer_files
from pipelines.declarations import experiences as experience_files
from pipelines.declarations.barometer import Barometer
from pipelines.declarations.catalogue import TYPOLOGIES, Catalogue
from pipelines.declarations.crosschecks import crosscheck
from pipelines.declarations.datasets import Dataset, Table
from pipelines.declarations.experiences import Experiences, ThemeFamily, Typologies
from pipelines.declarations.indicator import Indicator
from pipelines.declarations.network import Network
from pipelines.declarations.problems import DeclarationError, Problem, from_pydantic
from pipelines.declarations.references import (
    AbsenceReasons,
    Corrections,
    Engagements,
    Placed,
    QualityCriteria,
    SignalNotes,
    Territories,
)
from pipelines.declarations.strict_model import Identifier, Model
from pipelines.declarations.yaml_source import Document, parse
from pipelines.mechanics.files import stable_zip

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

ModelT = TypeVar("ModelT", bound=Model)
PlacedT = TypeVar("PlacedT", bound=Placed)
_OF_VOICES = ("experiences", "themes", "signals")  # folders
_IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)


class _Reader:
    """Reads one folder, remembering every document (for lines) and every problem."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.problems: list[Problem] = []
        self.documents: dict[str, Document] = {}

    def say(self, file: str, message: str, line: int = 1) -> None:
        """Remember what is wrong with a file as a whole."""
        self.problems.append(Problem(file, line, "", message))

    def folder(self, name: str, model: type[ModelT]) -> dict[str, ModelT]:
        """Read ``<root>/<name>/*.yml``; the id of each object is its file's name."""
        declared: dict[str, ModelT] = {}
        for path in sorted((self.root / name).glob("*.y*ml")):
            file = path.relative_to(self.root).as_posix()
            if path.suffix != ".yml":
                self.say(file, "l'extension attendue est .yml")
                continue
            if name != "tables" and not _is_identifier(path.stem):
                message = "nom de fichier : minuscules sans accent, chiffres et tirets seulement (c'est l'identifiant)"
                self.say(file, message)
            value = self.file(file, model)
            if value is not None:
                declared[path.stem] = value
        return declared

    def file(self, file: str, model: type[ModelT]) -> ModelT | None:
        """Read one file; on any problem, remember it and return None."""
        try:
            document = parse((self.root / file).read_text(encoding="utf-8"))
        except FileNotFoundError:
            self.say(file, "fichier absent")
            return None
        except UnicodeDecodeError as error:
            self.say(file, f"le fichier n'est pas en UTF-8 (octet {error.start})")
            return None
        self.documents[file] = document
        for line, message in document.problems:
            self.say(file, message, line)
        if document.problems:
            return None
        try:
            return model.model_validate(document.data)
        except ValidationError as error:
            self.problems += from_pydantic(file, document, error.errors(), model)
            return None

    def placed(self, file: str, key: str, listed: Iterable[PlacedT]) -> tuple[PlacedT, ...]:
        """Return what a file lists under a key, each with the line where it is declared."""
        document = self.documents[file]
        return tuple(each.at(f"{file}:{document.line((key, index))}") for index, each in enumerate(listed))


def _is_identifier(stem: str) -> bool:
    try:
        _IDENTIFIER.validate_python(stem)
    except ValidationError:
        return False
    return True


def load(root: Path) -> Catalogue:
    """Read every declaration below ``root``.

    Raises DeclarationError with all problems of all files: what the models refuse, then what does not hold across
    files. Where the faulty files are all of users' voices, they alone are left out (``Catalogue.left_out``): no result
    is made of them.
    """
    reader = _Reader(root)
    if not root.is_dir():
        raise DeclarationError([Problem(".", 1, "", f"dossier de déclarations absent : {root}")])
    networks = reader.folder("networks", Network)
    barometers = reader.folder("barometers", Barometer)
    experiences = reader.folder("experiences", Experiences)
    themes = reader.folder("themes", ThemeFamily)
    indicators = reader.folder("indicators", Indicator)
    tables = reader.folder("tables", Table)
    datasets = reader.folder("datasets", Dataset)
    corrections = reader.folder("corrections", Corrections)
    notes = reader.folder("signals", SignalNotes)
    territories = reader.file("references/territoires.yml", Territories)
    reasons = reader.file("references/motifs.yml", AbsenceReasons)
    engagements = reader.file("references/engagements.yml", Engagements)
    quality = reader.file("references/qualite.yml", QualityCriteria)
    typologies = reader.file(TYPOLOGIES, Typologies) if experiences else None
    for name, declared in (("networks", networks), ("indicators", indicators)):
        if not declared and not any(problem.file.startswith(name) for problem in reader.problems):
            reader.say(name, "aucune déclaration dans ce dossier")
    for kind, apart in (("barometers", barometers), ("experiences", experiences)):
        for name in apart.keys() & networks.keys():
            reader.say(f"{kind}/{name}.yml", f"« {name} » est déjà l'identifiant d'un réseau (networks/{name}.yml)")
    catalogue = Catalogue(
        networks={**_received(barometers, experiences), **networks},
        barometers=barometers,
        experiences=experiences,
        typologies=typologies.typologies if typologies else {},
        themes=themes,
        indicators=indicators,
        tables=tables,
        datasets=datasets,
        corrections={
            name: reader.placed(f"corrections/{name}.yml", "corrections", value.corrections)
            for name, value in corrections.items()
        },
        signal_notes={
            name: reader.placed(f"signals/{name}.yml", "notes", value.notes) for name, value in notes.items()
        },
        # A broken reference is told with the rest: the checks across files go on without it.
        territories=territories or Territories.model_construct(vintage=date.min, source="", territories=()),
        reasons=reasons.reasons if reasons else {},
        engagements=engagements.engagements if engagements else {},
        quality=quality.criteria if quality else {},
    )
    broken = {problem.file for problem in reader.problems}
    problems = [*reader.problems, *crosscheck(catalogue, reader.documents, broken)]
    if any(not _of_voices(problem.file, reader.root) for problem in problems):
        raise DeclarationError(problems)
    return catalogue.leaving_out(problems) if problems else catalogue


def _of_voices(file: str, root: Path) -> bool:
    """Whether a file tells of users' texts, of their voices or of signals alone."""
    folder, _, name = file.partition("/")
    of_texts = folder == "corrections" and (root / "experiences" / name).is_file()
    return of_texts or folder in _OF_VOICES or file == TYPOLOGIES


def _received(barometers: Mapping[str, Barometer], experiences: Mapping[str, Experiences]) -> dict[str, Network]:
    """Return what the files of barometers and experiences are to those who receive and judge them."""
    waves = {name: barometer_files.as_network(barometer) for name, barometer in barometers.items()}
    texts = {name: experience_files.as_network(source) for name, source in experiences.items()}
    return {**{name: network for name, network in waves.items() if network}, **texts}


def bundle(root: Path) -> bytes:
    """Return a zip of every ``.yml`` file below ``root``, what a release was made under: same files, same bytes."""
    members = ((path.relative_to(root).as_posix(), path.read_bytes()) for path in sorted(root.rglob("*.yml")))
    return stable_zip(members, zipfile.ZIP_STORED)


def unbundle(content: bytes, folder: Path) -> None:
    """Write the files of a bundle below ``folder``; zipfile keeps them from leaving it."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(folder)
