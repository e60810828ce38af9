"""``resultats doctor``: is everything ready? Each check says what it found in French, and what to do when it fails.

Each is proved by the code of the commands themselves. Nothing is repaired, and no secret is shown: only whether it is
there.
"""

import datetime
import importlib.metadata
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import dagster as dg
from packaging.requirements import Requirement

from assets.workspace import workspace_from_environment
from pipelines.flow.output_folder import make_output, strangers
from pipelines.flow.publish import kind_of
from pipelines.mechanics.french import day_text, fixed
from pipelines.mechanics.machine_faults import machine_fault
from pipelines.operations.channels import Channel, SendError, channels_from_environment
from pipelines.operations.instance import (
    InstanceError,
    InstancePlace,
    NoInstanceError,
    database_time,
    instance_place,
    opened,
    schema_versions,
)
from pipelines.operations.settings import (
    PROJECT,
    SettingError,
    letters_from_environment,
    read_secret,
    readable_by_others,
)
from pipelines.read import ObjectStore, RootError
from pipelines.release.refusals import PublicationError
from pipelines.targets.protocol import TargetError
from pipelines.targets.udata.access import access, platform_time

State = Literal["bon", "avertissement", "panne", "ignoré"]
LOCK = "requirements-runtime.lock"
_REINSTALL = f"réinstaller depuis {LOCK}"
_ENVIRONMENT = "corriger le fichier d'environnement"
_TOLD = (SettingError, RootError, TargetError, PublicationError, OSError)  # their French text is for people
LITTLE, TOO_LITTLE = 5 * 2**30, 2**30  # bytes free: a year of all networks and its release take less than one GiB
OUTSIDE_SKEW = 60  # seconds between the clock and one elsewhere, whose answer takes its time
SKEW = 5  # seconds between the clock and the disk's: more, and files seem to come from the future
FORMER = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)  # the clock of a machine that lost the time is before
SECRETS = (
    "RESULTATS_API_KEY",
    "RESULTATS_SMTP_PASSWORD",
    "RESULTATS_WEBHOOK_URL",
    "RESULTATS_WEBHOOK_TOKEN",
    "RESULTATS_PG_URL",
    "RESULTATS_PG_PASSWORD",
)


@dataclass(frozen=True)
class Reading:
    """What a check found: ``state`` is bon, avertissement, panne or ignoré; ``advice`` says what to do."""

    subject: str
    state: State
    message: str
    advice: str = ""


def diagnose(output: str | Path, *, target: bool = False, mail: bool = False) -> list[Reading]:
    """Make every check, whatever the others gave; ``target`` and ``mail`` also reach the outside."""
    checks = [
        _installation(),
        _output(output),
        _exports(),
        _clock(output, target),
        _instance(),
        _secrets(),
        _alerts(mail),
        _letters(output),
        _publication(target),
    ]
    return [reading for check in checks for reading in check]


def _proved(subject: str, advice: str, proof: Callable[[], str]) -> Reading:
    try:
        return Reading(subject, "bon", proof())
    except _TOLD as error:
        message = machine_fault(error) if isinstance(error, OSError) else None
        return Reading(subject, "panne", message or str(error), advice)


def _installation() -> Iterator[Reading]:
    lock = PROJECT / LOCK
    if absent := absent_libraries():
        yield Reading("Bibliothèques", "panne", f"absentes : {', '.join(absent)}", _REINSTALL)
    elif not lock.is_file():
        yield Reading("Bibliothèques", "ignoré", f"{LOCK} n'est pas là : versions non comparées")
    elif differing := differing_libraries(lock):
        family = any(item.startswith("dagster") for item in differing)
        message = ", ".join(differing[:8]) + ("…" if len(differing) > 8 else "")
        yield Reading("Bibliothèques", "panne" if family else "avertissement", message, _REINSTALL)
    else:
        yield Reading("Bibliothèques", "bon", "aux versions du verrou")


def _output(output: str | Path) -> Iterator[Reading]:
    def written() -> str:
        if "://" in str(output):
            storage = ObjectStore(str(output))
            storage.check()
            return f"{storage.url} est accessible en écriture"
        make_output(Path(output))
        with tempfile.TemporaryFile(dir=output):
            return f"{Path(output).absolute()} est accessible en écriture"

    reading = _proved("Sortie", "donner au compte du service l'accès à la sortie", written)
    yield reading
    if reading.state == "bon" and "://" not in str(output):
        yield from _room_left(Path(output))


