"""Declarations of a folder → the Catalogue, or all that is wrong with them at once."""

from __future__ import annotations

from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from pydantic import TypeAdapter, ValidationError

from pipelines.declarations import barometer as barometer_files
from pipelines.declarations import experiences as experience_files
from pipelines.declarations.barometer import Barometer
from pipelines.declarations.catalogue import TYPOLOGIES, AbsenceReasons, Catalogue, Engagements, QualityCriteria
from pipelines.declarations.crosschecks import crosscheck
from pipelines.declarations.datasets import Dataset, Table
from pipelines.declarations.experiences import Experiences, ThemeFamily, Typologies
from pipelines.declarations.indicator import Indicator
from pipelines.declarations.network import Network
from pipelines.declarations.problems import DeclarationError, Problem, from_pydantic
from pipelines.declarations.references import Correction, Corrections, Territories
from pipelines.declarations.signal_notes import SignalNote, SignalNotes
from pipelines.declarations.strict_model import Identifier, Model
from pipelines.declarations.yaml_source import Document, parse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ModelT = TypeVar("ModelT", bound=Model)
_OF_VOICES = ("experiences", "themes", "signals")  # folders
_IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)


class _Reader:
    """Reads one folder, remembering every document (for lines) and every problem."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.problems: list[Problem] = []
        self.documents: dict[str, Document] = {}

    def folder(self, name: str, model: type[ModelT]) -> dict[str, ModelT]:
        """Read ``<root>/<name>/*.yml``; the id of each object is its file's name."""
        found: dict[str, ModelT] = {}
        for path in sorted((self.root / name).glob("*.y*ml")):
            file = path.relative_to(self.root).as_posix()
            if path.suffix != ".yml":
                self.problems.append(Problem(file, 1, "", "l'extension attendue est .yml"))
                continue
            if name != "tables":
                self._check_name(file, path.stem)
            value = self.file(file, model)
            if value is not None:
                found[path.stem] = value
        return found

    def _check_name(self, file: str, stem: str) -> None:
        try:
            _IDENTIFIER.validate_python(stem)
        except ValidationError:
            message = "nom de fichier : minuscules sans accent, chiffres et tirets seulement (c'est l'identifiant)"
            self.problems.append(Problem(file, 1, "", message))

    def file(self, file: str, model: type[ModelT]) -> ModelT | None:
        """Read one file; on any problem, remember it and return None."""
        path = self.root / file
        try:
            document = parse(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            self.problems.append(Problem(file, 1, "", "fichier absent"))
            return None
        except UnicodeDecodeError as error:
            self.problems.append(Problem(file, 1, "", f"le fichier n'est pas en UTF-8 (octet {error.start})"))
            return None
        self.documents[file] = document
        if document.problems:
            self.problems += [Problem(file, item.line, "", item.message) for item in document.problems]
            return None
        try:
            return model.model_validate(document.data)
        except ValidationError as error:
            self.problems += from_pydantic(file, document, error.errors(), model)
            return None

    def placed(self, network: str, corrections: Corrections) -> tuple[Correction, ...]:
        """Return the corrections of a network, each with the file and line where it is declared."""
        lines = self._lines(f"corrections/{network}.yml", "corrections", len(corrections.corrections))
        return tuple(item.at(place) for item, place in zip(corrections.corrections, lines, strict=True))

    def placed_notes(self, name: str, notes: SignalNotes) -> tuple[SignalNote, ...]:
        """Return the notes of a file, each with its line."""
        lines = self._lines(f"signals/{name}.yml", "notes", len(notes.notes))
        return tuple(item.at(place) for item, place in zip(notes.notes, lines, strict=True))

    def _lines(self, file: str, key: str, count: int) -> list[str]:
        return [f"{file}:{self.documents[file].line((key, index))}" for index in range(count)]


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
    for name, found in (("networks", networks), ("indicators", indicators)):
        if not found and not any(problem.file.startswith(name) for problem in reader.problems):
            reader.problems.append(Problem(name, 1, "", "aucune déclaration dans ce dossier"))
    for kind, apart in (("barometers", barometers), ("experiences", experiences)):
        for name in apart.keys() & networks.keys():
            told = f"« {name} » est déjà l'identifiant d'un réseau (networks/{name}.yml)"
            reader.problems.append(Problem(f"{kind}/{name}.yml", 1, "", told))
    catalogue = Catalogue(
        networks=MappingProxyType({**_received(barometers, experiences), **networks}),
        barometers=MappingProxyType(barometers),
        experiences=MappingProxyType(experiences),
        typologies=MappingProxyType(typologies.typologies if typologies else {}),
        themes=MappingProxyType(themes),
        indicators=MappingProxyType(indicators),
        tables=MappingProxyType(tables),
        datasets=MappingProxyType(datasets),
        corrections=MappingProxyType({key: reader.placed(key, value) for key, value in corrections.items()}),
        signal_notes=MappingProxyType({key: reader.placed_notes(key, value) for key, value in notes.items()}),
        # A broken reference is told with the rest: the checks across files go on without it.
        territories=territories or Territories.model_construct(vintage=date.min, source="", territories=()),
        reasons=MappingProxyType(reasons.reasons if reasons else {}),
        engagements=MappingProxyType(engagements.engagements if engagements else {}),
        quality=MappingProxyType(quality.criteria if quality else {}),
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
