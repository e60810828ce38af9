"""Files of a release: durable writing, checksums; the declared tables that go with every release.

What they hold is decided elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import yaml

from pipelines.compile.dictionary import DICTIONARY
from pipelines.declarations import Table
from pipelines.mechanics.files import write_whole
from pipelines.release.refusals import DamagedReleaseError

CHECKSUMS, SHA256_LETTERS = "SHA256SUMS", 64
PUBLIC_FOLDER, PUBLIC_FILE = 0o755, 0o644  # whatever the process makes private otherwise
HIDDEN = "(secret)"
# None can be the name of a table or of a column.
DATASET_ITSELF, KEY_ITSELF, FILES_THEMSELVES = "datapackage", "primaryKey", "files.path"
JOURNAL, VERSIONS = (
    Table.model_validate(declared)
    for declared in yaml.safe_load(Path(__file__).with_name("own_tables.yml").read_text("utf-8")).values()
)
OWN_TABLES = {"dictionnaire": DICTIONARY, "journal": JOURNAL, "versions": VERSIONS}


def put(place: Path, content: bytes) -> None:
    """Write a file that is whole whenever it is there; one of that content is left."""
    if not place.is_file() or place.read_bytes() != content:
        write_whole(place, content)


def checksums(digests: Mapping[str, str]) -> bytes:
    """Return the content of SHA256SUMS, as ``sha256sum -c`` reads it, from the sha256 of each file by name."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items())).encode()


def told_digests(folder: Path) -> dict[str, str]:
    """Return the sha256 of each file by name, as the SHA256SUMS of a folder tells them; none when it can't be read."""
    try:
        return expected_digests(folder)
    except DamagedReleaseError:
        return {}


def expected_digests(folder: Path) -> dict[str, str]:
    """Return the sha256 of each file of a release by name.

    Raises DamagedReleaseError when it isn't there or is no such list.
    """
    try:
        lines = (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise DamagedReleaseError(f"{CHECKSUMS} : absent, plus rien ne dit ce qu'étaient les fichiers") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DamagedReleaseError(f"{CHECKSUMS} : illisible, ce n'est plus la liste des empreintes") from error
    digests = {}
    for number, line in enumerate(lines, start=1):
        digest, _, name = line.partition("  ")
        if len(digest) != SHA256_LETTERS or not name or "/" in name:
            raise DamagedReleaseError(f"{CHECKSUMS} : illisible, la ligne {number} n'est plus une empreinte et un nom")
        digests[name] = digest
    return digests


def seal(folder: Path) -> None:
    """Make every file of ``folder`` read-only, for everybody to read, and push all of it to the disk."""
    for path in sorted(folder.iterdir()):
        path.chmod(0o444)
        _sync(path)
    folder.chmod(PUBLIC_FOLDER)
    sync_folder(folder)


def public_folder(folder: Path, root: Path) -> None:
    """Make a folder that everybody may enter, and those between ``root`` and it."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in (folder, *folder.parents):
        if path.stat().st_mode & 0o777 != PUBLIC_FOLDER:
            path.chmod(PUBLIC_FOLDER)
        if path == root:
            return


def sync_folder(folder: Path) -> None:
    """Push the entries of a folder (a rename, new files) to the disk."""
    _sync(folder)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
