"""The posters of a network, made from one release: which offices have one, what is made again, the zip of all.

A PDF holds the digest of what it says: one that says it already is kept, with the version from which it was made.
Nothing else is remembered, so that nothing can disagree with the folder.

typst sets it: tagged (PDF/UA-1), with fonts of this folder, without a date. It refuses what PDF/UA-1 forbids (a picture
without alternative, a text that no font draws) and is asked for nothing else: the same words give the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import segno
import typst

from pipelines.declarations.network import MOST_ON_A_POSTER
from pipelines.declarations.problems import close_to
from pipelines.mechanics.files import replacing, write_stable_zip, write_whole
from pipelines.portal.addresses import poster_file, posters_folder, posters_zip
from pipelines.portal.figures import Place
from pipelines.portal.posters.content import Campaign, poster
from pipelines.release.written_files import PUBLIC_FILE, public_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipelines.declarations import Network
    from pipelines.portal.figures import Series
    from pipelines.portal.release_data import Reading

HOME = Path(__file__).parent
SOURCE, FONTS = HOME / "poster.typ", HOME / "fonts"
STANDARD: Final = "ua-1"
QUIET_ZONE = 4  # modules of white around a QR code, as ISO/IEC 18004 asks
_MARK = "empreinte "
_UNDRAWN = re.compile(r'the text `"(.+?)"` could not be displayed')


class NoPosterError(Exception):
    """Nothing can be made of what is asked for; the message is French."""


@dataclass
class Made:
    """What came of the posters of a network: their addresses below the site, and what is said of those refused."""

    written: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def make_posters(
    root: Path, reading: Reading, network: str, declared: Network | None, site: str, structure: str | None = None
) -> Made:
    """Bring the posters of a network to a release, below ``root`` (the folder of the site), and their zip.

    ``declared`` says what they show, ``site`` is the address of the site, ``structure`` asks for one office alone, by
    its code. Raises NoPosterError where the release has no value of the network, or no such office.
    """
    campaign = plan(reading, network, declared, site)
    made = Made()
    for place, series in _offices(reading, network, campaign.year, structure):
        _bring(root, poster(campaign, place, series), poster_file(place), made)
    if structure is None:
        _remove_others(root, network, made)
        _pack(root, network, made)
    return made


def plan(reading: Reading, network: str, declared: Network | None, site: str) -> Campaign:
    """Return what the posters of a network share: the last year of which a result shown is published, and the rest."""
    if network not in reading.networks:
        raise NoPosterError(f"{network} : la version {reading.version} ne dit rien de ce réseau")
    of_network = reading.networks[network]
    values = reading.observed(network, of_network.finest)
    shown = declared.poster.indicators if declared and declared.poster else sorted(values)[:MOST_ON_A_POSTER]
    years = [values[code][0][1].year for code in shown if code in values]
    if not years:
        raise NoPosterError(
            f"{network} : aucun résultat publié à la maille {of_network.finest} dans la version {reading.version}, "
            "donc rien à afficher"
        )
    national = reading.series_of(network, "national", "FR") if of_network.finest != "national" else []
    kinds = {code: row["type_indicateur"] for code, row in reading.indicator_rows.items()}
    return Campaign(
        title=of_network.title,
        producer=of_network.producer,
        year=max(years),
        indicators=tuple(reading.indicators[code] for code in shown if code in reading.indicators),
        references={series.indicator.code: series for series in national},
        answers=frozenset(code for code, kind in kinds.items() if kind == "satisfaction"),
        orientation=declared.poster.orientation if declared and declared.poster else "portrait",
        site=site,
        due=declared.due_on(max(years) + 1) if declared else None,
        version=reading.version,
        stopped=date.fromisoformat(reading.date) if reading.date else None,
    )


def _offices(
    reading: Reading, network: str, year: int, structure: str | None
) -> Iterator[tuple[Place, Mapping[str, Series]]]:
    """Yield the offices of a network that are open in a year, by code, with what the release says of them."""
    level = reading.networks[network].finest
    places = _named_places(reading, network, level, year)
    if structure is not None:
        if structure not in places:
            raise NoPosterError(f"structure « {structure} » inconnue ou fermée{close_to(structure, places)}")
        yield places[structure], _by_indicator(reading.series_of(network, level, structure))
        return
    for place, series in reading.place_series(network, level):
        if (named := places.pop(place.code, None)) is not None:
            yield named, _by_indicator(series)
    for place in places.values():  # the release names them, and has no row of them
        yield place, {}


def _by_indicator(series: Sequence[Series]) -> dict[str, Series]:
    return {one.indicator.code: one for one in series}


def _named_places(reading: Reading, network: str, level: str, year: int) -> dict[str, Place]:
    """Return the places of a level by code: named as the only office there, without those that closed before a year."""
    places = {place.code: place for place in reading.places(network, level)}
    offices = [row for row in reading.rows("structures", network) if row["maille"] == level]
    holders = [row["territoire_code"] for row in offices]
    for row in offices:
        code = row["structure_code"] if level == "site" else row["territoire_code"]
        if (row["derniere_annee"] or year) < year:
            places.pop(code, None)
        elif level == "site":
            unknown = Place(network, level, code, row["structure"], row["typologie"], row["territoire_code"] or "")
            places.setdefault(code, unknown)
        elif code in places and holders.count(code) == 1:
            places[code] = replace(places[code], name=row["structure"], kind=row["typologie"])
    return places


def _bring(root: Path, said: Mapping[str, Any], address: str, made: Made) -> None:
    path = root / address
    mark = (_MARK + _digest(said)).encode()
    if path.is_file() and mark in (content := path.read_bytes()) and content.rstrip().endswith(b"%%EOF"):
        made.kept.append(address)
        return
    try:
        content = _pdf(said)
    except typst.TypstError as error:
        made.refused.append(f"affiche « {said['office']} » impossible : {_in_french(error)}")
        return
    public_folder(path.parent, root)
    write_whole(path, content)
    path.chmod(PUBLIC_FILE)
    made.written.append(address)


def _pdf(said: Mapping[str, Any]) -> bytes:
    """Return the PDF of a poster (see ``content.poster``); raises TypstError where it can't be one."""
    inputs = {
        **said,
        "qr": _qr_code(said["address"]),
        "alternative": f"Code QR vers la page {said['address']}",
        "keywords": _MARK + _digest(said),
    }
    pdf = _compiler().compile(
        sys_inputs={"poster": json.dumps(inputs, ensure_ascii=False)}, format="pdf", pdf_standards=[STANDARD]
    )
    assert isinstance(pdf, bytes)  # a PDF is one file, whatever its pages
    return pdf


