"""One file that holds everything a machine lost would take with it: instance, archive, work, releases, targets.

Declarations and configuration are not in it: they are in the repository and in the deployment. Putting one back is in
``restoring``.
"""

import datetime
import hashlib
import io
import json
import os
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, Any

import dagster as dg
import pyarrow as pa

from assets.backup_outputs import FolderOutput, SavedOutput, StorageError, StorageOutput, below
from pipelines.operations.instance import opened
from pipelines.operations.instance_place import Database, InstancePlace

FORMAT = 1
MANIFEST = "MANIFESTE.json"
ENDING = ".tar.zst"
DUMP = "instance/postgresql.dump"
_GOING = [
    dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING,
]  # fmt: skip
Progress = Callable[[str, int], None]


class BackupError(Exception):
    """A backup that can't be made, read or put back; the French text says why."""


@dataclass(frozen=True)
class Backup:
    """A backup that was written and read back: where it is, and its manifest."""

    path: Path
    manifest: dict[str, Any]

    @property
    def counts(self) -> tuple[int, int]:
        """The number of files and of bytes held."""
        files = self.manifest["fichiers"]
        return len(files), sum(item["octets"] for item in files.values())


def back_up(
    target: Path, output: FolderOutput | StorageOutput, place: InstancePlace, *,
    running: bool = False, progress: Progress = lambda _name, _size: None,
) -> Backup:  # fmt: skip
    """Write a backup to ``target`` (a file, or a folder for a dated name), read it back, and give it its name.

    Raises BackupError when runs are going, or start meanwhile, unless ``running`` accepts that their outputs and
    what the instance knows of them may differ; and when what is read back differs from what was written.
    """
    now = datetime.datetime.now().astimezone()
    path = target / f"resultats-{now:%Y%m%d-%H%M%S}{ENDING}" if target.is_dir() else target
    if not path.name.endswith(ENDING):
        raise BackupError(f"le nom d'une sauvegarde finit par {ENDING} : {path}")
    if path.exists():
        raise BackupError(f"{path} existe déjà")
    if output.encloses(path) or path.absolute().is_relative_to(place.state):
        raise BackupError(f"une sauvegarde ne se met pas dans ce qu'elle sauvegarde : {path}")
    if not running and _going(place):
        raise BackupError("des traitements sont en cours : attendre leur fin, ou --running pour sauvegarder quand même")
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        manifest = _write(draft, output, place, now, progress)
        if not running and (_going(place) or _runs(place) != manifest["traitements"]):
            raise BackupError("un traitement a commencé pendant la sauvegarde : recommencer plus tard")
        check(draft)
        draft.replace(path)
    except StorageError as error:
        raise BackupError(str(error)) from error
    finally:
        draft.unlink(missing_ok=True)
    return Backup(path, manifest)


def keep_latest(folder: Path, kept: int) -> list[Path]:
    """Remove all but the ``kept`` latest dated backups of a folder; return those removed."""
    found = sorted(folder.glob(f"resultats-????????-??????{ENDING}"))
    removed = found[:-kept] if kept else []
    for path in removed:
        path.unlink()
    return removed


def check(path: Path) -> dict[str, Any]:
    """Read a whole backup and return its manifest; raises BackupError when it doesn't hold just what it says."""
    found: dict[str, dict[str, Any]] = {}
    manifest: dict[str, Any] | None = None
    for member, stream in members(path):
        if member.name == MANIFEST:
            manifest = json.loads(stream.read())
        else:
            found[member.name] = copy(stream, Nowhere())
    return verified(manifest, found)


