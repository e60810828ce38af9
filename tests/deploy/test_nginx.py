"""Who gets in by the shipped nginx configurations, and with what: passwords, or an identity provider."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from front import PASSWORD, nginx

from pipelines.flow.store import Store

pytestmark = pytest.mark.e2e

Answer = Callable[[BaseHTTPRequestHandler], tuple[int, dict[str, str]]]


def behind(name: str, answer: Answer = lambda _: (200, {})) -> ThreadingHTTPServer:
    """Serve on a free port: tells its name, and what it was sent."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, headers = answer(self)
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            told = {
                "server": name,
                "path": self.path,
                "headers": {key.lower(): text for key, text in self.headers.items()},
            }
            body = json.dumps(told).encode()
            self.send_response(status)
            for key, text in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(key, text)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class Site:
    """The site, asked as a browser would."""

    def __init__(self, address: str, authority: str) -> None:
        self.address, self.authority = address, authority

    def ask(self, path: str, account: str | None = None, method: str = "GET", **headers: str) -> requests.Response:
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        secret = (account, PASSWORD) if account else None
        return requests.request(
            method, f"{self.address}{path}", headers=named, auth=secret, verify=self.authority, timeout=10,
            allow_redirects=False,
        )  # fmt: skip

    def raw(self, path: str, account: str) -> tuple[int, bytes]:
        """Return the answer to a GET whose path is sent as it is written."""
        host, _, port = self.address.removeprefix("https://").partition(":")
        context = ssl.create_default_context(cafile=self.authority)
        connection = http.client.HTTPSConnection(host, int(port), context=context, timeout=10)
        secret = base64.b64encode(f"{account}:{PASSWORD}".encode()).decode()
        connection.request("GET", path, headers={"Authorization": f"Basic {secret}"})
        answer = connection.getresponse()
        found = answer.status, answer.read()
        connection.close()
        return found

    def server(self, path: str, account: str | None = None, **options: Any) -> str | int:
        """Return which server answered, or the status of a refusal."""
        answer = self.ask(path, account, **options)
        return answer.json()["server"] if answer.ok else answer.status_code


NETWORK = "output/work/networks/caf/2024"
SHOWN = ("enquete-lettre.html", "enquete-lettre.txt", "enquete-lignes-refusees.xlsx")
KEPT = (
    "enquete-anomalies.csv", "report.json", "reception.json", "results.parquet", "observations/enquete.parquet",
    "observations/enquete-lettre.html", ".enquete-lettre.html.123", "enquete-lettre.html.bak",
)  # fmt: skip


def with_letters(folder: Path) -> Path:
    """Write what a network-year holds, and what is beside, below the folder that stands for /var/lib/resultats."""
    beside = ("output/work/judged/x-lettre.html", "output/archive/aa/x-lettre.html", "secret-lettre.html")
    for name in (*(f"{NETWORK}/{item}" for item in (*SHOWN, *KEPT)), *beside):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"contenu de {name}", encoding="utf-8")
    (folder / NETWORK / "lien-lettre.html").symlink_to(folder / "secret-lettre.html")
    return folder


def refuses_all_but_letters(site: Site, **signed: str) -> None:
    """Ask, signed in, for all that isn't a letter, in the ways that one could try."""
    place = "/lettres/caf/2024"
    for name in (*KEPT, "", "lien-lettre.html"):
        assert site.ask(f"{place}/{name}", **signed).status_code in (403, 404), name
    for path in (
        "/lettres", "/lettres/", "/lettres/caf", "/lettres/caf/", "/lettres/caf/2024",
        "/lettres/caf/2024/..%2f..%2f..%2fjudged/x-lettre.html", f"{place}/report.json%00-lettre.html",
        f"{place}/report.json/enquete-lettre.html", "/lettrescaf/2024/a-lettre.html",
    ):  # fmt: skip
        answer = site.ask(path, **signed)
        assert answer.status_code >= 400 or "contenu de" not in answer.text, path


@pytest.fixture(scope="module")
def passwords(tmp_path_factory) -> Iterator[Site]:
    team, readers = behind("team"), behind("readers")
    ports = {3000: team.server_port, 3001: readers.server_port}
    with nginx(with_letters(tmp_path_factory.mktemp("passwords")), "resultats.conf", ports) as (address, authority):
        yield Site(address, str(authority))
    team.shutdown()
    readers.shutdown()


def test_each_account_reaches_its_own_server_and_no_other(passwords):
    assert passwords.server("/") == passwords.server("/graphql", method="POST") == passwords.server("/lecture/") == 401
    assert passwords.server("/runs", "equipe") == "team"
    assert passwords.server("/lecture/runs", "lecteur") == "readers"
    assert passwords.server("/runs", "lecteur") == 401
    assert passwords.server("/graphql", "lecteur", method="POST") == 401
    # No other way of writing the path leads a reader to the team's server.
    for path in (
        "/lecture/../graphql",
        "/lecture/..%2fgraphql",
        "//graphql",
        "/LECTURE/graphql",
        "/lecture%2f../graphql",
    ):
        assert passwords.server(path, "lecteur", method="POST") in (401, 404, "readers"), path
    assert passwords.ask("/", "equipe", **{"X": "1"}).headers["X-Frame-Options"] == "DENY"
    assert "nginx/" not in passwords.ask("/").headers["Server"]


