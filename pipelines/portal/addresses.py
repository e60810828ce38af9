"""Where each page of the site is: addresses made of codes, so that a place renamed or closed keeps its page.

A code becomes a file name that any system takes and that gives the code back; names of things are never in addresses.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from pipelines.portal.figures import Place

LATEST = "donnees/latest"  # the files of the version shown, whose addresses stay from one version to the next
FOLDERS = {"departement": "departements", "region": "regions"}
_PLAIN = re.compile(r"[^A-Za-z0-9_-]")
_WRITTEN = re.compile(r"~([0-9A-F]{2})")


def file_name(code: str) -> str:
    """Return a code as a file name: bytes of what is no letter, digit, « - » or « _ » as « ~ » and hexadecimal."""
    return _PLAIN.sub(lambda found: "".join(f"~{byte:02X}" for byte in found[0].encode()), code) or "~"


def code_of(name: str) -> str:
    """Return the code that ``file_name`` wrote."""
    return "" if name == "~" else _WRITTEN.sub(lambda found: chr(int(found[1], 16)), name).encode("latin-1").decode()


def network_page(network: str) -> str:
    """Return the page of a network, with its national figures."""
    return f"reseaux/{file_name(network)}.html"


def territory_page(level: str, code: str) -> str:
    """Return the page of a département or a region, all networks together."""
    return f"{FOLDERS[level]}/{file_name(code)}.html"


def indicator_page(indicator: str, network: str | None = None) -> str:
    """Return the page of an indicator, or of what a network says of it."""
    return f"indicateurs/{file_name(indicator)}{f'/{file_name(network)}' if network else ''}.html"


def barometer_page(barometer: str, question: str | None = None) -> str:
    """Return the page of a barometer, or of one of its questions."""
    return f"barometres/{file_name(barometer)}{f'/{file_name(question)}' if question else ''}.html"


def signal_page(signal: str) -> str:
    """Return the page of a signal."""
    return f"signaux/{file_name(signal)}.html"


def voice_page(network: str, service: str) -> str:
    """Return the page of what users say of a service."""
    return f"voix/{file_name(network)}/{file_name(service)}.html"


def table_page(table: str) -> str:
    """Return the page of the columns of a published table."""
    return f"donnees/{file_name(table)}.html"


def version_page(version: str) -> str:
    """Return the page of a version of the data."""
    return f"{version_folder(version)}.html"


def version_folder(version: str) -> str:
    """Return the folder of the files of a version, whose addresses never change."""
    return f"donnees/versions/{version}"


def place_page(place: Place) -> str:
    """Return the page of a place in a network: its office, its territory or its country."""
    network = file_name(place.network)
    if place.level == "site":
        return f"structures/{network}/{file_name(place.code)}.html"
    if place.level == "national":
        return network_page(place.network)
    return f"{FOLDERS[place.level]}/{file_name(place.code)}/{network}.html"


def rows_file(page: str) -> str:
    """Return the CSV of the rows of a page."""
    return f"{page.removesuffix('.html')}.csv"


def part(page: str, number: int) -> str:
    """Return the address of the second part of a page, and following: no code gives « ~ » and one digit alone."""
    return page if number == 1 else f"{page.removesuffix('.html')}~{number}.html"


def card(page: str, indicator: str) -> str:
    """Return the picture of a figure that other sites may show."""
    return f"{page.removesuffix('.html')}/{file_name(indicator)}.svg"


def poster_file(place: Place) -> str:
    """Return the poster of an office, which is there once ``resultats posters`` made it."""
    return f"{posters_folder(place.network)}/{file_name(place.code)}.pdf"


def posters_zip(network: str) -> str:
    """Return the zip of the posters of a network."""
    return f"{posters_folder(network)}.zip"


def posters_folder(network: str) -> str:
    """Return the folder of the posters of a network."""
    return f"affiches/{file_name(network)}"


def link(address: str, page: str) -> str:
    """Return the address as a link from a page: relative, so that the site may be opened from any folder."""
    return f"{'../' * page.count('/')}{quote(address)}"
