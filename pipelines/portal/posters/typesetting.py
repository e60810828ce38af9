"""A poster's words → the bytes of its PDF, by typst: tagged (PDF/UA-1), with fonts of this folder, without a date.

typst refuses what PDF/UA-1 forbids: a picture without alternative, a text that no font draws. It is asked for nothing
else: the same words give the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import segno
import typst

if TYPE_CHECKING:
    from collections.abc import Mapping

HOME = Path(__file__).parent
SOURCE, FONTS = HOME / "poster.typ", HOME / "fonts"
STANDARD: Final = "ua-1"
QUIET_ZONE = 4  # modules of white around a QR code, as ISO/IEC 18004 asks
_MARK = "empreinte "
_UNDRAWN = re.compile(r'the text `"(.+?)"` could not be displayed')


class UnsetPosterError(Exception):
    """A poster can't be made; the message, in French, says which and why."""


class Press:
    """A typst compiler: it reads fonts and source once, then sets one poster after the other."""

    def __init__(self) -> None:
        self._compiler = typst.Compiler(
            str(SOURCE), root=str(HOME), font_paths=[str(FONTS)], ignore_system_fonts=True
        )  # fmt: skip

    def pdf(self, said: Mapping[str, Any]) -> bytes:
        """Return the PDF of a poster (see ``content.poster``); raises UnsetPosterError where it can't be one."""
        given = {
            **said,
            "qr": qr_code(said["address"]),
            "alternative": f"Code QR vers la page {said['address']}",
            "keywords": _MARK + digest(said),
        }
        try:
            made = self._compiler.compile(
                sys_inputs={"poster": json.dumps(given, ensure_ascii=False)}, format="pdf", pdf_standards=[STANDARD]
            )
        except typst.TypstError as error:
            raise UnsetPosterError(f"affiche « {said['office']} » impossible : {_in_french(error)}") from error
        assert isinstance(made, bytes)  # a PDF is one file, whatever its pages
        return made


def _in_french(error: typst.TypstError) -> str:
    undrawn = _UNDRAWN.search(str(error))
    if undrawn is None:
        return f"la norme PDF/UA ({error})"
    return f"aucune police ne dessine le signe « {undrawn[1]} » ; le corriger dans le libellé"


def qr_code(address: str) -> str:
    """Return the QR code of an address, level of correction M, as SVG."""
    drawn = io.BytesIO()
    segno.make_qr(address, error="m", boost_error=False).save(drawn, kind="svg", border=QUIET_ZONE, xmldecl=False)
    return drawn.getvalue().decode()


def digest(said: Mapping[str, Any]) -> str:
    """Return what changes with what a poster says or with how it is set; its version alone is no part of it."""
    words = json.dumps({key: value for key, value in said.items() if key != "version"}, sort_keys=True)
    return hashlib.sha256(f"{_set_with()}{words}".encode()).hexdigest()[:32]


def says(pdf: bytes, said: Mapping[str, Any]) -> bool:
    """Whether a PDF is whole and says that already."""
    return (_MARK + digest(said)).encode() in pdf and pdf.rstrip().endswith(b"%%EOF")


@cache
def _set_with() -> str:
    """Return what changes with the source, the fonts or the typesetter."""
    found = hashlib.sha256(f"{version('typst')} {version('segno')}".encode() + SOURCE.read_bytes())
    for font in sorted(FONTS.glob("*.ttf")):
        found.update(font.read_bytes())
    return found.hexdigest()
