"""What is told to people when the night is over: which network is late, what failed, and what to do. Texts only.

Nothing is sent from here: the transports, the clock and the memory of what was told are those of ``assets``.
"""

from pipelines.report.calendar import LateFiles, late_files
from pipelines.report.facts import Fact, Places, broken_step, failed_indicator, late_network, nothing_published, refused
from pipelines.report.message import Message, write_message

__all__ = [
    "Fact",
    "LateFiles",
    "Message",
    "Places",
    "broken_step",
    "failed_indicator",
    "late_files",
    "late_network",
    "nothing_published",
    "refused",
    "write_message",
]
