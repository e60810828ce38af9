"""Letters that a conversion spoiled (« PrÃ©fecture », « Pr‚fecture »), found in a text, and what it should read.

A text is spoiled where its signs make no word of any language and, read again, give letters of European ones. A name
that is published must be right: its row is refused; other texts are told. A file where several published names are
spoiled, and where no accent is right, was converted wrongly as a whole.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pyarrow.compute as pc

from pipelines.mechanics.french import counted
from pipelines.validate.findings import Finding
from pipelines.validate.typed_rows import places_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from pipelines.validate.findings import FileContext

_REMEMBERED = 1 << 14
_ROUNDS = 4  # times that a text may have been converted over and over

TWICE = "texte en UTF-8 lu dans un autre encodage"
OLD = "accents d'un fichier DOS ou Mac lus comme ceux de Windows, ou l'inverse"
CONTROLS = "signes de Windows lus dans un autre encodage"
LOST = "accents perdus lors d'une conversion"
CODED = "accents remplacés par leur code"


@dataclass(frozen=True)
class Damage:
    """What spoiled a text, in French, and what it should probably read (empty where the letters are lost)."""

    cause: str
    likely: str


_FRENCH = "àâäçéèêëîïôöûüùÿœæÀÂÄÇÉÈÊËÎÏÔÖÛÜÙŸŒÆ"
_QUOTES = "\u00a0«»’‘“”„–—…·¸,°"  # they follow a letter in right texts too
_LETTERS = _FRENCH + "áãåíìñóòõøúýßÁÃÅÍÌÑÓÒÕØÚÝð" + "".join(map(chr, range(0x100, 0x180)))
_SIGNS = "\u00a0\u202f«»°ºª²³·’‘“”„–—…•€§©®™¿¡´¨¼½¾±×µÂâ\u2010\u2011\ufeff\ufffd"
_MARKS = "".join(map(chr, range(0x300, 0x30D))) + "\u0327\u0328"  # accents apart from their letter
_RIGHT = frozenset(_LETTERS + _SIGNS + _MARKS)
# The signs of Windows for each byte; those it lacks stay as they are (https://encoding.spec.whatwg.org, windows-1252).
_WINDOWS = "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(256))
_WEIGHTS = dict.fromkeys("éèàêçÉœ", 3) | {"é": 10, "è": 4, "à": 4} | dict.fromkeys("ôîâû«»’", 1)


def _misread() -> dict[str, str]:
    """Return every letter and sign as its bytes in UTF-8 look in another encoding."""
    signs: dict[str, str] = {}
    for sign in dict.fromkeys(_LETTERS + _SIGNS + _MARKS):
        content = sign.encode()
        looks = {"".join(_WINDOWS[byte] for byte in content)}
        looks |= {content.decode(encoding) for encoding in ("latin-1", "mac_roman", "cp850", "cp437")}
        for text in looks:
            usual = text[0].isalpha() and text[1] in _QUOTES and sign not in _FRENCH + _SIGNS
            if not usual:
                signs.setdefault(text, sign)
    return signs


def _alternatives(texts: dict[str, str]) -> str:
    """Return the expression of all of them: signs that begin alike are written once."""
    ends: defaultdict[str, list[str]] = defaultdict(list)
    for text in texts:
        ends[text[:-1]].append(text[-1])
    return "|".join(f"{re.escape(start)}[{''.join(map(re.escape, end))}]" for start, end in ends.items())


_MISREAD = _misread()
_SEQUENCES = re.compile(_alternatives(_MISREAD))
_LETTER, _LOWER = "[A-Za-zÀ-ÖØ-öø-ÿŒœŠšŽžŸ]", "[a-zß-öø-ÿœ]"
_AFTER = "(?:$|[ ,;:)/-])"
_BEFORE = "(?:^|[ '’(-])"
# Signs that stand where only a letter can: bytes of DOS or Mac read as those of Windows, or the other way round.
_MISPLACED = "|".join((
    f"{_LETTER}[‚ˆ‡‹ƒ¶\u2500-\u259f⌠⌡ΘΦΩτδεα∩ⁿ]{_LETTER}",
    f"{_LOWER}[‰Š™Œ“Ï]{_LOWER}|{_LOWER}[ŽÕ]{_LETTER}",
    f"{_LOWER}[‚ŠŽΘ]{_AFTER}",
    f"{_BEFORE}[‚ƒ\u2550-\u256c]{_LETTER}",
    f"{_LETTER}{_LOWER}[ÈËÁÍÙÚÛÓÞ](?:{_LOWER}|{_AFTER})",
    f"{_LETTER}[\u2550-\u256c]{_AFTER}",
    "(?:^| )ˆ ",
))  # fmt: skip
_CODES = (
    "&(?:#[0-9]{2,5}|#x[0-9A-Fa-f]{2,4}|[A-Za-z]{1,2}(?:acute|grave|circ|cedil|uml|tilde|ring|lig|slash));"
    r"|\\u00[0-9A-Fa-f]{2}|%C3%[89ABab][0-9A-Fa-f]"
)
_GONE = "[\u0080-\u009f\ufffd]"
# All of them at once, in what Arrow's RE2 and Python both know: a right text hardly ever has that shape.
SHAPE = "|".join((_GONE, _alternatives(_MISREAD), _MISPLACED, _CODES))
_SHAPE, _PLACE, _CODE = re.compile(SHAPE), re.compile(_MISPLACED), re.compile(_CODES)
_CONTROL = re.compile("[\u0080-\u009f]")
_ESCAPE = re.compile(r"\\u(00[0-9A-Fa-f]{2})")
_BLANKED = re.compile("(?:(?<= )|^)Ã(?= |$)")  # « à », whose no-break space became a space
# « ? » where a letter was: inside a word, or at the head of one.
_QUESTION = re.compile(rf"{_LETTER}\?{_LOWER}|(?:^|[ '’-])\?{_LOWER}{{2}}")
_NO_SIGN = ("Co", "Cn", "Cs")  # private or unassigned: the encoding was another one
_UNLIKELY = re.compile(f"à[a-z]|{_LOWER}[À-ÖØ-ÞŒŠŽ]")
_ADDRESS = re.compile(r"[/=&@]|www")
_PAIRS = {"‚": "‘", "“": "”", "‹": "›"}  # quotation marks, where the second follows


@lru_cache(_REMEMBERED)
def damage(text: str) -> Damage | None:
    """Return what spoiled a text, or None for a right one."""
    if not _SHAPE.search(text):
        return None
    likely = _read_again(text)
    if "\ufffd" in likely:
        return Damage(LOST, "")
    if likely != text:
        return Damage(TWICE, likely)
    if _PLACE.search(text) and (likely := _in_another_page(text)):
        return Damage(OLD, likely)
    if _CONTROL.search(text):  # read as signs of Windows, or as DOS and Mac have letters there
        windows = "".join(_WINDOWS[ord(sign)] if "\u0080" <= sign <= "\u009f" else sign for sign in text)
        return Damage(CONTROLS, _likeliest([windows]) or _in_another_page(text))
    likely = unquote(html.unescape(_ESCAPE.sub(lambda code: chr(int(code[1], 16)), text)))
    return Damage(CODED, likely) if _CODE.search(text) and likely != text else None


def lost_letters(name: str) -> Damage | None:
    """Return the damage of a name where « ? » stands for letters: other texts ask questions."""
    if "?" in name and _QUESTION.search(name) and not _ADDRESS.search(name):
        return Damage(LOST, "")
    return None


def _read_again(text: str) -> str:
    """Return the text whose letters are put back in place of their bytes, as often as they were converted."""
    likely = text
    for _ in range(_ROUNDS):
        if not _SEQUENCES.search(likely):
            break
        likely = _whole(likely) or _SEQUENCES.sub(lambda misread: _MISREAD[misread[0]], likely)
    return _BLANKED.sub("à", likely).lstrip("\ufeff") if likely != text else text


def _whole(text: str) -> str:
    """Return the text, all of it taken for UTF-8 read in one encoding; nothing if it isn't."""
    for encoding in ("cp1252", "latin-1", "mac_roman", "cp850", "cp437"):
        likely = _turned(text, encoding, "utf-8")
        if likely and not any(unicodedata.category(sign) in _NO_SIGN for sign in likely):
            return likely
    return ""