def _room_left(output: Path) -> Iterator[Reading]:
    if others := strangers(output):
        message = f"contient ce qui n'est pas de nous : {', '.join(others[:5])}{'…' if len(others) > 5 else ''}"
        yield Reading("Sortie", "avertissement", message, "donner à la sortie un dossier à elle, ou déplacer le reste")
    free = shutil.disk_usage(output).free
    state: State = "panne" if free < TOO_LITTLE else "avertissement" if free < LITTLE else "bon"
    message = f"{fixed(free / 2**30, 1)} Gio libres"
    yield Reading("Disque", state, message, "faire de la place avant la prochaine nuit")


def _exports() -> Iterator[Reading]:
    workspace = workspace_from_environment()

    def reached() -> str:
        workspace.root  # noqa: B018 (reaching it is the proof)
        return f"{workspace.exports} est accessible"

    yield _proved("Exports", "corriger RESULTATS_EXPORTS, ou rétablir l'accès", reached)


def _clock(output: str | Path, target: bool) -> Iterator[Reading]:
    advice, now = "régler l'heure de la machine (NTP)", datetime.datetime.now(datetime.UTC)
    try:
        local = now.astimezone(ZoneInfo("Europe/Paris"))
    except ZoneInfoNotFoundError:
        yield Reading("Horloge", "panne", "le fuseau Europe/Paris est inconnu", "installer le paquet tzdata")
        return
    if now < FORMER:
        yield Reading("Horloge", "panne", f"il serait le {day_text(now)} : la machine a perdu l'heure", advice)
        return
    yield Reading("Horloge", "bon", f"{day_text(local)} {local:%H:%M} à Paris")
    for name, most, ask in _other_clocks(output, target):
        with suppress(Exception):  # whatever is not reached is told by its own check
            if other := ask():
                ahead = time.time() - other
                told = f"la machine {'avance' if ahead > 0 else 'retarde'} de {abs(ahead):.0f} s sur {name}"
                good = abs(ahead) <= most
                yield Reading("Horloge", "bon" if good else "panne", f"à l'heure de {name}" if good else told, advice)


def _other_clocks(output: str | Path, target: bool) -> Iterator[tuple[str, int, Callable[[], float]]]:
    """Yield clocks (epoch seconds, 0 when there is none) with the seconds by which they may differ."""
    if "://" in str(output):
        yield "celle du stockage", OUTSIDE_SKEW, lambda: ObjectStore(str(output)).time()
    else:
        yield "celle du disque", SKEW, lambda: _disk_time(Path(output))
    yield "celle de PostgreSQL", OUTSIDE_SKEW, database_time
    if target and kind_of(named := workspace_from_environment().target).remote:
        yield "celle de la cible", OUTSIDE_SKEW, lambda: platform_time(named)


def _disk_time(folder: Path) -> float:
    with tempfile.NamedTemporaryFile(dir=folder) as probe:
        return os.fstat(probe.fileno()).st_mtime


def _instance() -> Iterator[Reading]:
    advice = "lancer « resultats instance prepare » avant les services"
    try:
        place = instance_place()
        if not place.on_postgresql and not place.databases:
            yield Reading("Instance", "panne", f"jamais préparée : {place.state} est vide", advice)
            return
        with opened(place.home) as instance:
            yield _migrated(instance, place, advice)
            yield _daemons(instance)
    except NoInstanceError as error:
        yield Reading("Instance", "panne", str(error), "indiquer DAGSTER_HOME")
    except InstanceError as error:
        yield Reading("Instance", "panne", str(error))
    except Exception as error:  # whatever the storage raises: its text may hold an address with its password
        yield Reading("Instance", "panne", f"ne s'ouvre pas ({type(error).__name__})", advice)


def _migrated(instance: dg.DagsterInstance, place: InstancePlace, advice: str) -> Reading:
    kind = "PostgreSQL" if place.on_postgresql else f"SQLite, {place.state}"
    if any(version and version[0] != version[1] for version in schema_versions(instance)):
        return Reading("Instance", "panne", f"{kind} : schéma d'une autre version de Dagster", advice)
    return Reading("Instance", "bon", f"{kind} : joignable, schéma à jour")


def _daemons(instance: dg.DagsterInstance) -> Reading:
    statuses = instance.get_daemon_statuses()
    silent = sorted(name for name, status in statuses.items() if status.required and not status.healthy)
    if not silent:
        return Reading("Démon", "bon", "tous ses services donnent signe de vie")
    last = max((item.last_heartbeat.timestamp for item in statuses.values() if item.last_heartbeat), default=None)
    moment = datetime.datetime.fromtimestamp(last) if last else None
    since = f"depuis le {day_text(moment)} {moment:%H:%M}" if moment else "depuis toujours"
    message = f"aucun signe de vie {since}" if len(silent) == len(statuses) else f"muets : {', '.join(silent)}"
    return Reading("Démon", "avertissement", message, "sans lui, ni nuit ni alerte : systemctl status resultats-daemon")


