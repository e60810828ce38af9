"""What was sent, by which channel: nothing is told twice. What a message says, and how it leaves, is not known here."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Protocol

from pipelines.report.message import write_message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.flow.store import Store
    from pipelines.report.alerts import Alert
    from pipelines.report.message import Message

# An alert not seen for so long has ended: if it comes back, it is told again.
FORGOTTEN_AFTER = datetime.timedelta(days=30)
_SENT = "work/alertes.json"


class SendError(Exception):
    """A message could not be sent; the French text says why, without any secret."""


class Channel(Protocol):
    """Where messages go; ``name`` is what the memory of what was sent calls it."""

    @property
    def name(self) -> str:
        """The name of the channel."""
        ...

    def send(self, message: Message) -> None:
        """Send a message; raises SendError."""
        ...

    def probe(self) -> None:
        """Reach the other side without sending anything; raises SendError."""
        ...


def send_news(alerts: Sequence[Alert], channels: Sequence[Channel], store: Store, day: datetime.date) -> list[str]:
    """Send each channel one message of what it wasn't told yet; return the French reasons of those that failed.

    What was sent is kept in ``store`` after each channel (channel → key → the day when the alert was last seen), so
    that one that fails is tried again alone.
    """
    sent: dict[str, dict[str, str]] = store.load(_SENT) or {}
    failures = []
    for channel in channels:
        known = {key: seen for key, seen in sent.get(channel.name, {}).items() if _recent(seen, day)}
        news = [alert for alert in alerts if alert.key not in known]
        try:
            if news:
                channel.send(write_message(news, day))
        except SendError as error:
            failures.append(f"{channel.name} : {error}")
            news = []
        seen_again = [alert.key for alert in alerts if alert.key in known]
        sent[channel.name] = known | dict.fromkeys([*seen_again, *(alert.key for alert in news)], day.isoformat())
        store.keep(_SENT, sent)
    return failures


def _recent(seen: str, day: datetime.date) -> bool:
    return day - datetime.date.fromisoformat(seen) <= FORGOTTEN_AFTER
