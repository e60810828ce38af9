"""How messages leave: e-mail by SMTP and JSON to a webhook, as the environment says, and what each was sent already.

What they say is in ``pipelines.report``. Errors hold no secret: the address of a webhook is one too. The standard
library does it: apprise doesn't say what a server answered, check the line without sending, nor trust an authority
that it is given.
"""

import datetime
import smtplib
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

import requests

from pipelines.flow.store import Store
from pipelines.operations.settings import ENVIRONMENT, SettingError, read_secret
from pipelines.report.alerts import Alert, Message, write_message

TIMEOUT = 20  # seconds for each exchange: a sensor tick has 60
_LOCAL = ("localhost", "127.0.0.1", "::1")
SENT = "work/alertes.json"  # what was sent: channel → key of an alert → the day when it was last seen
# An alert not seen for so long has ended: if it comes back, it is told again.
FORGOTTEN_AFTER = datetime.timedelta(days=30)
_PORTS = {"starttls": "587", "tls": "465", "aucune": "25"}  # by how the line is secured


class SendError(Exception):
    """A message could not be sent; the French text says why, without any secret."""


@dataclass(frozen=True)
class Mail:
    """An SMTP server and who is written to. ``security``: ``starttls``, ``tls``, or ``aucune`` (this machine only)."""

    host: str
    port: int
    security: str
    sender: str
    recipients: tuple[str, ...]
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    authority: str | None = None
    name: str = "courriel"

    def send(self, message: Message) -> None:
        """Send one e-mail to all recipients. A server that takes it for some of them has it: it isn't sent again."""
        mail = EmailMessage()
        mail["Subject"], mail["From"], mail["To"] = message.subject, self.sender, ", ".join(self.recipients)
        mail["Date"], mail["Message-ID"] = formatdate(localtime=True), make_msgid(domain="resultats.local")
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
        mail.set_content(message.text)
        self._exchange(mail)

    def probe(self) -> None:
        """Connect, secure the line and log in; nothing is sent."""
        self._exchange(None)

    def _exchange(self, mail: EmailMessage | None) -> None:
        try:
            trust = ssl.create_default_context(cafile=self.authority)
            with self._connected(trust) as server:
                if self.security == "starttls":
                    server.starttls(context=trust)
                if self.user and self.password:
                    server.login(self.user, self.password)
                if mail is None:
                    server.noop()
                else:
                    server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            raise SendError(f"le serveur de courriel refuse {', '.join(error.recipients)}") from None
        except smtplib.SMTPResponseException as error:
            raise SendError(f"le serveur de courriel {self.host} répond {error.smtp_code}") from None
        except (OSError, smtplib.SMTPException) as error:
            raise SendError(f"le serveur de courriel {self.host}:{self.port} : {type(error).__name__}") from None

    def _connected(self, trust: ssl.SSLContext) -> smtplib.SMTP:
        if self.security == "tls":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT, context=trust)
        return smtplib.SMTP(self.host, self.port, timeout=TIMEOUT)


@dataclass(frozen=True)
class Webhook:
    """An address that takes JSON by POST. Address and token are secrets."""

    url: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    name: str = "webhook"

    def send(self, message: Message) -> None:
        """Post the payload; anything but a 2xx answer is an error."""
        self._ask("POST", message.payload)

    def probe(self) -> None:
        """Reach the server; whatever it answers, short of a fault of its own, is enough."""
        self._ask("HEAD", None)

    def _ask(self, method: str, payload: object) -> None:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            answer = requests.request(
                method, self.url, json=payload, headers=headers, timeout=TIMEOUT, allow_redirects=False
            )
        except requests.RequestException as error:
            raise SendError(f"le webhook ne répond pas ({type(error).__name__})") from None
        if answer.status_code >= 500 or (method == "POST" and not answer.ok) or answer.is_redirect:
            raise SendError(f"le webhook répond {answer.status_code}")


Channel = Mail | Webhook


def send_news(store: Store, alerts: Sequence[Alert], channels: Sequence[Channel], day: datetime.date) -> list[str]:
    """Send each channel one message of what it wasn't sent yet; return the French reasons of those that failed.

    What was sent is kept after each channel, so that one that fails is tried again alone.
    """
    sent = store.load(SENT, dict[str, dict[str, str]]) or {}
    failures = []
    for channel in channels:
        recent = {
            key: seen
            for key, seen in sent.get(channel.name, {}).items()
            if day - datetime.date.fromisoformat(seen) <= FORGOTTEN_AFTER
        }
        news = [alert for alert in alerts if alert.key not in recent]
        seen_again = [alert for alert in alerts if alert.key in recent]
        try:
            if news:
                channel.send(write_message(news, day))
        except SendError as error:
            failures.append(f"{channel.name} : {error}")
            news = []
        sent[channel.name] = recent | {alert.key: day.isoformat() for alert in (*seen_again, *news)}
        store.keep(SENT, sent)
    return failures


def channels_from_environment(environment: Mapping[str, str] = ENVIRONMENT) -> list[Channel]:
    """Return the channels that the environment declares, none by default; raises SettingError.

    E-mail: RESULTATS_SMTP_HOST, _PORT, _SECURITY, _USER, _PASSWORD, _CA, RESULTATS_ALERT_FROM, RESULTATS_ALERT_TO
    (addresses separated by commas). Webhook: RESULTATS_WEBHOOK_URL, _TOKEN. Secrets may be in files (``…_FILE``).
    """
    channels: list[Channel] = []
    if host := environment.get("RESULTATS_SMTP_HOST"):
        channels.append(_mail(host, environment))
    if url := read_secret("RESULTATS_WEBHOOK_URL", environment):
        if not url.startswith(("https://", *(f"http://{host}" for host in _LOCAL))):
            raise SettingError("RESULTATS_WEBHOOK_URL : https:// est exigé hors de cette machine")
        channels.append(Webhook(url, read_secret("RESULTATS_WEBHOOK_TOKEN", environment)))
    return channels


def _mail(host: str, environment: Mapping[str, str]) -> Mail:
    security = environment.get("RESULTATS_SMTP_SECURITY") or "starttls"
    if security not in _PORTS:
        raise SettingError("RESULTATS_SMTP_SECURITY : starttls, tls ou aucune")
    if security == "aucune" and host not in _LOCAL:
        raise SettingError("RESULTATS_SMTP_SECURITY : « aucune » n'est permis que vers un relais de cette machine")
    port = environment.get("RESULTATS_SMTP_PORT") or _PORTS[security]
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise SettingError(f"RESULTATS_SMTP_PORT : « {port} » n'est pas un port")
    sender, listed = environment.get("RESULTATS_ALERT_FROM") or "", environment.get("RESULTATS_ALERT_TO") or ""
    recipients = tuple(address.strip() for address in listed.split(",") if address.strip())
    if not recipients or not all("@" in address for address in (sender, *recipients)):
        raise SettingError("RESULTATS_ALERT_FROM et RESULTATS_ALERT_TO : des adresses de courriel sont attendues")
    user, password = environment.get("RESULTATS_SMTP_USER"), read_secret("RESULTATS_SMTP_PASSWORD", environment)
    if bool(user) != bool(password):
        raise SettingError("RESULTATS_SMTP_USER et RESULTATS_SMTP_PASSWORD vont ensemble")
    authority = environment.get("RESULTATS_SMTP_CA") or None
    return Mail(host, int(port), security, sender, recipients, user, password, authority)
