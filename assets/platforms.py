"""Where to publish, from the environment: the one place that reads the API key, which is kept nowhere else.

What a publication does is in ``pipelines.targets``.
"""

import getpass
import hashlib
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path

import requests

from pipelines.declarations import Catalogue
from pipelines.flow.store import Store, read_json
from pipelines.flow.waiting_plans import no_longer_waiting
from pipelines.operations.settings import SettingError, read_secret
from pipelines.release.gates import gates
from pipelines.targets.acceptance import accept
from pipelines.targets.folder.target import plan_local, publish_to_folder
from pipelines.targets.plan import Judge, Plan, Verdict
from pipelines.targets.publication import Platform, prepare, publish
from pipelines.targets.report import Report
from pipelines.targets.rooms import Rooms
from pipelines.targets.target import ADDRESSES, LOCAL, address, safe_for_a_key
from pipelines.targets.udata.client import Udata
from pipelines.targets.udata.known_ids import read_ids
from pipelines.targets.udata.previews import Preview, previews
from pipelines.targets.udata.rehearsal import rehearse
from pipelines.targets.udata.remote import member_of, remote_dataset
from pipelines.targets.udata.transport import Transport

TARGETS, ACCEPTANCES = _ROOMS = ("targets", "acceptances")  # what publications keep of their own, in the output
KEY, ORGANIZATION = "RESULTATS_API_KEY", "RESULTATS_ORGANIZATION"


class TargetError(SettingError):
    """The target or the way to it is not given right; the message says in French what to write."""


def workplace(store: Store, target: str) -> Rooms:
    """Return the folders of a store as a publication uses them, brought; what it writes counts once it is ``saved``."""
    if target == LOCAL:
        store.bring_catalogue()
    store.bring_releases()  # all of them: each is checked before anything is published
    for room in _ROOMS:
        store.room(room)
    return Rooms(store.output)


@contextmanager
def saved(store: Store, target: str) -> Iterator[None]:
    """Save what the body, cut short or not, wrote in the folders of a publication."""
    try:
        yield
    finally:
        for room in _ROOMS:
            store.save_room(store.room(room))
        if target == LOCAL:
            store.save_catalogue()


@dataclass(frozen=True)
class Access:
    """Where a platform is, and as whom it is spoken to."""

    url: str
    organization: str
    key: str = field(repr=False)

    @property
    def client(self) -> Udata:
        """Speak to the platform with the key."""
        return Udata(Transport(self.url, requests.Session(), time.sleep, self.key))

    def prove(self) -> None:
        """Ask the platform whether it knows the key and the organization; raises PublicationError when it doesn't."""
        member_of(self.client, self.organization)


def access(target: str) -> Access:
    """Return the way to the platform of that name or URL; raises TargetError when the environment doesn't give it."""
    url = platform_address(target)
    try:
        key, organization = read_secret(KEY), read_secret(ORGANIZATION)
    except SettingError as error:
        raise TargetError(str(error)) from None
    if key is None or organization is None:
        missing = " et ".join(name for name, value in ((KEY, key), (ORGANIZATION, organization)) if value is None)
        raise TargetError(
            f"{missing} : à définir dans l'environnement pour publier sur {url} "
            f"(clé créée dans son profil sur la plateforme, ou fichier qui la contient, {KEY}_FILE ; "
            "identifiant de l'organisation, lu sur sa page)"
        )
    if not (key.strip().isascii() and key.strip().isprintable()):
        raise TargetError(f"{KEY} : des caractères ne peuvent être ceux d'une clé ; la recopier depuis son profil")
    return Access(url, organization.strip(), key.strip())


def platform_address(target: str) -> str:
    """Return the address of a platform to which a key may be sent; raises TargetError, which never shows a password."""
    if "@" in target:
        raise TargetError(f"l'adresse de la cible ne porte ni nom ni mot de passe ; la clé est lue dans {KEY}")
    if "?" in target or "#" in target:  # what follows may be a password too, and is no part of the address of a site
        raise TargetError("l'adresse de la cible s'arrête avant « ? » et « # » : donner celle du site seulement")
    url = address(target)
    if url is None:
        names = ", ".join([LOCAL, *ADDRESSES])
        raise TargetError(f"cible « {target} » inconnue ; donner {names} ou une adresse (https://…)")
    if not safe_for_a_key(url):
        raise TargetError(f"{url} : la clé y serait lisible en chemin ; donner l'adresse en https://")
    return url


