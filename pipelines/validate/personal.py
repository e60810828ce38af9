"""Looks for personal data by form: e-mail addresses, French telephone numbers, NIR and IBAN with their check digits.

It says that a text holds some, never which.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from pipelines.compile.exports import label_of
from pipelines.validate.findings import Finding
from pipelines.validate.messages import title

if TYPE_CHECKING:
    from pipelines.declarations import Export, Layout
    from pipelines.validate.typed_rows import TypedRows

RULE = "donnee-personnelle-possible"
MOST_ROWS = 10_000  # rows told by column: beyond, the column is what matters

_GAP = "[ .\\-\u00a0\u202f]?"
_EMAIL = re.compile(r"(?<![\w.+-])[\w.%+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}")
_ABROAD = rf"(?:\+|00)(?:33|262|508|590|594|596|687|689){_GAP}(?:\(0\){_GAP})?"
_PHONE = re.compile(  # pairs of digits, all told apart in the same way; overseas, a first group of three
    rf"(?<![\w+])(?:(?:{_ABROAD}|0)[1-9]({_GAP})\d{{2}}(?:\1\d{{2}}){{3}}"
    rf"|{_ABROAD}[1-9]\d{{2}}({_GAP})\d{{2}}(?:\2\d{{2}}){{2}})"
    r"(?!\w)"
)
_NIR = re.compile(r"(?<!\w)([1-478] ?\d{2} ?\d{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3}) ?(\d{2})(?!\w)")
_IBAN = re.compile("(?<!\\w)[A-Z]{2}\\d{2}(?:[ \u00a0\u202f]?[A-Z0-9]){11,32}")
_IBAN_LENGTHS = {
    "AD": 24, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24,
    "FI": 18, "FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IS": 26, "IT": 27, "LI": 21, "LT": 20,
    "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "SE": 24, "SI": 19,
    "SK": 24, "SM": 27,
}  # fmt: skip
# A looser form of all of the above, that Arrow looks for in whole columns (RE2: no look-around).
_BEFORE = "(?:^|[^0-9A-Za-z_])"
_CALLED = f"(?:0|(?:\\+|00)[0-9]{{2,3}}{_GAP}(?:\\(0\\){_GAP})?)"
_SHAPE = "|".join((
    "@[^@ ]+\\.[A-Za-z]{2}",
    f"{_BEFORE}{_CALLED}[1-9](?:{_GAP}[0-9]{{2}}){{4}}",
    f"{_BEFORE}{_CALLED}[1-9][0-9]{{2}}(?:{_GAP}[0-9]{{2}}){{3}}",
    f"{_BEFORE}[A-Z]{{2}}[0-9]{{2}}(?:[ \u00a0\u202f]?[A-Z0-9]){{11}}",
    f"{_BEFORE}[1-478] ?[0-9]{{2}} ?[0-9]{{2}} ?(?:[0-9]{{2}}|2[AB]) ?[0-9]{{3}} ?[0-9]{{3}} ?[0-9]{{2}}",
))  # fmt: skip


def kinds(text: str) -> list[str]:
    """Return the kinds of personal data that a text seems to hold, in French."""
    found = []
    if _EMAIL.search(text):
        found.append("adresse électronique")
    if _PHONE.search(text):
        found.append("numéro de téléphone")
    if any(_nir_holds(match[1], match[2]) for match in _NIR.finditer(text)):
        found.append("numéro de sécurité sociale")
    if any(_iban_holds(match[0]) for match in _IBAN.finditer(text)):
        found.append("IBAN")
    return found


def find_personal(observations: TypedRows, export: Export, layout: Layout) -> list[Finding]:
    """Return a warning per row and text column, not declared personal, that seems to hold personal data.

    After MOST_ROWS rows of a column, the rest of it is not searched.
    """
    texts = [field for field in export.fields if field.type == "string" and not field.personal]
    findings: list[Finding] = []
    told: Counter[str] = Counter()
    known: dict[str, list[str]] = {}
    for batch in observations.batches([*(field.name for field in texts), "_ligne", "_annee"]):
        for field in texts:
            if told[field.name] >= MOST_ROWS:
                continue
            likely = pc.match_substring_regex(batch.column(field.name), _SHAPE)
            if not pc.any(likely).as_py():
                continue
            rows = batch.select([field.name, "_ligne", "_annee"]).filter(likely)
            for value, row, year in zip(*(item.to_pylist() for item in rows.columns), strict=True):
                found = known[value] if value in known else kinds(value)
                if len(known) < MOST_ROWS:
                    known[value] = found
                if found and told[field.name] < MOST_ROWS:
                    told[field.name] += 1
                    findings.append(warning(label_of(field, layout), found, row, year))
    return findings


def warning(column: str, found: list[str], row: int | None, year: int | None) -> Finding:
    """Return the finding that says so, without the value."""
    message = f"{title(RULE).rstrip('.')} ({', '.join(found)})."
    return Finding(RULE, message, "avertissement", row, column, "", year)


def _nir_holds(number: str, key: str) -> bool:
    digits = number.replace(" ", "").replace("2A", "19").replace("2B", "18")
    month = int(digits[3:5])
    return int(key) == 97 - int(digits) % 97 and (1 <= month <= 12 or month >= 20)


def _iban_holds(text: str) -> bool:
    """Check an IBAN by ISO 7064 (mod 97), after cutting it at its country's length."""
    compact = re.sub(r"\s", "", text)
    length = _IBAN_LENGTHS.get(compact[:2], 0)
    if not length or len(compact) < length:
        return False
    compact = compact[:length]
    turned = "".join(str(int(sign, 36)) for sign in compact[4:] + compact[:4])
    return int(turned) % 97 == 1
