"""After a night with a refused file, a late network and a broken publication: what people receive, once."""

from __future__ import annotations

import datetime
import json
import shutil
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from receivers import smtp_server, webhook_server

from assets.definitions import build_definitions
from assets.jobs import NATIONAL_JOB, NETWORKS_JOB, STAGES, year_tag
from assets.sensors import tell_morning
from assets.step_failures import stage_key
from assets.workspace import Workspace
from pipelines.declarations import Catalogue, load
from pipelines.operations.doctor import diagnose

PARIS = ZoneInfo("Europe/Paris")

pytestmark = pytest.mark.e2e


def at(hour: int) -> datetime.datetime:
    """The next time that it is this hour in Paris."""
    now = datetime.datetime.now(PARIS)
    then = now.replace(hour=hour, minute=0)
    return (then if then > now else then + datetime.timedelta(days=1)).astimezone(datetime.UTC)


@pytest.fixture(scope="module")
def few(few_networks) -> Path:
    """The declarations of three networks: a night of all takes longer, and tells nothing else."""
    return few_networks("gendarmerie", "securite", "caf")


@pytest.fixture(scope="module")
def catalogue(few) -> Catalogue:
    return load(few)


@pytest.fixture
def night(few, catalogue, samples, tmp_path):
    """An instance and a workspace after a night of three networks, one with a file that is no archive, one absent."""
    exports = tmp_path / "exports"
    for name in ("gendarmerie", "barometre-2024"):
        shutil.copytree(samples / name, exports / name)
    (exports / "gendarmerie" / "resultats-2024.zip").write_bytes(b"not a zip")
    workspace = Workspace(exports=str(exports), output=str(tmp_path / "output"), schemas=str(few))
    definitions = build_definitions(catalogue, workspace)
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        definitions.resolve_job_def(NETWORKS_JOB).execute_in_process(
            tags=year_tag(2024),
            asset_selection=[
                stage_key(network, stage) for network in ("gendarmerie", "securite", "caf") for stage in STAGES
            ],
            instance=instance,
            raise_on_error=False,
        )
        yield definitions, workspace, instance


def test_the_morning_tells_everything_once(night, catalogue, tmp_path, monkeypatch):
    definitions, workspace, instance = night
    # The tables were made by other code: they lack a column, and nothing can be published.
    state = workspace.store.network_year("securite", 2024) / "results.json"
    state.write_text(json.dumps(json.loads(state.read_text()) | {"declarations": "autres"}))
    national = definitions.resolve_job_def(NATIONAL_JOB).execute_in_process(instance=instance, raise_on_error=False)
    assert not national.success
    monkeypatch.setenv("RESULTATS_UI_URL", "https://dagster.example")
    cursor = None

    def tick(now: datetime.datetime) -> str:
        nonlocal cursor
        context = dg.build_sensor_context(instance=instance, cursor=cursor, definitions=definitions)
        skipped = tell_morning(catalogue, workspace, context, now)
        cursor = context.cursor
        return str(skipped.skip_message)

    assert "personne à prévenir" in tick(at(8))
    with smtp_server(tmp_path, "mot de passe") as mailbox, webhook_server() as posts:
        for name, value in mailbox.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("RESULTATS_WEBHOOK_URL", posts.url)
        monkeypatch.setenv("RESULTATS_WEBHOOK_TOKEN", "jeton")
        assert "nuit" in tick(at(3))
        assert not mailbox.messages
        posts.status = 503
        with pytest.raises(dg.Failure, match="webhook répond 503") as caught:
            tick(at(8))
        assert "jeton" not in str(caught.value)
        posts.status = 204
        tick(at(8))
        # One message for each, though the webhook had to be tried twice.
        assert [len(mailbox.messages), len(posts.bodies)] == [1, 2]
        assert posts.bodies[0] == posts.bodies[1]
        assert posts.authorizations[0] == "Bearer jeton"
        (mail,) = mailbox.messages
        text = mail.get_content().replace("\r\n", "\n")
        assert text == posts.bodies[0]["text"]
        assert mail["To"] == "equipe@example.fr, astreinte@example.fr"
        assert mail["Subject"].startswith("[résultats] ")
        kinds = [fact["genre"] for fact in posts.bodies[0]["faits"]]
        assert kinds.count("publication") == kinds.count("refus") == 1
        assert "erreur" not in kinds
        (refusal,) = [fact for fact in posts.bodies[0]["faits"] if fact["genre"] == "refus"]
        letter = workspace.store.network_year("gendarmerie", 2024) / "resultats-lettre.html"
        assert letter.exists()
        assert f"Envoyer la lettre au réseau : {letter}" in refusal["a_faire"]
        assert "gendarmerie/resultats-2024.zip" in refusal["details"][0]
        assert any("--network gendarmerie --year 2024" in line for line in refusal["a_faire"])
        (late,) = [fact for fact in posts.bodies[0]["faits"] if fact["genre"] == "retard"]
        days = (at(8).astimezone(PARIS).date() - datetime.date(2025, 3, 31)).days
        assert f"en retard de {days} jours" in late["titre"]
        # Nothing new: nothing is looked at again, and the next morning nothing is told again.
        assert tick(at(8)) == "rien de nouveau"
        tick(at(8) + datetime.timedelta(days=1))
        assert [len(mailbox.messages), len(posts.bodies)] == [1, 2]


