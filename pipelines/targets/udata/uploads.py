"""Files → udata: in one request when small, in parts when large. What is done when an answer is lost is in ``client``.

A part can't be sent twice under one uuid (the server answers 500), so a lost answer starts the whole file again under a
new one; parts that were never put together are swept by the server and show nowhere.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.targets.udata.remote import RemoteResource, part, resource
from pipelines.targets.udata.transport import Transport
from pipelines.targets.udata.udata_errors import UnknownOutcomeError

CHUNK = 8 * 1024 * 1024  # bytes; nothing larger is held in memory or sent at once
ATTEMPTS = 3


@dataclass(frozen=True)
class Upload:
    """A local file and the name that it is sent under."""

    path: Path
    filename: str
    size: int
    sha1: str


def send_file(transport: Transport, path: str, upload: Upload, chunk: int = CHUNK) -> RemoteResource:
    """Send a file to an upload address; return the resource as the server tells it.

    UnknownOutcomeError: the file may be there, look for its sha1 before sending it again.
    """
    if upload.size <= chunk:
        return transport.post_form(path, resource, {}, (upload.filename, upload.path.read_bytes()))
    return _send_parts(transport, path, upload, chunk)


def _send_parts(transport: Transport, path: str, upload: Upload, chunk: int) -> RemoteResource:
    total = -(-upload.size // chunk)
    for attempt in range(1, ATTEMPTS + 1):
        form = {"uuid": str(uuid.uuid4()), "filename": upload.filename, "totalparts": str(total)}
        try:
            _every_part(transport, path, upload, form, chunk)
            break
        except UnknownOutcomeError:
            if attempt == ATTEMPTS:
                raise
            transport.sleep(transport.waits[0])
    return transport.post_form(path, resource, form, None)


def _every_part(transport: Transport, path: str, upload: Upload, form: Mapping[str, str], chunk: int) -> None:
    with upload.path.open("rb") as stream:
        for index in range(int(form["totalparts"])):
            content = stream.read(chunk)
            described = {**form, "partindex": str(index), "chunksize": str(len(content))}
            transport.post_form(path, part, described, (upload.filename, content))
