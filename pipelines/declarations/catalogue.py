"""Every declaration of a folder, read into one frozen Catalogue or refused with all errors at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from pydantic import TypeAdapter, ValidationError, model_validator

from pipelines.declarations.base import Identifier, Model
from pipelines.declarations.indicator import Feed, Indicator
from pipelines.declarations.network import Network
from pipelines.declarations.problems import DeclarationError, Problem, from_pydantic
from pipelines.declarations.published import Dataset, Table
from pipelines.declarations.references import (
    AbsenceReason,
    Correction,
    Corrections,
    Engagement,
    QualityComponent,
    QualityCriterion,
    Territories,
)
from pipelines.declarations.yaml_source import Document, parse

if TYPE_CHECKING:
    from pathlib import Path

ModelT = TypeVar("ModelT", bound=Model)
_IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)


class AbsenceReasons(Model):
    """``references/motifs.yml``: the reasons for absence, by id."""

    reasons: dict[Identifier, AbsenceReason]


class Engagements(Model):
    """``references/engagements.yml``: the service engagements, by id, dated."""

    source: str
    engagements: dict[Identifier, Engagement]


class QualityCriteria(Model):
    """``references/qualite.yml``: what the quality score of a network-year is made of."""

    criteria: dict[QualityComponent, QualityCriterion]

    @model_validator(mode="after")
    def _precision_has_its_threshold(self) -> QualityCriteria:
        for name, criterion in self.criteria.items():
            if (name == "precision") != (criterion.threshold is not None):
                raise ValueError(f"criteria.{name} : threshold est pour precision, et pour elle seule")
        return self


@dataclass(frozen=True)
class Catalogue:
    """All that is declared. Frozen: built once, passed everywhere, never changed."""

    networks: Mapping[str, Network]
    indicators: Mapping[str, Indicator]
    tables: Mapping[str, Table]
    datasets: Mapping[str, Dataset]
    corrections: Mapping[str, tuple[Correction, ...]]
    territories: Territories
    reasons: Mapping[str, AbsenceReason]
    engagements: Mapping[str, Engagement]
    quality: Mapping[QualityComponent, QualityCriterion]

    @property
    def years(self) -> list[int]:
        """Every reference year that some network owes, in order: the partitions."""
        return sorted({year for network in self.networks.values() for year in network.years})

    def indicators_of(self, network: str) -> dict[str, Indicator]:
        """Return the indicators that ``network`` feeds, in the order of their ids."""
        return {key: indicator for key, indicator in self.indicators.items() if network in indicator.networks}

    def expected(self, network: str, year: int) -> dict[str, Feed]:
        """Return the feeds of the indicators that ``network`` owes for ``year``."""
        if year not in self.networks[network].years:
            return {}
        feeds = {key: indicator.networks[network] for key, indicator in self.indicators_of(network).items()}
        return {key: feed for key, feed in feeds.items() if feed.years is None or year in feed.years}

    def fingerprint(self, network: str) -> str:
        """Hash (sha256) of all declarations that bear on the results of ``network``."""
        parts = {
            "network": self.networks[network].model_dump(mode="json", exclude={"closed_until"}),
            "indicators": {key: value.model_dump(mode="json") for key, value in self.indicators_of(network).items()},
            "corrections": [item.model_dump(mode="json") for item in self.corrections.get(network, ())],
            "territories": self.territories.model_dump(mode="json"),
            "reasons": {key: value.model_dump(mode="json") for key, value in self.reasons.items()},
        }
        return _fingerprint(parts)

    def fingerprints(self) -> dict[str, str]:
        """Hash (sha256) each thing declared, by place, to tell two releases what changed between them.

        The places are ``networks/caf``, ``corrections/caf``, ``indicators/nps`` (all but what feeds it),
        ``indicators/nps/caf`` (what feeds it there) and ``references``.
        """
        parts: dict[str, object] = {
            "references": [
                self.territories.model_dump(mode="json"),
                *(
                    {key: value.model_dump(mode="json") for key, value in lists.items()}
                    for lists in (self.reasons, self.engagements, self.quality)
                ),
            ]
        }
        for network, declared in self.networks.items():
            parts[f"networks/{network}"] = declared.model_dump(mode="json")
        for network, corrections in self.corrections.items():
            parts[f"corrections/{network}"] = [item.model_dump(mode="json") for item in corrections]
        for name, indicator in self.indicators.items():
            parts[f"indicators/{name}"] = indicator.model_dump(mode="json", exclude={"networks"})
            for network, feed in indicator.networks.items():
                parts[f"indicators/{name}/{network}"] = feed.model_dump(mode="json")
        return {place: _fingerprint(part) for place, part in parts.items()}


def _fingerprint(parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


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
        file = f"corrections/{network}.yml"
        lines = [self.documents[file].line(("corrections", index)) for index in range(len(corrections.corrections))]
        return tuple(item.at(f"{file}:{line}") for item, line in zip(corrections.corrections, lines, strict=True))


def load(root: Path) -> Catalogue:
    """Read every declaration below ``root``.

    Raises DeclarationError with all problems of all files: what the models refuse, then what does not hold across
    files.
    """
    from pipelines.declarations.crosschecks import crosscheck  # noqa: PLC0415  (it needs the Catalogue type)

    reader = _Reader(root)
    if not root.is_dir():
        raise DeclarationError([Problem(".", 1, "", f"dossier de déclarations absent : {root}")])
    networks = reader.folder("networks", Network)
    indicators = reader.folder("indicators", Indicator)
    tables = reader.folder("tables", Table)
    datasets = reader.folder("datasets", Dataset)
    corrections = reader.folder("corrections", Corrections)
    territories = reader.file("references/territoires.yml", Territories)
    reasons = reader.file("references/motifs.yml", AbsenceReasons)
    engagements = reader.file("references/engagements.yml", Engagements)
    quality = reader.file("references/qualite.yml", QualityCriteria)
    for name, found in (("networks", networks), ("indicators", indicators)):
        if not found and not any(problem.file.startswith(name) for problem in reader.problems):
            reader.problems.append(Problem(name, 1, "", "aucune déclaration dans ce dossier"))
    catalogue = Catalogue(
        networks=MappingProxyType(networks),
        indicators=MappingProxyType(indicators),
        tables=MappingProxyType(tables),
        datasets=MappingProxyType(datasets),
        corrections=MappingProxyType({key: reader.placed(key, value) for key, value in corrections.items()}),
        # A broken reference is told with the rest: the checks across files go on without it.
        territories=territories or Territories.model_construct(vintage=date.min, source="", territories=()),
        reasons=MappingProxyType(reasons.reasons if reasons else {}),
        engagements=MappingProxyType(engagements.engagements if engagements else {}),
        quality=MappingProxyType(quality.criteria if quality else {}),
    )
    broken = {problem.file for problem in reader.problems}
    problems = [*reader.problems, *crosscheck(catalogue, reader.documents, broken)]
    if problems:
        raise DeclarationError(problems)
    return catalogue
