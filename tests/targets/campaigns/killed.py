"""A publication in a process of its own, to be killed: forked from a parent that has imported all, hence quick."""

from __future__ import annotations

import multiprocessing
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from campaign import Campaign

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["pytest", "pandas", "requests", "pipelines.targets.udata.udata_target"])


def _publish(campaign: Campaign, output: Path, ready: Connection) -> None:
    ready.send(True)
    campaign.publish(output)


def publish_and_kill(campaign: Campaign, output: Path, delay: float) -> bool:
    """Start a publication and kill it (SIGKILL) after `delay` seconds; return whether it was still at work."""
    ready, told = _processes.Pipe(duplex=False)
    process = _processes.Process(target=_publish, args=(campaign, output, told))
    process.start()
    told.close()
    ready.recv()
    process.join(delay)
    at_work = process.is_alive()
    process.kill()
    process.join()
    ready.close()
    process.close()
    return at_work