def test_no_account_is_passed_on(passwords):
    told = passwords.ask("/runs?cursor=a%20b", "equipe", Cookie="session=secret").json()
    assert told["path"] == "/runs?cursor=a%20b"
    assert not {"authorization", "cookie"} & told["headers"].keys()


def test_another_site_cannot_use_a_visitor_s_account(passwords):
    own = passwords.address
    assert passwords.server("/graphql", "equipe", method="POST", Origin=own) == "team"
    assert passwords.server("/graphql", "equipe", method="POST") == "team"  # a script of the team's
    for origin in ("https://ailleurs.example", "null", f"{own}.ailleurs.example", own.replace("https", "http")):
        assert passwords.server("/graphql", "equipe", method="POST", Origin=origin) == 403, origin
    # An image or a link makes a GET, without any origin.
    for path in ("/graphql?query=mutation{x}", "/graphql/?query=mutation{x}", "/lecture/graphql?query={x}"):
        assert passwords.server(path, "equipe" if "lecture" not in path else "lecteur") == 405, path
    upgraded = {"Upgrade": "websocket", "Connection": "upgrade"}
    assert passwords.server("/graphql", "equipe", **upgraded, Origin=own) == "team"
    assert passwords.server("/graphql", "equipe", **upgraded, Origin="https://ailleurs.example") == 403


def test_the_team_opens_letters_and_nothing_beside_them(passwords, tmp_path):
    store = Store(tmp_path, f"{passwords.address}/lettres/")  # whoever makes the address, and whoever serves it, agree
    for name in SHOWN:
        path = store.letter(store.network_year("caf", 2024) / name).removeprefix(passwords.address)
        answer = passwords.ask(path, "equipe")
        assert (answer.status_code, answer.text) == (200, f"contenu de {NETWORK}/{name}")
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert [passwords.ask(path, account).status_code for account in (None, "lecteur")] == [401, 401]
        assert passwords.ask(path, "equipe", method="POST").status_code == 405
    assert (
        passwords.ask("/lettres/caf/2024/enquete-lettre.html", "equipe").headers["Content-Type"].startswith("text/html")
    )
    refuses_all_but_letters(passwords, account="equipe")
    for path in (
        "/lettres/caf/2024/../../../judged/x-lettre.html", "/lettres../judged/x-lettre.html",
        "/lettres/caf/2024/%2e%2e/%2e%2e/%2e%2e/judged/x-lettre.html", "/lettres/../judged/x-lettre.html",
        "/lettres/caf//2024/.enquete-lettre.html.123",
    ):  # fmt: skip
        assert b"contenu de" not in passwords.raw(path, "equipe")[1], path


@pytest.fixture(scope="module")
def identity(tmp_path_factory) -> Iterator[Site]:
    """The provider knows who has a cookie, and tells the groups that it names."""

    def known(request: BaseHTTPRequestHandler) -> tuple[int, dict[str, str]]:
        cookie = request.headers.get("Cookie")
        if request.path == "/oauth2/auth":
            return (202, {"X-Auth-Request-Groups": cookie.partition("=")[2]}) if cookie else (401, {})
        return 200, {}

    servers = [behind("team"), behind("readers"), behind("provider", known)]
    ports = dict(zip((3000, 3001, 4180), (server.server_port for server in servers), strict=True))
    with nginx(with_letters(tmp_path_factory.mktemp("identity")), "resultats-identity.conf", ports) as (
        address,
        authority,
    ):
        yield Site(address, str(authority))
    for server in servers:
        server.shutdown()


def test_the_groups_of_the_provider_decide(identity):
    assert identity.server("/runs", Cookie="groups=agents,resultats-equipe") == "team"
    assert identity.server("/lecture/runs", Cookie="groups=agents") == "readers"
    for groups in ("agents", "resultats-equipe-bis", "x-resultats-equipe", ""):
        assert identity.server("/graphql", method="POST", Cookie=f"groups={groups}") == "readers", groups
    # Nobody known: the provider's page to sign in, and nothing else.
    told = identity.ask("/runs").json()
    assert (told["server"], told["path"]) == ("provider", "/oauth2/sign_in")
    assert identity.server("/lecture/", Origin="https://ailleurs.example") == 403
    # Nobody can say who he is by himself.
    assert identity.ask("/runs", X_Auth_Request_Groups="resultats-equipe").json()["server"] == "provider"
    assert identity.ask("/oauth2/auth").status_code == 404


def test_the_letters_are_for_the_group_of_the_team(identity):
    for name in SHOWN:
        path = f"/lettres/caf/2024/{name}"
        assert identity.ask(path, Cookie="groups=agents,resultats-equipe").text == f"contenu de {NETWORK}/{name}"
        assert identity.ask(path, Cookie="groups=agents").status_code == 404
        assert identity.ask(path, X_Auth_Request_Groups="resultats-equipe").json()["path"] == "/oauth2/sign_in"
    refuses_all_but_letters(identity, Cookie="groups=resultats-equipe")
