"""``resultats doctor``: is everything ready? Each check says what it found in French, and what to do when it fails.

Nothing is repaired, and no secret is shown: only whether it is there.
"""

import datetime
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

from assets.channels import channels_from_environment
from assets.resources import letters_from_environment, workspace_from_environment
from pipelines.flow.output_folder import make_output, strangers
from pipelines.flow.publish import kind_of
from pipelines.mechanics.machine_faults import machine_fault
from pipelines.operations.installed import LOCK, absent_libraries, differing_libraries, python_fault
from pipelines.operations.instance import InstanceError, database_time, opened
from pipelines.operations.instance_place import InstancePlace, NoInstanceError, instance_place
from pipelines.operations.settings import PROJECT, SettingError, read_secret, readable_by_others
from pipelines.read import RootError, Shelf
from pipelines.release.errors import PublicationError
from pipelines.report.sent import SendError
from pipelines.targets.protocol import TargetError
from pipelines.targets.udata.access import access, platform_time

State = Literal["bon", "avertissement", "panne", "ignoré"]
_REINSTALL = f"réinstaller depuis {LOCK}"
LITTLE, TOO_LITTLE = 5 * 2**30, 2**30  # bytes free: a year of all networks and its release take less than one GiB
OUTSIDE_SKEW = 60  # seconds between the clock and one elsewhere, whose answer takes its time
SKEW = 5  # seconds between the clock and the disk's: more, and files seem to come from the future
FORMER = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)  # the clock of a machine that lost the time is before
SECRETS = (
    "RESULTATS_API_KEY", "RESULTATS_SMTP_PASSWORD", "RESULTATS_WEBHOOK_URL", "RESULTATS_WEBHOOK_TOKEN",
    "RESULTATS_PG_URL", "RESULTATS_PG_PASSWORD",
)  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """What a check found: ``state`` is bon, avertissement, panne or ignoré; ``advice`` says what to do."""

    subject: str
    state: State
    message: str
    advice: str = ""


def diagnose(output: str | Path, *, target: bool = False, mail: bool = False) -> list[Reading]:
    """Make every check, whatever the others gave; ``target`` and ``mail`` also reach the outside."""
    checks: list[Callable[[], Iterator[Reading]]] = [
        _installation, lambda: _storage(output), _exports, lambda: _clock(output, target), _instance, _secrets,
        lambda: _letters(output),
    ]  # fmt: skip
    checks += [_channels] if mail else []
    checks += [_target] if target else []
    return [finding for check in checks for finding in check()]


def _installation() -> Iterator[Reading]:
    fault = python_fault()
    yield Reading("Python", "panne", fault) if fault else Reading("Python", "bon", "version prise en charge")
    if absent := absent_libraries():
        yield Reading("Bibliothèques", "panne", f"absentes : {', '.join(absent)}", _REINSTALL)
        return
    lock = PROJECT / LOCK
    if not lock.is_file():
        yield Reading("Bibliothèques", "ignoré", f"{LOCK} n'est pas là : versions non comparées")
    elif differing := differing_libraries(lock):
        family = any(item.startswith("dagster") for item in differing)
        told = ", ".join(differing[:8]) + ("…" if len(differing) > 8 else "")
        yield Reading("Bibliothèques", "panne" if family else "avertissement", told, _REINSTALL)
    else:
        yield Reading("Bibliothèques", "bon", "aux versions du verrou")


def _storage(output: str | Path) -> Iterator[Reading]:
    if "://" in str(output):
        yield _shared_storage(str(output))
        return
    output = Path(output)
    try:
        make_output(output)
        with tempfile.TemporaryFile(dir=output):
            pass
    except OSError as error:
        yield Reading(
            "Sortie",
            "panne",
            f"{output} : {machine_fault(error) or error.strerror}",
            "donner le dossier au compte du service",
        )
        return
    yield Reading("Sortie", "bon", f"{output.absolute()} est accessible en écriture")
    if others := strangers(output):
        told = f"contient ce qui n'est pas de nous : {', '.join(others[:5])}{'…' if len(others) > 5 else ''}"
        yield Reading("Sortie", "avertissement", told, "donner à la sortie un dossier à elle, ou déplacer le reste")
    free = shutil.disk_usage(output).free
    told = f"{free / 2**30:.1f} Gio libres".replace(".", ",")
    state: State = "panne" if free < TOO_LITTLE else "avertissement" if free < LITTLE else "bon"
    yield Reading("Disque", state, told, "" if state == "bon" else "faire de la place avant la prochaine nuit")