def _in_another_page(text: str) -> str:
    """Return the text as the encoding that gives most letters of French reads it; nothing if none reads it right."""
    if any(first in text and second in text for first, second in _PAIRS.items()):
        return ""
    pages = ("cp850", "mac_roman", "cp437")
    turned = [_turned(text, "cp1252", page) for page in pages] + [_turned(text, page, "cp1252") for page in pages]
    return _likeliest(turned)


def _likeliest(texts: list[str]) -> str:
    right = [text for text in texts if all(sign.isascii() or sign in _RIGHT for sign in text)]
    return max((text for text in right if text and not _PLACE.search(text)), key=_likelihood, default="")


def _likelihood(text: str) -> int:
    """Return how much a text looks like French by its accents; « à » ends a word, and capitals don't follow others."""
    return sum(_WEIGHTS.get(sign, 0) for sign in text) - 9 * len(_UNLIKELY.findall(text))


def _turned(text: str, written: str, meant: str) -> str:
    """Return the text, taken for ``written``, in the encoding that was meant; nothing if its bytes don't allow it."""
    try:
        content = bytes(map(_WINDOWS.index, text)) if written == "cp1252" else text.encode(written)
        likely = content.decode(meant)
    except ValueError:
        return ""
    return likely if likely != text else ""


RULE = "texte-mal-converti"
_ACCENT = "[À-ÖØ-öø-ÿŒœ]"
# Names, or share of the rows, that are spoiled where no accent is right: it is the file then, and not one of its names.
_SEVERAL, _SHARE = 2, 0.1


