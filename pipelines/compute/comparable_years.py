"""What the declarations say of two years of a series: what keeps them from being compared, and what only changes.

What the results themselves tell (how a value was obtained, from which export) is in ``tables.results``.
"""

from __future__ import annotations

from pipelines.declarations import Catalogue, Export


def declared_breaks(catalogue: Catalogue, network: str, identifier: str, year: int) -> list[str]:
    """Return, in French, why values of ``year`` don't compare with those of the year before; nothing if they do.

    Breaks of the indicator, of the network's feed, files declared incomparable, weights calibrated one year and not
    the other, or to other margins. New figures for the same margins are no change of method.
    """
    indicator = catalogue.indicators[identifier]
    feed = indicator.networks[network]
    found = [f"rupture déclarée : {item.why}" for item in (*indicator.breaks, *feed.breaks) if item.year == year]
    for export in _exports(catalogue, network, identifier):
        layout = export.layout(year)
        if layout and layout.incomparable and layout.years.first == year:
            found.append(f"fichiers {export.id} d'une autre extraction : {layout.incomparable}")
        found += _calibration_changes(export, year)
    return found


def _calibration_changes(export: Export, year: int) -> list[str]:
    """Compare how the weights of the two years are calibrated, where both years are handed over."""
    if not (export.sampled and export.layout(year - 1) and export.layout(year)):
        return []
    before, now = export.calibration_of(year - 1), export.calibration_of(year)
    if before is None and now is None:
        return []
    if before is None or now is None:
        return [f"calage de l'export {export.id} {'commencé' if now else 'arrêté'} en {year}"]
    fields, earlier = ({margin.field for margin in item.margins} for item in (now, before))
    if fields != earlier or (now.bounds is None) != (before.bounds is None):
        return [f"calage de l'export {export.id} sur d'autres marges ou par une autre méthode"]
    return []


def changed_layouts(catalogue: Catalogue, network: str, identifier: str, year: int) -> list[str]:
    """Return the exports whose files are written otherwise than the year before: told, but no break by itself."""
    found = []
    for export in _exports(catalogue, network, identifier):
        before, now = export.layout(year - 1), export.layout(year)
        same = {"years", "path", "extracted", "incomparable"}
        if before and now and before.model_dump(exclude=same) != now.model_dump(exclude=same):
            found.append(f"fichiers {export.id} écrits autrement, colonnes de même sens")
    return found


def _exports(catalogue: Catalogue, network: str, identifier: str) -> list[Export]:
    declared = catalogue.networks[network]
    names = catalogue.indicators[identifier].networks[network].export
    return [export for name in names if (export := declared.export(name))]
