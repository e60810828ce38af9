"""A backup put back: first beside, verified byte by byte, and only then in place. Making one is in ``backup``."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from assets.backup import DUMP, MANIFEST, Backup, BackupError, Progress, client, copy, members, verified
from assets.instance_place import Database, InstancePlace

_DRAFT = ".restauration"
_ASIDE = ".avant-restauration"


def restore(
    source: Path, output: Path, place: InstancePlace, *, replace: bool = False,
    progress: Progress = lambda _name, _size: None,
) -> Backup:  # fmt: skip
    """Put a backup back into an empty output folder and an empty instance.

    ``replace`` accepts that they are not empty: what was there is moved to ``.avant-restauration`` beside it, and the
    tables of PostgreSQL are replaced. Raises BackupError, with nothing changed, when the backup is damaged, of another
    storage than the instance's, or when a place isn't empty.
    """
    if not replace:
        for name, folder in (("la sortie", output), ("l'instance", place.state)):
            if _held(folder):
                raise BackupError(f"{name} n'est pas vide : {folder} (--replace met de côté ce qui s'y trouve)")
        if place.database and _tables(place.database):
            raise BackupError("la base PostgreSQL n'est pas vide (--replace remplace ses tables)")
    with _draft(output) as new_output, _draft(place.state) as new_state:
        manifest = _extract(source, {"output": new_output, "instance": new_state}, progress)
        kind = "postgresql" if place.database else "sqlite"
        if manifest["instance"] != kind:
            raise BackupError(f"la sauvegarde est celle d'une instance {manifest['instance']}, celle-ci est {kind}")
        dumped = new_state / Path(DUMP).name
        if place.database:
            options = ("--clean", "--if-exists") if replace else ()
            name = f"--dbname={place.database.name}"
            client("pg_restore", place.database, *options, name, "--no-owner", "--single-transaction", str(dumped))
            dumped.unlink()
        for draft, final in ((new_output, output), (new_state, place.state)):
            _put_in_place(draft, final)
    return Backup(source, manifest)


def _extract(source: Path, folders: dict[str, Path], progress: Progress) -> dict[str, Any]:
    manifest: dict[str, Any] | None = None
    found: dict[str, dict[str, Any]] = {}
    for member, stream in members(source):
        if member.name == MANIFEST:
            manifest = json.loads(stream.read())
            continue
        top, _, rest = member.name.partition("/")
        if top not in folders or not rest:
            raise BackupError(f"sauvegarde suspecte : {member.name}")
        path = folders[top] / rest
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as target:
            found[member.name] = copy(stream, target)
        path.chmod(member.mode & 0o777)  # archive and releases are read-only
        os.utime(path, (member.mtime, member.mtime))
        progress(member.name, member.size)
    return verified(manifest, found)


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    """Give a folder on the same disk to fill, gone at the end whatever happens."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / _DRAFT
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _put_in_place(draft: Path, folder: Path) -> None:
    """Move what was there aside, then what is restored into place; the folder itself may be a mount point."""
    present = _held(folder)
    if present:
        aside = folder / _ASIDE
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        for path in present:
            path.rename(aside / path.name)
    for path in draft.iterdir():
        path.rename(folder / path.name)


def _held(folder: Path) -> list[Path]:
    hidden = (_DRAFT, _ASIDE)
    return [path for path in folder.iterdir() if path.name not in hidden] if folder.is_dir() else []


def _tables(database: Database) -> int:
    query = "select count(*) from information_schema.tables where table_schema = 'public'"
    return int(client("psql", database, "--tuples-only", "--no-align", f"--command={query}"))
