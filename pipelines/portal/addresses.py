"""Where each page of the site is: addresses made of codes, so that a place renamed or closed keeps its page.

A code becomes a file name that any system takes; names of things are never in addresses.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from pipelines.portal.figures import Place

LATEST = "donnees/latest"  # the files of the version shown, whose addresses stay from one version to the next
FOLDERS = {"departement": "departements", "region": "regions"}
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9_-]")


def file_name(code: str) -> str:
    """Return a code as a file name: bytes of what is no letter, digit, « - » or « _ » as « ~ » and hexadecimal."""
    return _NOT_PLAIN.sub(lambda sign: "".join(f"~{byte:02X}" for byte in sign[0].encode()), code) or "~"


def page(folder: str, *codes: str) -> str:
    """Return the page of a thing, by its code or by that of what holds it, then its own: « voix/caf/CAF.html »."""
    return f"{'/'.join([folder, *map(file_name, codes)])}.html"


def territory_page(level: str, code: str) -> str:
    """Return the page of a département or a region, all networks together."""
    return page(FOLDERS[level], code)


def place_page(place: Place) -> str:
    """Return the page of a place in a network: its office, its territory or its country."""
    if place.level == "site":
        return page("structures", place.network, place.code)
    if place.level == "national":
        return page("reseaux", place.network)
    return page(FOLDERS[place.level], place.code, place.network)


def version_folder(version: str) -> str:
    """Return the folder of the files of a version, whose addresses never change."""
    return f"donnees/versions/{version}"


def version_page(version: str) -> str:
    """Return the page of a version of the data."""
    return f"{version_folder(version)}.html"


def rows_file(address: str) -> str:
    """Return the CSV of the rows of a page."""
    return f"{address.removesuffix('.html')}.csv"


def part(address: str, number: int) -> str:
    """Return the address of the second part of a page, and following: no code gives « ~ » and one digit alone."""
    return address if number == 1 else f"{address.removesuffix('.html')}~{number}.html"


def card(address: str, indicator: str) -> str:
    """Return the picture of a figure that other sites may show."""
    return f"{address.removesuffix('.html')}/{file_name(indicator)}.svg"


def posters_folder(network: str) -> str:
    """Return the folder of the posters of a network, which are there once ``resultats posters`` made them."""
    return f"affiches/{file_name(network)}"


def poster_file(place: Place) -> str:
    """Return the poster of an office."""
    return f"{posters_folder(place.network)}/{file_name(place.code)}.pdf"


def posters_zip(network: str) -> str:
    """Return the zip of the posters of a network."""
    return f"{posters_folder(network)}.zip"


def link(address: str, origin: str) -> str:
    """Return the address as a link from a page: relative, so that the site may be opened from any folder."""
    return f"{'../' * origin.count('/')}{quote(address)}"