def _shared_storage(url: str) -> Reading:
    try:
        shelf = Shelf(url)
        shelf.check()
    except RootError as error:
        return Reading("Sortie", "panne", str(error), "donner au service l'accès à ce stockage")
    return Reading("Sortie", "bon", f"{shelf.url} est accessible en écriture")


def _exports() -> Iterator[Reading]:
    workspace = workspace_from_environment()
    try:
        workspace.root  # noqa: B018 (reaching it is the check)
    except (RootError, OSError) as error:
        yield Reading("Exports", "panne", str(error), "corriger RESULTATS_EXPORTS, ou rétablir l'accès")
        return
    yield Reading("Exports", "bon", f"{workspace.exports} est accessible")


def _clock(output: str | Path, target: bool) -> Iterator[Reading]:
    now = datetime.datetime.now(datetime.UTC)
    try:
        local = now.astimezone(ZoneInfo("Europe/Paris"))
    except ZoneInfoNotFoundError:
        yield Reading("Horloge", "panne", "le fuseau Europe/Paris est inconnu", "installer le paquet tzdata")
        return
    advice = "régler l'heure de la machine (NTP)"
    if now < FORMER:
        yield Reading("Horloge", "panne", f"il serait le {now:%d/%m/%Y} : la machine a perdu l'heure", advice)
        return
    try:
        with tempfile.NamedTemporaryFile(dir=None if "://" in str(output) else output) as probe:
            skew = abs(os.fstat(probe.fileno()).st_mtime - time.time())
    except OSError:
        skew = 0.0  # told by the check of the storage
    if skew > SKEW:
        yield Reading("Horloge", "panne", f"le disque et la machine diffèrent de {skew:.0f} s", advice)
    else:
        yield Reading("Horloge", "bon", f"{local:%d/%m/%Y %H:%M} à Paris")
    for name, outside in _outside_clocks(output, target):
        ahead = time.time() - outside
        if abs(ahead) > OUTSIDE_SKEW:
            told = f"la machine {'avance' if ahead > 0 else 'retarde'} de {abs(ahead):.0f} s sur {name}"
            yield Reading("Horloge", "panne", told, advice)
        else:
            yield Reading("Horloge", "bon", f"à l'heure de {name}")


def _outside_clocks(output: str | Path, target: bool) -> Iterator[tuple[str, float]]:
    """Yield what time it is elsewhere (epoch seconds): each clock that can be had, the others are left out."""
    asked: list[tuple[str, Callable[[], float]]] = []
    if "://" in str(output):
        asked.append(("celle du stockage", lambda: Shelf(str(output)).time()))
    asked.append(("celle de PostgreSQL", database_time))
    named = workspace_from_environment().target
    if target and kind_of(named).remote:
        asked.append(("celle de la cible", lambda: platform_time(named)))
    for name, ask in asked:
        with suppress(Exception):  # whatever is not reached is told by its own check
            if found := ask():
                yield name, found


def _instance() -> Iterator[Reading]:
    advice = "lancer « resultats instance prepare » avant les services"
    try:
        place = instance_place()
    except NoInstanceError as error:
        yield Reading("Instance", "panne", str(error), "indiquer DAGSTER_HOME")
        return
    if not place.database and not place.databases:
        yield Reading("Instance", "panne", f"jamais préparée : {place.state} est vide", advice)
        return
    try:
        with opened(place.home) as instance:
            yield _migrated(instance, place, advice)
            yield _daemons(instance)
    except InstanceError as error:
        yield Reading("Instance", "panne", str(error))
    except Exception as error:  # whatever the storage raises: its text may hold an address with its password
        yield Reading("Instance", "panne", f"ne s'ouvre pas ({type(error).__name__})", advice)


def _migrated(instance: dg.DagsterInstance, place: InstancePlace, advice: str) -> Reading:
    storages = (instance.run_storage, instance.event_log_storage, instance.schedule_storage)
    versions = [storage.alembic_version() for storage in storages if storage is not None]
    kind = "PostgreSQL" if place.database else f"SQLite, {place.state}"
    if any(version is not None and version[0] != version[1] for version in versions):
        return Reading("Instance", "panne", f"{kind} : schéma d'une autre version de Dagster", advice)
    return Reading("Instance", "bon", f"{kind} : joignable, schéma à jour")