def test_a_run_that_is_going_holds_the_message_back(night, catalogue, tmp_path, monkeypatch):
    definitions, workspace, instance = night
    job = definitions.resolve_job_def(NETWORKS_JOB)
    going = instance.create_run_for_job(job, tags={"dagster/partition": "2023"}, status=dg.DagsterRunStatus.STARTED)
    with webhook_server() as posts:
        monkeypatch.setenv("RESULTATS_WEBHOOK_URL", posts.url)
        monkeypatch.setenv("RESULTATS_ALERT_HOUR", "0")

        def tick(after: datetime.timedelta) -> str:
            context = dg.build_sensor_context(instance=instance, cursor=_since_yesterday(), definitions=definitions)
            return str(
                tell_morning(catalogue, workspace, context, datetime.datetime.now(datetime.UTC) + after).skip_message
            )

        assert "en cours" in tick(datetime.timedelta(minutes=5))
        assert posts.bodies == []
        tick(datetime.timedelta(hours=5))  # but not for ever
        assert [fact["genre"] for fact in posts.bodies.pop()["faits"]] == ["refus", "retard"]
        # The machine died: no step is at fault, and the run itself is what failed.
        instance.report_run_failed(going, "processus perdu")
        tick(datetime.timedelta(minutes=5))
        (body,) = posts.bodies
        (crash,) = body["faits"]
        assert crash["titre"] == "Traitement « reseaux », 2023 : arrêt sur une erreur"
        assert "processus perdu" in crash["details"][0]


def test_wrong_settings_stop_the_tick_with_their_name(few, catalogue, samples, tmp_path, monkeypatch):
    workspace = Workspace(exports=str(samples), output=str(tmp_path), schemas=str(few))
    definitions = build_definitions(catalogue, workspace)
    monkeypatch.setenv("RESULTATS_WEBHOOK_URL", "http://dehors.example/jeton")
    sensor = definitions.get_repository_def().get_sensor_def("alertes")
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance, definitions=definitions)
        with pytest.raises(Exception, match="RESULTATS_WEBHOOK_URL") as caught:
            sensor.evaluate_tick(context)
    assert "jeton" not in str(caught.value)


def test_the_doctor_reaches_the_outside_only_when_asked(tmp_path, monkeypatch):
    def states(**options: bool) -> dict[str, list[tuple[str, str]]]:
        found: dict[str, list[tuple[str, str]]] = {}
        for item in diagnose(tmp_path / "output", **options):
            found.setdefault(item.subject, []).append((item.state, item.message))
        return found

    with smtp_server(tmp_path, "mot de passe") as mailbox, webhook_server() as posts:
        for name, value in mailbox.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("RESULTATS_WEBHOOK_URL", posts.url)
        monkeypatch.setenv("RESULTATS_TARGET", posts.url.partition("/hooks")[0])
        monkeypatch.setenv("RESULTATS_API_KEY", "clef-d-essai")
        monkeypatch.setenv("RESULTATS_ORGANIZATION", "5e1f0000000000000000aaaa")
        assert states()["Alertes"] == [("bon", "courriel, webhook")]
        found = states(mail=True, target=True)
        assert ("bon", "courriel : joint") in found["Alertes"]
        assert ("bon", "webhook : joint") in found["Alertes"]
        ((state, message),) = found["Cible"]
        assert (state, "501" in message) == ("panne", True)  # that server has no such page
        assert (mailbox.messages, posts.bodies) == ([], [])
        monkeypatch.setenv("RESULTATS_SMTP_PASSWORD", "un autre")
        assert ("panne", "courriel : le serveur de courriel 127.0.0.1 répond 535") in states(mail=True)["Alertes"]


def _since_yesterday() -> str:
    yesterday = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    return json.dumps({"until": yesterday.isoformat(), "day": yesterday.date().isoformat()})
