"""Where a udata is and as whom it is spoken to: its address, a key and an organization of the settings.

The key is kept nowhere, and goes only where nobody can read it on the way.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

import requests

from pipelines.targets.protocol import Secret, TargetError
from pipelines.targets.udata.client import Udata
from pipelines.targets.udata.server_state import member_of
from pipelines.targets.udata.transport import Transport

KEY, ORGANIZATION = "RESULTATS_API_KEY", "RESULTATS_ORGANIZATION"
ADDRESSES = {"demo": "https://demo.data.gouv.fr", "www": "https://www.data.gouv.fr"}


@dataclass(frozen=True)
class Access:
    """Where a platform is, and as whom it is spoken to."""

    url: str
    organization: str
    key: str = field(repr=False)

    @property
    def client(self) -> Udata:
        """Speak to the platform with the key."""
        return Udata(Transport(self.url, requests.Session(), time.sleep, self.key))

    def prove(self) -> None:
        """Ask the platform whether it knows the key and the organization; raises PublicationError when it doesn't."""
        member_of(self.client, self.organization)


def access(target: str, secret: Secret) -> Access:
    """Return the way to the platform of that name or URL; raises TargetError when the settings don't give it."""
    url = address(target)
    key, organization = secret(KEY), secret(ORGANIZATION)
    if key is None or organization is None:
        missing = " et ".join(name for name, value in ((KEY, key), (ORGANIZATION, organization)) if value is None)
        raise TargetError(
            f"{missing} : à définir dans l'environnement pour publier sur {url} "
            f"(clé créée dans son profil sur la plateforme, ou fichier qui la contient, {KEY}_FILE ; "
            "identifiant de l'organisation, lu sur sa page)"
        )
    if not (key.strip().isascii() and key.strip().isprintable()):
        raise TargetError(f"{KEY} : des caractères ne peuvent être ceux d'une clé ; la recopier depuis son profil")
    return Access(url, organization.strip(), key.strip())


def address(target: str) -> str:
    """Return the URL of a platform to which a key may be sent; raises TargetError, which never shows a password."""
    if "@" in target:
        raise TargetError(f"l'adresse de la cible ne porte ni nom ni mot de passe ; la clé est lue dans {KEY}")
    if "?" in target or "#" in target:  # what follows may be a password too, and is no part of the address of a site
        raise TargetError("l'adresse de la cible s'arrête avant « ? » et « # » : donner celle du site seulement")
    url = ADDRESSES.get(target, target).rstrip("/")
    if not url.startswith(("https://", "http://")):
        names = ", ".join(["local", *ADDRESSES])
        raise TargetError(f"cible « {target} » inconnue ; donner {names} ou une adresse (https://…)")
    if not _private_on_the_way(url):
        raise TargetError(f"{url} : la clé y serait lisible en chemin ; donner l'adresse en https://")
    return url


def platform_time(target: str) -> float:
    """Return what time it is (epoch seconds) by a platform, asked without the key; raises what requests raises."""
    answer = requests.head(f"{address(target)}/api/1/site/", timeout=20, allow_redirects=False)
    return parsedate_to_datetime(answer.headers["Date"]).timestamp()


def _private_on_the_way(url: str) -> bool:
    """Whether what is sent there goes over TLS, or without leaving this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" or parts.hostname == "localhost":
        return True
    try:
        return ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
