"""What must hold of an export: names of its own fields, what its columns can be used for, its layouts, its sampling.

Each fault is a key within the export and its words, in French.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pipelines.declarations.network import DURATION_FORMS, WORKBOOKS
from pipelines.declarations.problems import twins, unknown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pipelines.declarations.network import Export, ExportField, Layout, Network
    from pipelines.declarations.problems import Fault


def export_faults(network: Network, export: Export, reasons: Collection[str] | None) -> Iterator[Fault]:
    """Yield what doesn't hold of an export; ``reasons``: those declared for absence, None when they can't be read."""
    names = [field.name for field in export.fields]
    yield from twins(("fields",), names, "champ")
    for place, name in export.referenced_fields().items():
        yield from unknown(place, name, names, "champ")
    for index, field in enumerate(export.fields):
        for code, reason in field.absences.items():
            absence = ("fields", index, "absences", code)
            yield from unknown(absence, reason, reasons, "motif d'absence")
            if code not in field.missing_values:
                yield absence, f"« {code} » doit aussi figurer dans missingValues du champ {field.name}"
    for year in export.solicited:
        if export.kind != "survey" or export.layout(year) is None:
            yield ("solicited",), f"{year} n'est pas une année d'enquête de l'export {export.id}"
    yield from _place_faults(export)
    yield from _personal_faults(export)
    yield from _layout_faults(network, export)
    yield from _sampling_faults(export)
    weight = _field(export, export.weight)
    if weight and weight.type not in ("integer", "number"):
        yield ("weight",), f"le poids « {weight.name} » doit être un nombre (type: number), pas {weight.type}"


def row_levels(export: Export) -> set[str]:
    """Return the levels that the rows of an export may have."""
    levels: set[str] = set(export.level.values.values())
    return levels | {export.level.otherwise} if export.level.otherwise else levels


def _field(export: Export, name: str | None) -> ExportField | None:
    return export.field(name) if name else None


def _place_faults(export: Export) -> Iterator[Fault]:
    """Yield what the levels of the rows want and don't have, and a period that is no date."""
    levels = row_levels(export)
    if export.territory is None and levels & {"departement", "region"}:
        yield (), "des lignes par département ou région demandent « territory »"
    period = _field(export, export.period.field)
    if period and period.type not in ("date", "year"):
        yield ("period", "field"), f"le champ {period.name} doit être de type date ou year"
    if export.territory and export.territory.codes != "pilote" and levels >= {"departement", "region"}:
        yield ("territory",), "des lignes par département et par région demandent les codes « pilote »"
    if export.structure is None and "site" in levels:
        yield (), "des lignes par site demandent « structure »"


def _personal_faults(export: Export) -> Iterator[Fault]:
    """Yield the personal columns on whose values results would rest: place, level, structure and weight."""
    for place, name in export.referenced_fields().items():
        field = export.field(name)
        if field and field.personal and place[0] in ("territory", "level", "structure", "weight"):
            yield place, f"« {name} » est déclaré personnel : il ne peut nourrir aucun résultat"


def _layout_faults(network: Network, export: Export) -> Iterator[Fault]:
    claimed: Counter[int] = Counter()
    for index, layout in enumerate(export.layouts):
        claimed.update(layout.years)
        place = ("layouts", index)
        yield from twins(place, _labels(export, layout), "en-tête")
        for name, form in _unfit_forms(export, layout):
            message = f"format « {form} » impossible pour une durée ; permis : {', '.join(DURATION_FORMS)}"
            yield (*place, "fields", name, "format"), message
        if layout.format not in WORKBOOKS and layout.sheet:
            yield (*place, "sheet"), f"« sheet » n'a pas de sens pour un fichier {layout.format}"
        if not layout.one_file_per_year and export.period.field is None:
            yield place, "un fichier de plusieurs années demande « period.field » (ou {year} dans path)"
    for year, count in claimed.items():
        if count > 1:
            yield ("layouts",), f"{count} layouts se disputent l'année {year}"
        if year not in network.years:
            yield ("layouts",), f"l'année {year} n'est pas attendue de ce réseau ({network.years})"


def _labels(export: Export, layout: Layout) -> list[str]:
    changed = {name: override.label for name, override in layout.fields.items() if override.label}
    return [changed.get(field.name) or field.label or field.name for field in export.fields]


def _unfit_forms(export: Export, layout: Layout) -> Iterator[tuple[str, str]]:
    """Yield the durations that a layout writes in a form that can't be read, with that form."""
    for name, override in layout.fields.items():
        field = export.field(name)
        if field and field.type == "duration" and override.format and override.format not in DURATION_FORMS:
            yield name, override.format


def _sampling_faults(export: Export) -> Iterator[Fault]:
    """Yield the faults of a design or a calibration: of a census, of a column that may be blank, of a disputed year."""
    for key in ("design", "calibration"):
        if getattr(export, key) and not export.sampled:
            yield (key,), "n'a de sens que pour un échantillon (kind: survey, ou collection: sample)"
    for column in export.design.columns if export.design else ():
        field = export.field(column)
        if field and not field.constraints.required:
            yield ("design",), f"le champ {column} du plan de sondage doit être « required »"
    claimed = Counter(year for calibration in export.calibration for year in calibration.years)
    for year, count in claimed.items():
        if count > 1:
            yield ("calibration",), f"{count} calages se disputent l'année {year}"
    for index, calibration in enumerate(export.calibration):
        for rank, margin in enumerate(calibration.margins):
            field = export.field(margin.field)
            allowed = {str(value) for value in field.constraints.enum or ()} if field else set()
            for word in set(margin.fractions) ^ allowed if allowed else ():
                side = "n'a pas de marge" if word in allowed else f"n'est pas une valeur du champ {margin.field}"
                yield ("calibration", index, "margins", rank), f"la catégorie « {word} » {side}"
