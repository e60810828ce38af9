"""How many declarations use each feature: what nobody declares wants a sample that shows it, or goes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from pipelines.declarations.estimators import ESTIMATORS, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.declarations.catalogue import Catalogue

_KINDS = ("networks", "barometers", "experiences", "indicators", "tables", "datasets", "corrections", "signals")
_NONE_NEEDED = ("barometers", "experiences", "corrections", "signals")  # folders of which a catalogue may have no file


def uses(catalogue: Catalogue) -> dict[str, int]:
    """Count the files of declarations that use each feature; 0 where none does.

    By optional key (``networks.exports.weight``), folder that may be empty (``corrections``, ``signals``…) and
    estimator (``estimators.nps``: indicators computed with it). The keys below one that nobody writes are not told.
    What may be declared in several places (``constraints``) is counted as one, under the first.
    """
    declared = {kind: _declared(catalogue, kind) for kind in _KINDS}
    counts = Counter({kind: len(declared[kind]) for kind in _NONE_NEEDED})
    counts.update({f"estimators.{name_of(model)}": 0 for model in ESTIMATORS})
    counts.update(f"estimators.{indicator.estimator.name}" for indicator in catalogue.indicators.values())
    places: dict[type, str] = {}
    for kind, files in declared.items():
        for content in files.values():
            keys = dict(sorted(_optional_keys(content, kind, places)))  # sorted: written once in the file ends as True
            counts.update({key: int(written) for key, written in keys.items()})
    return dict(sorted(counts.items()))


def _declared(catalogue: Catalogue, kind: str) -> Mapping[str, Any]:
    """Return the files of a folder, by name."""
    if kind == "signals":
        return catalogue.signal_notes
    files: Mapping[str, Any] = getattr(catalogue.of_results if kind == "networks" else catalogue, kind)
    return files


def _optional_keys(declared: Any, place: str, places: dict[type, str]) -> Iterator[tuple[str, bool]]:
    """Yield each optional key at and below a declared value, and whether it is written there."""
    if isinstance(declared, BaseModel):
        place = places.setdefault(type(declared), place)
        for name, key in type(declared).model_fields.items():
            if not key.is_required():
                yield f"{place}.{name}", name in declared.model_fields_set
            yield from _optional_keys(getattr(declared, name), f"{place}.{name}", places)
    elif isinstance(declared, dict | list | tuple):
        for part in declared.values() if isinstance(declared, dict) else declared:
            yield from _optional_keys(part, place, places)


def unread_exports(catalogue: Catalogue) -> list[tuple[str, str]]:
    """Return the exports that feed no indicator, barometer nor voice, each with its network: judged for nothing."""
    waves = [wave for barometer in catalogue.barometers.values() for wave in barometer.waves]
    read = {(wave.source.network, wave.source.export) for wave in waves if wave.source} | {
        (network, export)
        for indicator in catalogue.indicators.values()
        for network, feed in indicator.networks.items()
        for export in feed.export
    }
    apart = {*catalogue.barometers, *catalogue.experiences}
    declared = [(name, export.id) for name, network in catalogue.networks.items() for export in network.exports]
    return [place for place in declared if place not in read and place[0] not in apart]
