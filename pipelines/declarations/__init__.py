"""The model of the YAML: what is declared, read into one frozen Catalogue. Nothing here touches data."""

from pipelines.declarations.catalogue import Catalogue
from pipelines.declarations.datasets import Column, Dataset, Table
from pipelines.declarations.indicator import Feed, Indicator, LevelRule
from pipelines.declarations.loading import load
from pipelines.declarations.network import Export, ExportField, Layout, Network
from pipelines.declarations.problems import DeclarationError, Problem
from pipelines.declarations.references import AbsenceReason, Correction, Territories, Territory
from pipelines.declarations.strict_model import LEVELS, Frequency, Level

__all__ = [
    "LEVELS",
    "AbsenceReason",
    "Catalogue",
    "Column",
    "Correction",
    "Dataset",
    "DeclarationError",
    "Export",
    "ExportField",
    "Feed",
    "Frequency",
    "Indicator",
    "Layout",
    "Level",
    "LevelRule",
    "Network",
    "Problem",
    "Table",
    "Territories",
    "Territory",
    "load",
]
