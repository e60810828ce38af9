"""Real receivers on loopback: an SMTP server that asks for STARTTLS and a password, and an HTTP server for webhooks."""

from __future__ import annotations

import email
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword


@dataclass
class Mailbox:
    """What an SMTP server received, and what to give the environment to write to it."""

    environment: dict[str, str]
    messages: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: ARG002, N802 (aiosmtpd's)
        self.messages.append(email.message_from_bytes(envelope.content, policy=default))
        return "250 reçu"


@contextmanager
def smtp_server(folder: Path, password: str) -> Iterator[Mailbox]:
    """Serve SMTP on a free port; only ``operateur`` with this password may send, once the line is encrypted."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    mailbox = Mailbox({})

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        right = LoginPassword(b"operateur", password.encode())
        return AuthResult(success=data == right, handled=False)

    class Server(Controller):
        def _trigger_server(self) -> None:  # the free port is known once the server listens
            self.port = self.server.sockets[0].getsockname()[1]
            super()._trigger_server()

    server = Server(
        mailbox, hostname="127.0.0.1", port=0, tls_context=context, require_starttls=True,
        authenticator=authenticate, auth_required=True,
    )  # fmt: skip
    server.start()
    mailbox.environment = {
        "RESULTATS_SMTP_HOST": "127.0.0.1", "RESULTATS_SMTP_PORT": str(server.port),
        "RESULTATS_SMTP_USER": "operateur", "RESULTATS_SMTP_PASSWORD": password,
        "RESULTATS_SMTP_CA": str(folder / "ca.pem"),
        "RESULTATS_ALERT_FROM": "resultats@example.fr", "RESULTATS_ALERT_TO": "equipe@example.fr, astreinte@example.fr",
    }  # fmt: skip
    try:
        yield mailbox
    finally:
        server.stop()


@dataclass
class Posts:
    """What an HTTP server was posted: bodies and authorizations; it answers ``status``."""

    url: str
    bodies: list[dict[str, Any]] = field(default_factory=list)
    authorizations: list[str | None] = field(default_factory=list)
    status: int = 200


@contextmanager
def webhook_server() -> Iterator[Posts]:
    """Serve HTTP on a free port of loopback."""
    posts = Posts("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posts.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            posts.authorizations.append(self.headers.get("Authorization"))
            self._answer(posts.status)

        def do_HEAD(self) -> None:
            self._answer(405)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    posts.url = f"http://127.0.0.1:{server.server_port}/hooks/jeton-du-chemin"
    try:
        yield posts
    finally:
        server.shutdown()
        server.server_close()
