"""The page where a producer without any tool has a file judged: the letter in the page, the annotated copy beside it.

It listens on this machine alone, behind the web server that says who may reach it. A file is judged by the engine of
the night, in a process apart; nothing of it is kept nor noted, and what a crash leaves is erased at the next start.
"""

from __future__ import annotations

import asyncio
import base64
import datetime
import os
import re
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import jinja2
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from pipelines.cli.file_check import check_export, layout_of, letters_of
from pipelines.mechanics import limits
from pipelines.mechanics.french import size
from pipelines.read import TreatmentError, apart
from pipelines.validate.letters.letter import TEMPLATES

if TYPE_CHECKING:
    from starlette.requests import Request

    from pipelines.declarations import Catalogue

AT_ONCE, WAITING = 2, 6  # files judged together, and those that wait; others are asked to come back
_RECEIVING_SECONDS, _JUDGING_SECONDS, _STILL_SECONDS = 60, 120, 30
_AROUND = 20_000  # bytes of the form beside the file
_LONGEST_NAME = 120
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class FormError(Exception):
    """What was sent can't be judged; the message says why, in French, ``code`` is that of the answer."""

    def __init__(self, message: str, code: int = 400) -> None:
        self.code = code
        super().__init__(message)


@dataclass(frozen=True)
class _Sent:
    """What the form holds: the export asked for, the year if it was given, the file and its name."""

    export: str
    year: str
    name: str
    content: bytes


def checking_page(catalogue: Catalogue, folder: Path, home: str = "/") -> Starlette:
    """Return the application; ``folder`` holds files while they are judged, ``home`` is where the page is."""
    erase_leftovers(folder)
    page = _Page(catalogue, folder, home)
    return Starlette(routes=[Route("/", page.answer, methods=["GET", "POST"])])


def erase_leftovers(folder: Path) -> None:
    """Make the folder, ours alone, and erase what an earlier process left; raises OSError when it is another's."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise PermissionError(f"{folder} n'est pas un dossier de cet utilisateur")
    folder.chmod(0o700)
    for left in folder.iterdir():
        shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()


class _Page:
    """Answers: the form, or the letter about the file that was sent."""

    def __init__(self, catalogue: Catalogue, folder: Path, home: str) -> None:
        self._catalogue, self._folder, self._home = catalogue, folder, home
        self._places = asyncio.Semaphore(AT_ONCE)
        self._inside = 0
        self._template = jinja2.Environment(
            loader=jinja2.FileSystemLoader([Path(__file__).parent / "templates", TEMPLATES]),
            autoescape=jinja2.select_autoescape(["html"]),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        ).get_template("check.html")

    async def answer(self, request: Request) -> Response:
        """Answer a request; whatever is sent, no error holds anything of it."""
        if request.method != "POST":
            return self._form(chosen=request.query_params.get("export", ""))
        try:
            if self._inside >= AT_ONCE + WAITING:
                raise FormError("Trop de fichiers sont contrôlés en ce moment. Recommencez dans une minute.", 503)
            self._inside += 1
            try:
                return await self._checked(request)
            finally:
                self._inside -= 1
        except FormError as error:
            return self._form(str(error), error.code)

    async def _checked(self, request: Request) -> Response:
        _check_origin(request)
        try:
            async with asyncio.timeout(_RECEIVING_SECONDS):
                body = await _body(request)
        except TimeoutError as error:
            raise FormError("L'envoi a été trop long.", 408) from error
        sent = _sent(body, request.headers.get("content-type", ""))
        async with self._places:
            contents = await asyncio.to_thread(self._judged, sent)
        return self._letter(contents)

    def _judged(self, sent: _Sent) -> dict[str, bytes]:
        """Return the letter and the copy, made in a process whose time and memory are bounded."""
        network, _, identifier = sent.export.partition("/")
        declared = self._catalogue.networks.get(network)
        export = declared.export(identifier) if declared else None
        if export is None:
            raise FormError("Choisissez un réseau et un export de la liste.")
        if not sent.content:
            raise FormError("Choisissez un fichier, qui ne soit pas vide.")
        try:
            layout, year = layout_of(export, int(sent.year) if sent.year.isdecimal() else None, sent.name)
        except ValueError as error:
            raise FormError(_without_options(str(error))) from error
        today = datetime.date.today()
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            path = Path(folder) / sent.name
            path.write_bytes(sent.content)

            def work(_: Any) -> dict[str, bytes]:
                tempfile.tempdir = folder  # what it writes is erased with the file
                checked = check_export(self._catalogue, network, export, layout, year, path)
                return letters_of(self._catalogue, checked, today)

            try:
                return apart(work, memory=limits.CHECKING_MEMORY, seconds=_JUDGING_SECONDS, still=_STILL_SECONDS)
            except (TreatmentError, OSError, MemoryError) as error:
                raise FormError("Il demande trop de temps ou de mémoire pour cette page.", 503) from error
            except Exception as error:  # of a file never seen before: nothing of it may reach a log
                raise FormError("Le contrôle s'est interrompu ; prévenez l'équipe données.", 500) from error

    def _letter(self, contents: dict[str, bytes]) -> Response:
        page = next(content for name, content in contents.items() if name.endswith(".html")).decode()
        name, copy = next(((name, item) for name, item in contents.items() if name.endswith(".xlsx")), ("", b""))
        title = page.partition("<title>")[2].partition("</title>")[0]
        main = page.partition('<main id="contenu" tabindex="-1">')[2].partition("</main>")[0]
        return self._rendered(
            title=Markup(title),
            letter=Markup(main),
            copy=base64.b64encode(copy).decode(),
            copy_name=name,
            copy_size=size(len(copy)),
        )

    def _form(self, fault: str = "", code: int = 200, chosen: str = "") -> Response:
        title = "Fichier non contrôlé" if fault else "Contrôler un fichier"
        return self._rendered(code, title=title, letter="", fault=fault, chosen=chosen)

    def _rendered(self, code: int = 200, **values: Any) -> Response:
        networks = sorted(self._catalogue.networks.items(), key=lambda item: item[1].title)
        choices = {
            network.title: {f"{name}/{export.id}": export.title for export in network.exports}
            for name, network in networks
        }
        years = sorted({year for _, network in networks for year in network.years}, reverse=True)
        told = {"fault": "", "chosen": "", "chosen_year": "", "copy": "", "copy_name": "", "copy_size": "", **values}
        page = self._template.render(
            home=self._home, choices=choices, years=years, limit=size(limits.LARGEST_CHECKED_ONLINE), **told
        )
        return HTMLResponse(page, code, _HEADERS)


def _check_origin(request: Request) -> None:
    """Refuse a form that another site sends with a visitor's account: browsers tell the origin of every POST."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host", ""):
        raise FormError("La demande vient d'un autre site.", 403)


