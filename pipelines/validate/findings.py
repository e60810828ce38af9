"""What validation finds in a file. The words it is told in are those of ``messages``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["erreur", "avertissement"]
MASKED = "(valeur masquée)"  # stands for a value that may identify someone


@dataclass(frozen=True)
class Finding:
    """One thing found: the rule, where (row in the file, column), the value seen, and a sentence for the producer.

    ``year`` is the reference year of the row when it could be read: a row without a readable year counts in all of
    them.
    """

    rule: str
    message: str
    severity: Severity = "erreur"
    row: int | None = None
    column: str = ""
    value: str = ""
    year: int | None = None
