"""Runs a real udata server in one process: no MongoDB, Redis, Celery worker nor search engine. Only for the tests.

    <environment>/bin/python launch.py --root FOLDER

It listens on a free port of 127.0.0.1 and writes FOLDER/server.json (its address and keys) once it does; everything is
lost when it stops, which it does by itself when its standard input closes (when the tests end, however they do).
Beside udata's own API it answers, for the tests alone, to POST of JSON on `/_test/organization` (a new one; its members
are the editor and a new user), `/_test/datasets` (all those of an organisation, even deleted), `/_test/change_settings`
(of the running server; those that they replace), `/_test/keep` (the state of everything, by number; 1 is the start),
`/_test/restore`, and `/_test/settle` (once all other calls have ended).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree, rmtree
from time import sleep
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

LICENCES = {
    "lov2": "Licence Ouverte / Open Licence version 2.0",
    "fr-lo": "Licence Ouverte / Open Licence",
    "odc-odbl": "Open Data Commons Open Database License (ODbL)",
    "odc-by": "Open Data Commons Attribution License",
    "odc-pddl": "Open Data Commons Public Domain Dedication and Licence (PDDL)",
    "cc-by": "Creative Commons Attribution",
    "cc-by-sa": "Creative Commons Attribution Share-Alike",
    "cc-zero": "Creative Commons CCZero",
    "other-at": "Other (Attribution)",
    "other-open": "Other (Open)",
    "other-pd": "Other (Public Domain)",
    "notspecified": "License Not Specified",
}  # as data.gouv.fr lists them: https://www.data.gouv.fr/api/1/datasets/licenses/
LEVELS = {
    "country-group": ("Groupe de pays", 10),
    "country": ("Pays", 20),
    "country-subset": ("Sous-ensemble de pays", 30),
    "fr:region": ("Région", 40),
    "fr:departement": ("Département", 60),
    "fr:commune": ("Commune", 80),
}
ZONES = {"country:fr": "France", "fr:region:76": "Occitanie", "fr:departement:31": "Haute-Garonne"}


def settings(root: Path) -> SimpleNamespace:
    """Return udata's settings: everything in memory or in the folder, and what data.gouv.fr sets (parquet accepted)."""
    import database
    from udata.settings import Defaults

    return SimpleNamespace(
        SECRET_KEY="tests only",
        SECURITY_PASSWORD_SALT="tests only",
        API_TOKEN_SECRET="tests only",
        SESSION_COOKIE_SECURE=False,
        SEND_MAIL=False,
        MONGODB_SETTINGS={"host": "localhost", "db": "udata", "mongo_client_class": database.MongoClient},
        CACHE_TYPE="flask_caching.backends.SimpleCache",
        CELERY_TASK_ALWAYS_EAGER=True,
        CELERY_TASK_EAGER_PROPAGATES=False,
        CELERY_BROKER_URL="memory://",
        CELERY_RESULT_BACKEND="cache+memory://",
        FS_ROOT=str(root / "files"),
        FS_PREFIX="/s",
        ELASTICSEARCH_URL=None,
        URLS_ALLOW_LOCAL=True,
        URLS_ALLOW_PRIVATE=True,
        URLS_RESOLVE_HOSTNAME=False,
        SECURITY_EMAIL_VALIDATOR_ARGS={"check_deliverability": False},  # no DNS; data.gouv.fr does ask it
        PUBLISH_ON_RESOURCE_EVENTS=False,
        DEFAULT_LANGUAGE="fr",
        ALLOWED_RESOURCES_EXTENSIONS=[*Defaults.ALLOWED_RESOURCES_EXTENSIONS, "parquet", "jsonl"],
    )


def seed() -> dict[str, Any]:
    """Fill the vocabularies, make the users and their keys (users have no password: keys are all that they use)."""
    from udata.core.api_token.models import ApiToken
    from udata.core.dataset.models import License
    from udata.core.spatial.models import GeoLevel, GeoZone
    from udata.models import datastore

    for name, title in LICENCES.items():
        License(id=name, title=title, active=True, flags=[]).save()
    for name, (title, rank) in LEVELS.items():
        GeoLevel(id=name, name=title, admin_level=rank).save()
    for name, title in ZONES.items():
        level, code = name.rsplit(":", 1)
        GeoZone(
            id=name, slug=title.lower(), level=level, code=code, name=title, uri=f"http://example.org/{name}"
        ).save()

    keys, users = {}, {}
    for name in ("admin", "editor", "stranger"):
        user = datastore.create_user(
            first_name=name, last_name="Test", email=f"{name}@example.org", confirmed_at=datetime.now(UTC)
        )
        if name == "admin":
            datastore.add_role_to_user(user, datastore.find_or_create_role("admin"))
        users[name] = user
        keys[name] = ApiToken.generate(user, name="tests")[1]
    keys["expired"] = ApiToken.generate(users["editor"], expires_at=datetime.now(UTC) - timedelta(days=1))[1]
    revoked, keys["revoked"] = ApiToken.generate(users["editor"])
    revoked.revoke()
    return {"keys": keys, "users": {name: str(user.id) for name, user in users.items()}}