async def _body(request: Request) -> bytes:
    """Return what is sent, as long as it isn't too large, whatever it says of its length."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limits.LARGEST_CHECKED_ONLINE + _AROUND:
            raise FormError(f"Il est trop grand pour cette page ({size(limits.LARGEST_CHECKED_ONLINE)} au plus).", 413)
    return bytes(body)


_NOTHING_READ = "Le formulaire n'a pas pu être lu."


def _sent(body: bytes, kind: str) -> _Sent:
    """Read a form (RFC 7578); raises FormError on what is none."""
    found = re.fullmatch(r"multipart/form-data;.*?boundary=\"?([^\";]{1,70})\"?", kind.strip(), re.IGNORECASE)
    if found is None:
        raise FormError(_NOTHING_READ)
    values: dict[str, bytes] = {}
    name = ""
    pieces = (b"\r\n" + body).split(b"\r\n--" + found[1].encode("latin-1"))
    for piece in pieces[1:-1]:
        head, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        words = dict(re.findall(r'[; ](name|filename)="([^"\r\n]*)"', head.decode("utf-8", "replace")))
        values[words.get("name", "")] = content
        name = words.get("filename", name)
    export, year = (values.get(key, b"")[:_LONGEST_NAME].decode("utf-8", "replace") for key in ("export", "annee"))
    return _Sent(export, year, plain_name(name), values.get("fichier", b""))


def plain_name(name: str) -> str:
    """Return the name of a file without any folder, nor sign that could be more than a letter of it."""
    bare = re.split(r"[/\\]", name)[-1]
    kept = re.sub(r"[^\w.() -]", "_", bare).strip(" .")
    stem, dot, ending = kept.rpartition(".")
    return f"{stem[:_LONGEST_NAME]}{dot}{ending[:10]}" or "fichier"


def _without_options(message: str) -> str:
    return re.sub(r"indiquez --year \((.*)\)", r"choisissez l'année (\1)", message).capitalize() + "."