def verified(manifest: dict[str, Any] | None, found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the manifest if the files found are those that it names, byte for byte; else raise BackupError."""
    if manifest is None:
        raise BackupError("sauvegarde incomplète : elle ne dit pas ce qu'elle contient")
    if manifest["format"] != FORMAT:
        raise BackupError(
            f"sauvegarde d'un autre format ({manifest['format']}) : la restaurer avec la version qui l'a faite"
        )
    named = manifest["fichiers"]
    wrong = sorted(name for name in named.keys() | found.keys() if named.get(name) != found.get(name))
    if wrong:
        raise BackupError(f"sauvegarde abîmée : {', '.join(wrong[:5])}{'…' if len(wrong) > 5 else ''}")
    return manifest


def members(path: Path) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    """Yield the files of a backup, in order; raises BackupError when it can't be read to its end."""
    try:
        with (
            pa.CompressedInputStream(pa.OSFile(str(path)), "zstd") as stream,
            tarfile.open(fileobj=stream, mode="r|") as tar,
        ):
            for member in tar:
                content = tar.extractfile(member)
                if content is None or member.name.startswith("/") or ".." in Path(member.name).parts:
                    raise BackupError(f"sauvegarde suspecte : {member.name}")
                yield member, content
    except (OSError, tarfile.TarError, pa.ArrowException, EOFError) as error:
        raise BackupError(f"{path} ne se lit pas jusqu'au bout ({type(error).__name__})") from None


def copy(source: IO[bytes], target: Any) -> dict[str, Any]:
    """Copy a stream; return the size and the sha256 of what went through."""
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(1 << 20):
        digest.update(chunk)
        size += len(chunk)
        target.write(chunk)
    return {"octets": size, "sha256": digest.hexdigest()}


class Nowhere:
    """A place that keeps nothing."""

    def write(self, content: bytes) -> int:
        """Take the content."""
        return len(content)


class _Counted:
    """A stream that hashes what is read of it: each file is read once."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream, self.digest, self.size = stream, hashlib.sha256(), 0

    def read(self, size: int = -1) -> bytes:
        """Read, and count what was read."""
        chunk = self.stream.read(size)
        self.digest.update(chunk)
        self.size += len(chunk)
        return chunk


def _write(
    draft: Path, output: SavedOutput, place: InstancePlace, now: datetime.datetime, progress: Progress
) -> dict[str, Any]:
    files: dict[str, dict[str, Any]] = {}
    runs = _runs(place)
    with (
        pa.CompressedOutputStream(pa.OSFile(str(draft), "wb"), "zstd") as stream,
        tarfile.open(fileobj=stream, mode="w|", dereference=True) as tar,
        tempfile.TemporaryDirectory(dir=draft.parent) as folder,
    ):
        # The instance first: what it knows of is then surely among the outputs.
        outputs = ((f"output/{name}", path) for name, path in output.files(Path(folder)))
        for name, path in chain(_instance(place, Path(folder)), outputs):
            with path.open("rb") as content:
                member = tar.gettarinfo(arcname=name, fileobj=content)
                member.uid = member.gid = 0
                member.uname = member.gname = ""
                counted = _Counted(content)
                tar.addfile(member, counted)
            files[name] = {"octets": counted.size, "sha256": counted.digest.hexdigest()}
            progress(name, counted.size)
        manifest = {
            "format": FORMAT, "faite_le": now.isoformat(timespec="seconds"), "traitements": runs,
            "instance": "postgresql" if place.database else "sqlite", "sortie": output.kind, "fichiers": files,
        }  # fmt: skip
        told = json.dumps(manifest, ensure_ascii=False, indent=1).encode()
        member = tarfile.TarInfo(MANIFEST)
        member.size, member.mtime = len(told), int(now.timestamp())
        tar.addfile(member, io.BytesIO(told))
    return manifest


def _instance(place: InstancePlace, folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield consistent copies of the databases, then the other files of the state folder."""
    if place.database:
        dump(place.database, folder / "dump")
        yield DUMP, folder / "dump"
    held = set()
    for database in place.databases:
        held |= {database, *(database.with_name(database.name + end) for end in ("-wal", "-shm", "-journal"))}
        if not place.database:
            copied = folder / "database"
            _copy_sqlite(database, copied)
            yield f"instance/{database.relative_to(place.state).as_posix()}", copied
            copied.unlink()
    for path in below(place.state):
        if path not in held:
            yield f"instance/{path.relative_to(place.state).as_posix()}", path


def _copy_sqlite(database: Path, copied: Path) -> None:
    """Copy by SQLite's own backup: a consistent state, even while others write (https://sqlite.org/backup.html)."""
    source = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=30)
    target = sqlite3.connect(copied)
    try:
        source.backup(target)
        # The copy says it is in WAL mode; without it, it is one file.
        target.execute("PRAGMA journal_mode=DELETE")
    finally:
        source.close()
        target.close()


def dump(database: Database, path: Path) -> None:
    """Dump a PostgreSQL database in its own compressed format: one transaction, hence consistent."""
    client("pg_dump", database, "--format=custom", "--no-owner", "--no-privileges", f"--file={path}")


def client(command: str, database: Database, *arguments: str) -> str:
    """Run a client of PostgreSQL; return what it prints. Raises BackupError with its own words."""
    try:
        done = subprocess.run(
            [command, "--no-password", *arguments],
            env=database.environment,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise BackupError(f"{command} n'est pas installé (paquet postgresql-client)") from None
    if done.returncode:
        raise BackupError(f"{command} : {done.stderr.strip()[:500]}")
    return done.stdout


def _going(place: InstancePlace) -> bool:
    return bool(_counted_runs(place, _GOING))


def _runs(place: InstancePlace) -> int:
    """Return the number of runs that the instance knows of."""
    return _counted_runs(place, None)


def _counted_runs(place: InstancePlace, statuses: list[dg.DagsterRunStatus] | None) -> int:
    if not place.database and not place.databases:
        return 0  # nothing was ever run: opening would make an instance
    with opened(place.home) as instance:
        return instance.get_runs_count(dg.RunsFilter(statuses=statuses))
