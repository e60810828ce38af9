"""A real nginx in front of given ports, as shipped: only addresses, ports and folders are changed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

PROJECT = Path(__file__).resolve().parents[2]
SHIPPED = PROJECT / "deploy" / "nginx"
PASSWORD = "mot de passe"


def installed(name: str, package: str) -> str:
    """Return a program; without it the test is skipped on a machine, and fails in CI, which installs it."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if found is None and os.environ.get("CI"):
        pytest.fail(f"{name} n'est pas installé (paquet {package}, voir .ci/run)")
    if found is None:
        pytest.skip(f"{name} n'est pas installé (paquet {package})")
    return found


def free_port() -> int:
    """Return a port that nobody listens to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes], seconds: float = 20) -> None:
    """Wait until a process listens."""
    deadline = time.monotonic() + seconds
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, f"arrêté avec le code {process.returncode}"
        assert time.monotonic() < deadline, f"rien n'écoute sur le port {port}"
        time.sleep(0.1)


@contextmanager
def nginx(folder: Path, shipped: str, ports: Mapping[int, int]) -> Iterator[tuple[str, Path]]:
    """Serve the shipped configuration over TLS; yield its address and the authority's certificate.

    ``ports``: shipped port of each server behind → where it really is. The accounts ``equipe`` and ``lecteur`` have
    the password PASSWORD. ``folder`` stands for /var/lib/resultats.
    """
    program = installed("nginx", "nginx-light")
    own = folder / "nginx"
    (own / "logs").mkdir(parents=True)
    for name in ("common.conf", "guard.conf", "letters.conf"):
        text = (SHIPPED / name).read_text(encoding="utf-8")
        (own / name).write_text(text.replace("/var/lib/resultats", str(folder)), encoding="utf-8")
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(str(own / "ca.pem"))
    certificate.private_key_pem.write_to_path(str(own / "certificate.key"))
    (own / "certificate.pem").write_bytes(b"".join(pem.bytes() for pem in certificate.cert_chain_pems))
    for account, file in (("equipe", "team"), ("lecteur", "readers")):
        digest = subprocess.run(
            ["openssl", "passwd", "-6", PASSWORD], capture_output=True, text=True, check=True
        ).stdout
        (own / f"{file}.htpasswd").write_text(f"{account}:{digest}")
    secure, plain = free_port(), free_port()
    text = (SHIPPED / shipped).read_text(encoding="utf-8").replace("/etc/nginx/resultats", str(own))
    text = text.replace("/var/lib/resultats", str(folder))
    text = text.replace("listen 443 ssl", f"listen 127.0.0.1:{secure} ssl").replace(
        "listen 80", f"listen 127.0.0.1:{plain}"
    )
    text = text.replace("resultats.example.fr", "localhost")
    for port, real in ports.items():
        text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{real}")
    places = " ".join(
        f"{kind}_temp_path {own}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""
    (own / "nginx.conf").write_text(
        f"daemon off; master_process on; {user} pid {own}/pid; error_log {own}/logs/error.log; events {{}}\n"
        f"http {{ access_log {own}/logs/access.log; {places}\n{text}\n}}\n",
        encoding="utf-8",
    )
    command = [program, "-p", str(own), "-e", f"{own}/logs/error.log", "-c", str(own / "nginx.conf")]
    subprocess.run([*command, "-t", "-q"], check=True)
    process = subprocess.Popen(command)
    try:
        wait_for(secure, process)
        yield f"https://localhost:{secure}", own / "ca.pem"
    finally:
        process.terminate()
        process.wait(10)