def _daemons(instance: dg.DagsterInstance) -> Reading:
    statuses = instance.get_daemon_statuses()
    silent = sorted(name for name, status in statuses.items() if status.required and not status.healthy)
    if not silent:
        return Reading("Démon", "bon", "tous ses services donnent signe de vie")
    last = max((item.last_heartbeat.timestamp for item in statuses.values() if item.last_heartbeat), default=None)
    since = f"depuis le {datetime.datetime.fromtimestamp(last):%d/%m/%Y %H:%M}" if last else "depuis toujours"
    told = f"aucun signe de vie {since}" if len(silent) == len(statuses) else f"muets : {', '.join(silent)}"
    return Reading("Démon", "avertissement", told, "sans lui, ni nuit ni alerte : systemctl status resultats-daemon")


def _secrets() -> Iterator[Reading]:
    if kind_of(named := workspace_from_environment().target).remote:
        yield from _access(named)
    for name in SECRETS:
        try:
            held = read_secret(name)
        except SettingError as error:
            yield Reading("Clés", "panne", str(error), "corriger le fichier d'environnement")
            continue
        if held is None:
            yield Reading("Clés", "ignoré", f"{name} : absente")
        elif readable_by_others(name):
            yield Reading("Clés", "avertissement", f"{name} : son fichier est lisible par tous", "chmod 600")
        else:
            yield Reading("Clés", "bon", f"{name} : présente")
    try:
        channels = channels_from_environment()
    except SettingError as error:
        yield Reading("Alertes", "panne", str(error), "corriger le fichier d'environnement")
        return
    told = ", ".join(channel.name for channel in channels)
    advice = "" if channels else "déclarer RESULTATS_SMTP_HOST ou RESULTATS_WEBHOOK_URL"
    yield Reading("Alertes", "bon" if channels else "avertissement", told or "personne n'est prévenu", advice)


def _letters(output: str | Path) -> Iterator[Reading]:
    name, url = "RESULTATS_LETTERS_URL", letters_from_environment()
    if not url:
        yield Reading("Lettres", "ignoré", f"{name} : absente, alertes et interface montrent des chemins")
    elif "://" in str(output):
        told = f"{name} est sans effet : la sortie est un stockage, qui a ses propres adresses"
        yield Reading("Lettres", "avertissement", told, "la retirer")
    elif "@" in urlsplit(url).netloc:
        told = f"{name} contient un compte, que les alertes et l'interface montreraient"
        yield Reading("Lettres", "panne", told, "le retirer : le serveur web demande le sien")
    elif "?" in url or "#" in url:  # a password may follow, and no link can be made after it
        yield Reading("Lettres", "panne", f"{name} contient « ? » ou « # »", "donner l'adresse du dossier seulement")
    elif not url.startswith("https://"):
        yield Reading(
            "Lettres", "avertissement", f"{name} n'est pas en https", "les copies ont des données personnelles"
        )
    else:
        yield Reading("Lettres", "bon", f"liens vers {url}")


def _channels() -> Iterator[Reading]:
    try:
        channels = channels_from_environment()
    except SettingError:
        return  # told by the check of the keys
    for channel in channels:
        try:
            channel.probe()
            yield Reading("Alertes", "bon", f"{channel.name} : joint")
        except SendError as error:
            yield Reading("Alertes", "panne", f"{channel.name} : {error}", "vérifier adresse, compte et pare-feu")


def _access(named: str) -> Iterator[Reading]:
    """Say whether the environment gives the way to the target, as publication itself reads it."""
    try:
        there = access(named, read_secret)
    except (TargetError, SettingError) as error:
        yield Reading("Publication", "panne", str(error), "corriger le fichier d'environnement")
        return
    yield Reading("Publication", "bon", f"clé et organisation données pour {there.url}")


def _target() -> Iterator[Reading]:
    """Reach the publication target as publication does: nothing is written."""
    named = workspace_from_environment().target
    if not kind_of(named).remote:
        yield Reading("Cible", "ignoré", "la cible est le catalogue local")
        return
    try:
        there = access(named, read_secret)
        there.prove()
    except (TargetError, SettingError, PublicationError) as error:
        yield Reading("Cible", "panne", str(error), "vérifier RESULTATS_TARGET, la clé et le réseau")
        return
    yield Reading("Cible", "bon", f"{there.url} connaît la clé, qui est d'un membre de « {there.organization} »")