def _secrets() -> Iterator[Reading]:
    for name in SECRETS:
        try:
            secret = read_secret(name)
        except SettingError as error:
            yield Reading("Clés", "panne", str(error), _ENVIRONMENT)
            continue
        if secret is None:
            yield Reading("Clés", "ignoré", f"{name} : absente")
        elif readable_by_others(name):
            yield Reading("Clés", "avertissement", f"{name} : son fichier est lisible par tous", "chmod 600")
        else:
            yield Reading("Clés", "bon", f"{name} : présente")


def _alerts(mail: bool) -> Iterator[Reading]:
    try:
        channels = channels_from_environment()
    except SettingError as error:
        yield Reading("Alertes", "panne", str(error), _ENVIRONMENT)
        return
    if not channels:
        advice = "déclarer RESULTATS_SMTP_HOST ou RESULTATS_WEBHOOK_URL"
        yield Reading("Alertes", "avertissement", "personne n'est prévenu", advice)
    elif mail:
        yield from map(_reached, channels)
    else:
        yield Reading("Alertes", "bon", ", ".join(channel.name for channel in channels))


def _reached(channel: Channel) -> Reading:
    try:
        channel.probe()
    except SendError as error:
        return Reading("Alertes", "panne", f"{channel.name} : {error}", "vérifier adresse, compte et pare-feu")
    return Reading("Alertes", "bon", f"{channel.name} : joint")


def _letters(output: str | Path) -> Iterator[Reading]:
    name, url = "RESULTATS_LETTERS_URL", letters_from_environment()
    state: State
    if not url:
        state, message, advice = "ignoré", "absente, alertes et interface montrent des chemins", ""
    elif "://" in str(output):
        state, message, advice = "avertissement", "sans effet, la sortie a ses propres adresses", "la retirer"
    elif "@" in urlsplit(url).netloc:
        state, message = "panne", "contient un compte, que les alertes et l'interface montreraient"
        advice = "le retirer : le serveur web demande le sien"
    elif "?" in url or "#" in url:  # a password may follow, and no link can be made after it
        state, message, advice = "panne", "contient « ? » ou « # »", "donner l'adresse du dossier seulement"
    elif not url.startswith("https://"):
        state, message, advice = "avertissement", "n'est pas en https", "les copies ont des données personnelles"
    else:
        state, message, advice = "bon", url, ""
    yield Reading("Lettres", state, f"{name} : {message}", advice)


def _publication(target: bool) -> Iterator[Reading]:
    """Prove the way to the target as publication takes it; ``target``: reach it too. Nothing is written."""
    if not kind_of(named := workspace_from_environment().target).remote:
        if target:
            yield Reading("Cible", "ignoré", "la cible est le catalogue local")
        return

    def known() -> str:
        there = access(named, read_secret)
        there.prove()
        return f"{there.url} connaît la clé, qui est d'un membre de « {there.organization} »"

    yield _proved(
        "Publication", _ENVIRONMENT, lambda: f"clé et organisation données pour {access(named, read_secret).url}"
    )
    if target:
        yield _proved("Cible", "vérifier RESULTATS_TARGET, la clé et le réseau", known)


def absent_libraries() -> list[str]:
    """Return the libraries that runs need and that aren't installed."""
    needed = [Requirement(line) for line in importlib.metadata.requires("resultats") or ()]
    wanted = [item.name for item in needed if item.marker is None or item.marker.evaluate({"extra": "run"})]
    return [name for name in wanted if _version(name) is None]


def differing_libraries(lock: Path) -> list[str]:
    """Return the installed libraries whose version isn't the lock's, as ``name 1.0 (verrou : 2.0)``."""
    return [
        f"{name} {found} (verrou : {version})"
        for name, version in locked(lock)
        if (found := _version(name)) is not None and found != version
    ]


def locked(lock: Path) -> Iterator[tuple[str, str]]:
    """Yield the names and versions of the lock that hold for this machine."""
    for line in lock.read_text(encoding="utf-8").splitlines():
        if line[:1].isalnum():  # neither a hash nor a comment
            pinned = Requirement(line.removesuffix("\\"))
            if pinned.marker is None or pinned.marker.evaluate():
                yield pinned.name, next(iter(pinned.specifier)).version


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
