"""Posters read back as people and machines read them: text, words on the page, tags, QR code."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pikepdf
import pytest

_BLANK = re.compile(r"[\s\u00a0\u202f\u200b]+")
_WORD = re.compile(r'<word xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)">(.*?)</word>')
_PAGE = re.compile(r'<page width="([\d.]+)" height="([\d.]+)">')


@dataclass(frozen=True)
class Word:
    """A word and its box on the page, in points."""

    left: float
    top: float
    right: float
    bottom: float
    text: str

    def over(self, other: Word) -> bool:
        """Whether two words are written over one another; boxes hold a fifth of white above and below the ink."""
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self._ink[1], other._ink[1]) - max(self._ink[0], other._ink[0])
        return across > 1 and down > 1

    @property
    def _ink(self) -> tuple[float, float]:
        white = 0.22 * (self.bottom - self.top)
        return self.top + white, self.bottom - white


def program(name: str) -> str:
    """Return a program that reads; without it the test is skipped on a machine, and fails in CI, which installs it."""
    found = shutil.which(name)
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{name} n'est pas installé (poppler-utils, zbar-tools)")
    return found


def squeezed(text: str) -> str:
    """The text without its blanks: lines and columns are the page's own."""
    return _BLANK.sub("", text)


def text_of(pdf: Path) -> str:
    """The text of a poster without its blanks, in the order of its tags."""
    return squeezed(_told([program("pdftotext"), "-raw", str(pdf), "-"]))


def words_of(pdf: Path) -> tuple[tuple[float, float], list[Word]]:
    """The size of the only page, in points, and its words."""
    told = _told([program("pdftotext"), "-bbox", str(pdf), "-"])
    ((width, height),) = _PAGE.findall(told)
    words = [Word(*map(float, box), text) for *box, text in _WORD.findall(told)]
    return (float(width), float(height)), words


def qr_code_of(pdf: Path, folder: Path) -> str:
    """What a telephone reads."""
    return _told([program("zbarimg"), "-q", "--raw", str(picture_of(pdf, folder, dots=110))]).strip()


def picture_of(pdf: Path, folder: Path, *, dots: int) -> Path:
    """The page as a picture, of so many dots by inch."""
    picture = folder / "page.png"
    _told([program("pdftoppm"), "-r", str(dots), "-png", "-singlefile", str(pdf), str(picture.with_suffix(""))])
    return picture


def assert_accessible(pdf: Path) -> None:
    """What PDF/UA-1 wants of the file, seen by another program than the one that wrote it."""
    with pikepdf.open(pdf) as opened:
        root = opened.Root
        assert (str(root.Lang), bool(root.MarkInfo.Marked), bool(root.ViewerPreferences.DisplayDocTitle)) == (
            "fr-FR", True, True,
        )  # fmt: skip
        with opened.open_metadata() as metadata:
            assert metadata["pdfuaid:part"] == "1"
            assert metadata["dc:title"] == str(opened.docinfo["/Title"]) != ""
        assert len(opened.pages) == 1
        found = list(_elements(root.StructTreeRoot.K))
        kinds = [str(element.S) for element in found]
        assert kinds.count("/H1") == 1
        assert kinds.count("/H2") >= 1
        pictures = [element for element in found if str(element.S) == "/Figure"]
        assert pictures
        assert all(str(picture.get("/Alt", "")).startswith("Code QR vers la page http") for picture in pictures)
        for font in _fonts(opened):
            assert any(key in font for key in ("/FontFile", "/FontFile2", "/FontFile3")), "police non incorporée"


def _elements(node: object):
    for child in node if isinstance(node, pikepdf.Array) else [node]:
        if isinstance(child, pikepdf.Dictionary) and "/S" in child:
            yield child
            if "/K" in child:
                yield from _elements(child.K)


def _fonts(opened: pikepdf.Pdf):
    for item in opened.objects:
        if isinstance(item, pikepdf.Dictionary) and item.get("/Type") == "/FontDescriptor":
            yield item


def _told(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