def add_test_routes(app: Any, root: Path, editor: str, server: Callable[[], Any]) -> None:
    """Let the tests change the running server, instead of starting another (several seconds each)."""
    from flask import request
    from udata.app import cache, csrf
    from udata.core.api_token.models import ApiToken
    from udata.core.dataset.models import Dataset
    from udata.core.organization.models import Member, Organization
    from udata.core.user.models import User
    from udata.models import datastore

    def organization() -> dict[str, str]:
        name = request.json["name"]
        one = datastore.create_user(first_name=name, last_name="Test", email=f"{uuid4().hex}@example.org", active=True)
        members = [Member(user=user, role="editor") for user in (User.objects.get(id=editor), one)]
        made = Organization(name=name, description="Organisation d'essai", members=members).save()
        return {"id": str(made.id), "key": ApiToken.generate(one, name="tests")[1]}

    database = Dataset._get_collection().database
    kept: list[dict[str, list[dict[str, Any]]]] = []

    def keep() -> dict[str, int]:
        kept.append({name: list(database[name].find()) for name in database.list_collection_names()})
        copytree(root / "files", root / f"kept-{len(kept)}")
        return {"state": len(kept)}

    def settle() -> dict[str, int]:
        while server().connections > 1:  # this one
            sleep(0.01)
        return {}

    def restore() -> dict[str, int]:
        settle()
        state = request.json["state"]
        for name in database.list_collection_names():
            database[name].delete_many({})
            if documents := kept[state - 1].get(name):
                database[name].insert_many(documents)
        rmtree(root / "files")
        copytree(root / f"kept-{state}", root / "files")
        cache.clear()
        return {"state": state}

    def datasets() -> dict[str, list[str]]:
        found = Dataset.objects(organization=request.json["organization"]).order_by("created_at_internal")
        return {"ids": [str(dataset.id) for dataset in found]}

    def change_settings() -> dict[str, Any]:
        replaced = {name: app.config.get(name) for name in request.json}
        app.config.update(request.json)
        cache.clear()  # the catalogue of schemas is kept five minutes
        return replaced

    keep()
    for view in (organization, keep, restore, settle, datasets, change_settings):
        csrf.exempt(view)
        app.add_url_rule(f"/_test/{view.__name__}", view_func=view, methods=["POST"])


def counting_server(app: Any) -> Any:
    """Return a server on a free port that knows how many connections it took and hasn't ended yet."""
    from werkzeug.serving import ThreadedWSGIServer

    class Server(ThreadedWSGIServer):
        connections = 0
        counting = threading.Lock()

        def process_request(self, request: Any, client_address: Any) -> None:
            with self.counting:
                self.connections += 1
            super().process_request(request, client_address)

        def process_request_thread(self, request: Any, client_address: Any) -> None:
            try:
                super().process_request_thread(request, client_address)
            finally:
                with self.counting:
                    self.connections -= 1

    return Server("127.0.0.1", 0, app)


def stop_with_the_tests() -> None:
    """End this process when its standard input closes."""

    def wait() -> None:
        sys.stdin.read()
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    root = parser.parse_args().root.resolve()
    (root / "files").mkdir(parents=True)
    stop_with_the_tests()
    warnings.filterwarnings("ignore")
    os.environ["UDATA_SETTINGS"] = str(root / "none.cfg")  # no file of the machine: the settings above and no other

    from udata.app import create_app, standalone

    app = standalone(create_app(override=settings(root)))
    with app.app_context():
        information = seed()
        add_test_routes(app, root, information["users"]["editor"], lambda: server)
    server = counting_server(app)
    information["base_url"] = f"http://127.0.0.1:{server.server_port}"
    ready = root / "server.json.part"
    ready.write_text(json.dumps(information))
    ready.rename(root / "server.json")
    server.serve_forever()


if __name__ == "__main__":
    main()
