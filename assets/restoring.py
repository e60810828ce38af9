"""A backup put back: first beside, verified byte by byte, and only then in place. Making one is in ``backup``."""

import datetime
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from assets.backup import DUMP, MANIFEST, Backup, BackupError, Nowhere, Progress, client, copy, members, verified
from assets.backup_outputs import ASIDE, FolderOutput, StorageError, StorageOutput
from pipelines.flow.output_folder import PUBLIC
from pipelines.operations.instance_place import Database, InstancePlace
from pipelines.operations.output_lock import LOCK_FILE, alone_on
from pipelines.release.files import public_folder

_DRAFT = ".restauration"


class InterruptedRestoreError(BackupError):
    """A restoration that failed once it had begun to write; the French text says what to do."""


def restore(
    source: Path, output: FolderOutput | StorageOutput, place: InstancePlace, *, replace: bool = False,
    progress: Progress = lambda _name, _size: None,
) -> Backup:  # fmt: skip
    """Put a backup back into an empty output and an empty instance.

    ``replace`` accepts that they are not empty: what was there is moved to ``.avant-restauration`` beside it, and the
    tables of PostgreSQL are replaced. Raises BackupError, with nothing changed, when the backup is damaged, of another
    kind of instance or output, or when a place isn't empty; InterruptedRestoreError when a storage fails meanwhile;
    OutputBusyError when a run works in the folder of the output.
    """
    with ExitStack() as drafts:
        if isinstance(output, FolderOutput):
            drafts.enter_context(alone_on(str(output.folder), "resultats restore"))
        if not replace:
            _check_empty(output, place)
        new_state = drafts.enter_context(_draft(place.state))
        folders = {"instance": new_state}
        if isinstance(output, FolderOutput):
            folders["output"] = drafts.enter_context(_draft(output.folder))
        manifest = _extract(source, folders, progress)
        _check_kinds(manifest, output, place)
        dumped = new_state / Path(DUMP).name
        if place.database:
            options = ("--clean", "--if-exists") if replace else ()
            name = f"--dbname={place.database.name}"
            client("pg_restore", place.database, *options, name, "--no-owner", "--single-transaction", str(dumped))
            dumped.unlink()
        if isinstance(output, StorageOutput):  # after the database, which takes all or nothing
            _put_objects(source, output, replace=replace, progress=progress)
        else:
            _put_in_place(folders["output"], output.folder)
        _put_in_place(new_state, place.state)
    return Backup(source, manifest)


def _check_empty(output: FolderOutput | StorageOutput, place: InstancePlace) -> None:
    held = _held(output.folder) if isinstance(output, FolderOutput) else output.held()
    where = output.folder if isinstance(output, FolderOutput) else output.url
    for name, found, shown in (("la sortie", held, where), ("l'instance", _held(place.state), place.state)):
        if found:
            raise BackupError(f"{name} n'est pas vide : {shown} (--replace met de côté ce qui s'y trouve)")
    if place.database and _tables(place.database):
        raise BackupError("la base PostgreSQL n'est pas vide (--replace remplace ses tables)")


def _check_kinds(manifest: dict[str, Any], output: FolderOutput | StorageOutput, place: InstancePlace) -> None:
    kind = "postgresql" if place.database else "sqlite"
    if manifest["instance"] != kind:
        raise BackupError(f"la sauvegarde est celle d'une instance {manifest['instance']}, celle-ci est {kind}")
    saved = manifest.get("sortie", FolderOutput.kind)
    if saved != output.kind:
        raise BackupError(f"la sauvegarde est celle d'une sortie de genre « {saved} », celle-ci est un {output.kind}")


def _put_objects(source: Path, output: StorageOutput, *, replace: bool, progress: Progress) -> None:
    """Write the objects of a backup that was read to its end: a second reading, since a storage renames nothing."""

    def objects() -> Iterator[tuple[str, IO[bytes]]]:
        for member, stream in members(source):
            top, _, name = member.name.partition("/")
            if top == "output":
                yield name, stream
                progress(member.name, member.size)

    try:
        if replace:
            output.set_aside(f"{datetime.datetime.now().astimezone():%Y%m%d-%H%M%S}")
        output.put(objects(), copy)
    except StorageError as error:
        again = "relancer la même commande, avec --replace"
        raise InterruptedRestoreError(f"restauration interrompue, {error} : {again}") from error


def _extract(source: Path, folders: dict[str, Path], progress: Progress) -> dict[str, Any]:
    """Write the files of a backup below these folders; those that go elsewhere are read all the same, and verified."""
    manifest: dict[str, Any] | None = None
    found: dict[str, dict[str, Any]] = {}
    for member, stream in members(source):
        if member.name == MANIFEST:
            manifest = json.loads(stream.read())
            continue
        top, _, rest = member.name.partition("/")
        if top not in ("instance", "output") or not rest:
            raise BackupError(f"sauvegarde suspecte : {member.name}")
        if top not in folders:
            found[member.name] = copy(stream, Nowhere())
            continue
        path = folders[top] / rest
        if _is_public(top, rest):
            public_folder(path.parent, folders[top] / rest.partition("/")[0])
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as target:
            found[member.name] = copy(stream, target)
        path.chmod(_mode(top, rest, member.mode))
        os.utime(path, (member.mtime, member.mtime))
        progress(member.name, member.size)
    return verified(manifest, found)


def _mode(top: str, name: str, mode: int) -> int:
    """Return the rights of a file as they were (archive and releases read-only), what is private closed to others."""
    return mode & (0o755 if _is_public(top, name) else 0o750)


def _is_public(top: str, name: str) -> bool:
    return top == "output" and name.partition("/")[0] in PUBLIC


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
        aside = folder / ASIDE
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        for path in present:
            path.rename(aside / path.name)
    for path in draft.iterdir():
        path.rename(folder / path.name)


def _held(folder: Path) -> list[Path]:
    hidden = (_DRAFT, ASIDE, LOCK_FILE)  # the last left by a run that was killed
    return [path for path in folder.iterdir() if path.name not in hidden] if folder.is_dir() else []


def _tables(database: Database) -> int:
    query = "select count(*) from information_schema.tables where table_schema = 'public'"
    return int(client("psql", database, "--tuples-only", "--no-align", f"--command={query}"))
