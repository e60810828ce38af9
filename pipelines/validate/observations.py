"""A row that frictionless accepts → an observation: year, period, level, territory, structure; or why it can't be one.

Only rules of the domain belong here (period, place, level); types and constraints are frictionless's.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.compile.exports import label_of
from pipelines.declarations.periods import period_of
from pipelines.validate.findings import Finding
from pipelines.validate.places import Gazetteer

if TYPE_CHECKING:
    from pipelines.declarations import Export, Layout, Level, Territories

UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
ROOT_PREFIX = "reseau:"  # the codes of the roots of the published tree
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Observation:
    """The coordinates of a row: what the published key is made from."""

    year: int
    period: str
    level: Level
    territory: str | None
    structure: str | None
    structure_name: str | None


class RowPlacer:
    """Places the rows of one export, read in one layout.

    ``file_year`` is the year of a file that holds a single one.
    """

    def __init__(self, export: Export, layout: Layout, territories: Territories, file_year: int | None) -> None:
        self.export, self.layout, self.file_year = export, layout, file_year
        self._gazetteer = Gazetteer(territories)

    def ignored(self, row: dict[str, Any]) -> bool:
        """Tell whether a declared rule says that the row carries no observation."""
        return any(
            all(row.get(name) is None for name in rule.blank)
            and all(row.get(name) is not None for name in rule.present)
            for rule in self.export.ignore
        )

    def year(self, row: dict[str, Any]) -> int | None:
        """Return the reference year of a row when it can be read."""
        if self.export.period.field is None:
            return self.file_year
        value = row.get(self.export.period.field)
        if isinstance(value, datetime.date):
            return value.year
        return value if isinstance(value, int) else None

    def place(self, row: dict[str, Any]) -> Observation | list[Finding]:
        """Return the observation's coordinates, or every finding that prevents it."""
        findings: list[Finding] = []
        year, period = self._period(row, findings)
        level = self._level(row, findings)
        territory = self._territory(row, level, findings)
        structure, name = self._structure(row, level, findings)
        if findings or year is None or level is None:
            return findings
        return Observation(year, period, level, territory, structure, name)

    def _finding(self, rule: str, message: str, field: str, row: dict[str, Any]) -> Finding:
        declared = self.export.field(field)
        label = label_of(declared, self.layout) if declared else field
        value = row.get(field)
        return Finding(rule, message, column=label, value="" if value is None else str(value))

    def _period(self, row: dict[str, Any], findings: list[Finding]) -> tuple[int | None, str]:
        field, year = self.export.period.field, self.year(row)
        if year is None:
            message = "La date (ou l'année) est absente : la ligne ne peut être rattachée à aucune année."
            findings.append(self._finding("periode-absente", message, field or "", row))
            return None, ""
        if field and self.file_year is not None and year != self.file_year:
            message = f"La date tombe en {year}, mais ce fichier est celui de {self.file_year}."
            findings.append(self._finding("hors-periode", message, field, row))
        value = row.get(field) if field else None
        if isinstance(value, datetime.date):
            return year, period_of(value, self.export.period.frequency)
        return year, f"{year:04d}"

    def _level(self, row: dict[str, Any], findings: list[Finding]) -> Level | None:
        rule = self.export.level
        written = row.get(rule.field) if rule.field else None
        level = rule.values.get(str(written), rule.otherwise)
        if level is None:
            allowed = ", ".join(rule.values)
            message = f"La maille doit être l'une de : {allowed}."
            findings.append(self._finding("maille-inconnue", message, rule.field or "", row))
        return level

    def _territory(self, row: dict[str, Any], level: Level | None, findings: list[Finding]) -> str | None:
        if level == "national":
            return "FR"
        rule = self.export.territory
        if rule is None or level is None:
            return None
        written = row.get(rule.field)
        if written is None:
            if level != "site":  # a consulate has no département
                message = "Le code du territoire est absent."
                findings.append(self._finding("territoire-absent", message, rule.field, row))
            return None
        found = self._gazetteer.find(str(written), rule.codes)
        expected = "departement" if level == "site" else level
        if found is None or found[0] != expected:
            message = (
                f"Ce code n'est pas celui d'un territoire de la maille {expected} (INSEE ; exemples : 01, 2A, 971)."
            )
            findings.append(self._finding("territoire-inconnu", message, rule.field, row))
            return None
        return found[1]

    def _structure(
        self, row: dict[str, Any], level: Level | None, findings: list[Finding]
    ) -> tuple[str | None, str | None]:
        rule = self.export.structure
        if rule is None or level in ("national", "region"):
            return None, None
        code = row.get(rule.code)
        if code is None:
            if level == "site":
                message = "Le code de la structure est absent."
                findings.append(self._finding("structure-absente", message, rule.code, row))
            return None, None
        name = row.get(rule.name) if rule.name else None
        for field, value in ((rule.code, code), (rule.name, name)):
            if not field or value is None:
                continue
            if str(value).startswith(FORMULA_STARTS):
                message = "Un texte publié ne peut commencer par = + - @ ni une tabulation (formule de tableur)."
                findings.append(self._finding("formule", message, field, row))
            elif UNPRINTABLE.search(str(value)) or (field == rule.code and str(value).startswith(ROOT_PREFIX)):
                message = "Ce texte publié contient un caractère invisible, ou commence par « reseau: » : corrigez-le."
                findings.append(self._finding("caractere-interdit", message, field, row))
        return str(code), None if name is None else str(name)