class SpoiledTexts:
    """Looks at the ``present`` text columns of a file, and remembers what concerns it as a whole.

    ``labels``: those of these columns, by field.
    """

    def __init__(self, context: FileContext, present: Collection[str]) -> None:
        structure, fields = context.export.structure, context.export.fields
        self._names = {structure.code, structure.name} if structure else set()  # they are published
        texts = [item.name for item in fields if item.type == "string" and item.name in present]
        self.labels = {name: context.label(name) for name in texts}
        self._spoiled: set[str] = set()
        self._rows: set[int] = set()
        self._looked = 0
        self._is_right_somewhere = False

    def in_block(self, texts: pa.Table, numbers: NDArray[np.int64]) -> Iterator[tuple[int, Finding]]:
        """Yield what is wrong with the texts of accepted rows, by place in the block; row numbers are those given."""
        self._looked += len(numbers)
        for name in self.labels:
            column = texts.column(name)
            for place in self._suspects(name, column):
                if finding := self.in_cell(name, column[place].as_py(), int(numbers[place])):
                    yield place, finding

    def in_cell(self, name: str, text: str | None, row: int) -> Finding | None:
        """Return what is wrong with one text, if it is spoiled."""
        is_name = name in self._names
        spoiled = damage(text or "") or (lost_letters(text or "") if is_name else None)
        if spoiled is None or text is None:
            return None
        if is_name:
            self._spoiled.add(text)
            self._rows.add(row)
        cause = f"se lit sans doute « {spoiled.likely} »" if spoiled.likely else "les lettres d'origine sont perdues"
        return Finding(
            RULE,
            f"Des lettres sont mal converties ({spoiled.cause}).",
            "erreur" if is_name else "avertissement",
            column=self.labels[name],
            value=text,
            cause=cause,
        )

    def of_the_file(self) -> Finding | None:
        """Return the finding that refuses the whole file, once all of it was seen; nothing for a file that is right."""
        many = len(self._spoiled) >= _SEVERAL or len(self._rows) > max(1, _SHARE * self._looked)
        if self._is_right_somewhere or not many:
            return None
        return Finding(
            "encodage",
            f"Les accents du fichier sont mal convertis : {counted(len(self._rows), 'ligne')}, à partir de la ligne "
            f"{min(self._rows)}. Refaites l'extraction depuis la source d'origine (en « CSV UTF-8 » si c'est un CSV).",
        )

    def _suspects(self, name: str, column: pa.ChunkedArray) -> list[int]:
        likely = pc.match_substring_regex(column, rf"{SHAPE}|\?" if name in self._names else SHAPE)
        if not self._is_right_somewhere:
            accented = pc.and_(pc.match_substring_regex(column, _ACCENT), pc.invert(likely))
            self._is_right_somewhere = bool(pc.any(accented).as_py())
        return places_of(likely)