def platform_time(target: str) -> float:
    """Return what time it is (epoch seconds) by a platform, asked without the key; raises what requests raises."""
    answer = requests.head(f"{platform_address(target)}/api/1/site/", timeout=20, allow_redirects=False)
    return parsedate_to_datetime(answer.headers["Date"]).timestamp()


def open_platform(target: str, store: Store) -> Platform:
    """Return the platform of that name or URL, spoken to with the key of the environment; TargetError without it."""
    there = access(target)
    return Platform(
        name=target,
        client=there.client,
        organization=there.organization,
        publisher=_publisher(store),
        now=lambda: datetime.now(UTC),
    )


def plans(catalogue: Catalogue, target: str, store: Store) -> Iterator[Plan]:
    """Yield the plan of everything released, for a target. Raises PublicationError and TargetError."""
    work = workplace(store, target)
    if target == LOCAL:
        found = plan_local(catalogue, work, synthetic=statement(store), judge=judge(catalogue, target))
        yield from [found] if found else []
        return
    there = open_platform(target, store)
    for dataset in sorted(catalogue.datasets):
        if prepared := prepare(catalogue, dataset, there, work, judge(catalogue, target)):
            yield prepared.plan


def publications(
    catalogue: Catalogue,
    target: str,
    store: Store,
    agree: Callable[[Plan], bool] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Iterator[Report]:
    """Publish everything released to a target, dataset by dataset. Raises PublicationError and TargetError."""
    work = workplace(store, target)
    if target == LOCAL:
        with saved(store, target):
            report = publish_to_folder(
                catalogue, work, synthetic=statement(store), judge=judge(catalogue, target), agree=agree
            )
        yield from [_told(store, report)] if report else []
        return
    there = open_platform(target, store)
    bring = partial(publish, judge=judge(catalogue, target), agree=agree, progress=progress)
    for dataset in sorted(catalogue.datasets):
        with saved(store, target):
            report = bring(catalogue, dataset, there, work)
        if report:
            yield _told(store, report)


def _told(store: Store, report: Report) -> Report:
    """Return a report once what it settled waits no more."""
    if report.applied:
        no_longer_waiting(store, report.plan.target, report.plan.dataset)
    return report


def judge(catalogue: Catalogue, target: str) -> Judge:
    """Return what is looked at in a release before it goes to a target; a folder makes no previews."""

    def verdicts(dataset: str, old: Path | None, new: Path) -> tuple[Verdict, ...]:
        found = gates(catalogue, dataset, old, new)
        if target == LOCAL:
            return found
        main = new / f"{catalogue.datasets[dataset].main_table}.parquet"
        return (*found, *rehearse([*sorted(new.glob("*.csv")), main, *new.glob("*.xlsx")], old))

    return verdicts


def published_previews(catalogue: Catalogue, target: str, store: Store) -> Iterator[tuple[str, list[Preview]]]:
    """Yield, by dataset, what the platform made of the files last published there. Raises as ``plans``."""
    work = Rooms(store.room(TARGETS).parent)
    there = open_platform(target, store)
    for dataset in sorted(catalogue.datasets):
        known = read_ids(work.ids(there.client.base_url), there.client.base_url, dataset)
        body = there.client.dataset(known.dataset) if known.dataset else None
        if body is not None:
            yield dataset, previews(remote_dataset(body).resources)


def accept_plan(catalogue: Catalogue, target: str, store: Store, plan: str, reason: str) -> bool:
    """Keep the agreement of whoever runs this to a plan of that hash; False when no plan of the target has it now."""
    if plan not in {found.hash for found in plans(catalogue, target, store)}:
        return False
    accept(Rooms(store.output).acceptances, plan, getpass.getuser(), datetime.now(UTC), reason)
    store.save_room(store.room(ACCEPTANCES))
    return True


def statement(store: Store) -> str | None:
    """Return the warning that goes with the tables last made, when some of their rows are synthetic."""
    kept = read_json(store.national / "provenance.json") or {}
    found: str | None = kept.get("synthetic")
    return found


def _publisher(store: Store) -> str:
    """Return a name for this machine and folder that says nothing of them: it is shown on the platform.

    On a shared storage the folder is this very process's own, as its lock is: a sign left there is never taken for one
    of ours that died.
    """
    return hashlib.sha256(f"{platform.node()} {store.output.resolve()}".encode()).hexdigest()[:16]
