"""Which facts were told, by which channel: nothing is told twice. What the facts are is not known here."""

import datetime
from collections.abc import Sequence
from pathlib import Path

from assets.channels import Channel, SendError
from pipelines.flow.store import read_json, write_json
from pipelines.report import Fact, write_message

# A fact not seen for so long has ended: if it comes back, it is told again.
FORGOTTEN_AFTER = datetime.timedelta(days=30)


def tell(facts: Sequence[Fact], channels: Sequence[Channel], memory: Path, day: datetime.date) -> list[str]:
    """Send each channel one message of what it hasn't told yet; return the French reasons of those that failed.

    ``memory`` is the JSON file of what was told: channel → key → the day when the fact was last seen. It is written
    after each channel, so that one that fails is tried again alone.
    """
    told: dict[str, dict[str, str]] = read_json(memory) or {}
    failures = []
    for channel in channels:
        known = {key: seen for key, seen in told.get(channel.name, {}).items() if _recent(seen, day)}
        news = [fact for fact in facts if fact.key not in known]
        try:
            if news:
                channel.send(write_message(news, day))
        except SendError as error:
            failures.append(f"{channel.name} : {error}")
            news = []
        seen_again = [fact.key for fact in facts if fact.key in known]
        told[channel.name] = known | dict.fromkeys([*seen_again, *(fact.key for fact in news)], day.isoformat())
        write_json(memory, told)
    return failures


def _recent(seen: str, day: datetime.date) -> bool:
    return day - datetime.date.fromisoformat(seen) <= FORGOTTEN_AFTER
