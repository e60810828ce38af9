"""What the network-years gave, from which the national tables are made."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd


@dataclass(frozen=True)
class NationalInputs:
    """What the network-years gave, one frame each (columns ``reseau`` and ``annee`` first).

    ``receipts``: export, etat (accepté, rejeté, non transmis), motif (id or None), lignes_lues, lignes_acceptees,
    lignes_refusees. ``results``, ``discrepancies``, ``structures``: as compute made them. ``findings``: export,
    fichier, empreinte, regle, colonne, severite, nombre, premiere_ligne, derniere_ligne, message. ``failed``:
    (network, year, indicator) whose computation failed. ``synthetic``: network-years whose exports are synthetic.
    ``corrections``: numero, etat, of the corrections that a report speaks of.
    ``calibrations``: as compute made them, where weights were brought to margins. ``accounts``: export, indicateur,
    lignes_acceptees, lignes_base and a count by reason, of each export and indicator.
    ``secrets``: what ``results`` hide (``disclosure.secret_figures``) once they went through disclosure control; None
    before: then whoever makes tables of them hides first.
    """

    receipts: pd.DataFrame
    results: pd.DataFrame
    discrepancies: pd.DataFrame
    structures: pd.DataFrame
    findings: pd.DataFrame
    failed: frozenset[tuple[str, int, str]]
    synthetic: frozenset[tuple[str, int]]
    corrections: pd.DataFrame = field(default_factory=pd.DataFrame)
    calibrations: pd.DataFrame = field(default_factory=pd.DataFrame)
    accounts: pd.DataFrame = field(default_factory=pd.DataFrame)
    secrets: pd.DataFrame | None = None
