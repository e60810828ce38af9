"""Who gets in by the shipped nginx configurations, and with what: passwords, or an identity provider."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from front import PASSWORD, nginx

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

    def raw(self, path: str, account: str) -> int:
        """Return the status of a POST whose path is sent as it is written."""
        host, _, port = self.address.removeprefix("https://").partition(":")
        context = ssl.create_default_context(cafile=self.authority)
        connection = http.client.HTTPSConnection(host, int(port), context=context, timeout=10)
        secret = base64.b64encode(f"{account}:{PASSWORD}".encode()).decode()
        connection.request("POST", path, headers={"Authorization": f"Basic {secret}"})
        status = connection.getresponse().status
        connection.close()
        return status

    def server(self, path: str, account: str | None = None, **options: Any) -> str | int:
        """Return which server answered, or the status of a refusal."""
        answer = self.ask(path, account, **options)
        return answer.json()["server"] if answer.ok else answer.status_code


@pytest.fixture(scope="module")
def passwords(tmp_path_factory) -> Iterator[Site]:
    team, readers = behind("team"), behind("readers")
    ports = {3000: team.server_port, 3001: readers.server_port}
    with nginx(tmp_path_factory.mktemp("passwords"), "resultats.conf", ports) as (address, authority):
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
    with nginx(tmp_path_factory.mktemp("identity"), "resultats-identity.conf", ports) as (address, authority):
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