@cache
def _compiler() -> typst.Compiler:
    """Return what sets one poster after the other: it reads fonts and source once."""
    return typst.Compiler(str(SOURCE), root=str(HOME), font_paths=[str(FONTS)], ignore_system_fonts=True)


def _in_french(error: typst.TypstError) -> str:
    undrawn = _UNDRAWN.search(str(error))
    if undrawn is None:
        return f"la norme PDF/UA ({error})"
    return f"aucune police ne dessine le signe « {undrawn[1]} » ; le corriger dans le libellé"


def _qr_code(address: str) -> str:
    """Return the QR code of an address, level of correction M, as SVG."""
    drawn = io.BytesIO()
    segno.make_qr(address, error="m", boost_error=False).save(drawn, kind="svg", border=QUIET_ZONE, xmldecl=False)
    return drawn.getvalue().decode()


def _digest(said: Mapping[str, Any]) -> str:
    """Return what changes with what a poster says or with how it is set; its version alone is no part of it."""
    words = json.dumps({key: value for key, value in said.items() if key != "version"}, sort_keys=True)
    return hashlib.sha256(f"{_set_with()}{words}".encode()).hexdigest()[:32]


@cache
def _set_with() -> str:
    """Return what changes with the source, the fonts or the typesetter."""
    digest = hashlib.sha256(f"{version('typst')} {version('segno')}".encode() + SOURCE.read_bytes())
    for font in sorted(FONTS.glob("*.ttf")):
        digest.update(font.read_bytes())
    return digest.hexdigest()


def _remove_others(root: Path, network: str, made: Made) -> None:
    """Remove what no office open today has on its wall."""
    due = {*made.written, *made.kept}
    for path in sorted((root / posters_folder(network)).glob("*.pdf")):
        address = path.relative_to(root).as_posix()
        if address not in due:
            path.unlink()
            made.removed.append(address)


def _pack(root: Path, network: str, made: Made) -> None:
    """Write the zip of every poster, unless it holds them all already: its comment is a digest of them."""
    addresses = sorted([*made.written, *made.kept])
    path, digest = root / posters_zip(network), hashlib.sha256()
    for address in addresses:
        digest.update(f"{address}\0".encode() + hashlib.sha256((root / address).read_bytes()).digest())
    comment = digest.hexdigest().encode()
    if _comment(path) == comment:
        return
    members = ((address.rpartition("/")[2], (root / address).read_bytes()) for address in addresses)
    with replacing(path) as draft, draft.open("wb") as stream:
        write_stable_zip(stream, members, zipfile.ZIP_STORED, mode=PUBLIC_FILE, comment=comment)
    path.chmod(PUBLIC_FILE)


def _comment(path: Path) -> bytes | None:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.comment
    except (FileNotFoundError, zipfile.BadZipFile):
        return None
