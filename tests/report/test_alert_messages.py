"""What people are told: lateness by the calendar, one message for all facts, in French, with what to do."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.flow.state import NetworkYear, Reception
from pipelines.flow.store import Store
from pipelines.operations.channels import FORGOTTEN_AFTER, SendError, channels_from_environment, send_news
from pipelines.operations.settings import SettingError, read_secret, readable_by_others
from pipelines.report.alerts import (
    Alert,
    Message,
    Places,
    broken_step,
    failed,
    late,
    nothing_published,
    refused,
    write_message,
)
from pipelines.report.facts import STEPS, Refusal, late_files

PLACES = Places("/exports du mois", "/srv/resultats", "https://dagster.example/")
DAY = datetime.date(2025, 4, 1)


NOTHING_CAME = NetworkYear(network="caf", year=2024, reception=Reception(fingerprint="f", exports={"enquete": ()}))


def test_a_network_is_late_the_day_after_its_date(catalogue):
    assert late_files(catalogue, [NOTHING_CAME], datetime.date(2025, 3, 31)) == []
    (files,) = late_files(catalogue, [NOTHING_CAME], DAY)
    assert (files.network, files.year, files.days, files.due) == ("caf", 2024, 1, datetime.date(2025, 3, 31))
    assert all("{year}" not in file for file in files.files)
    told = late(files, PLACES)
    assert "en retard de 1 jour" in told.title
    assert "Attendu le 31/03/2025" in told.details[0]


def test_what_nobody_looked_at_is_not_late(catalogue):
    assert late_files(catalogue, [NetworkYear(network="caf", year=2024)], datetime.date(2030, 1, 1)) == []


@given(days=st.integers(1, 1000))
def test_a_lateness_is_told_once_for_each_step(catalogue, days):
    today = datetime.date(2025, 3, 31) + datetime.timedelta(days=days)
    (files,) = late_files(catalogue, [NOTHING_CAME], today)
    assert files.step == [step for step in STEPS if step <= days][-1]
    before = [
        late(item, PLACES).key for item in late_files(catalogue, [NOTHING_CAME], today - datetime.timedelta(days=1))
    ]
    assert (before == [late(files, PLACES).key]) is (days not in STEPS)


def all_alerts(catalogue) -> list[Alert]:
    (files,) = late_files(catalogue, [NOTHING_CAME], DAY)
    refusal = Refusal(
        "caf", (2023, 2024), "enquete", files=(("caf/enquete.csv", "ab" * 32),),
        explanation="Fichier inutilisable.", letter="/srv/resultats/work/x-lettre.html",
    )  # fmt: skip
    return [
        late(files, PLACES),
        failed(catalogue, "caf", 2024, "nps", "division par zéro", PLACES),
        refused(catalogue, refusal, PLACES),
        broken_step("CAF, étape « raw »", "caf", 2024, "disque\n plein " * 100, "run-1", PLACES),
        nothing_published("un secret se déduit", "run-2", PLACES),
    ]  # fmt: skip


def test_one_message_holds_all_the_gravest_first(catalogue):
    message = write_message(all_alerts(catalogue), DAY)
    assert message.subject == (
        "[résultats] 01/04/2025 : 1 publication arrêtée, 1 erreur, 1 fichier refusé, 1 indicateur non calculé, "
        "1 réseau en retard"
    )
    headings = [line for line in message.text.splitlines() if line.isupper() and not line.startswith(" ")]
    assert headings == [
        "PUBLICATION", "ERREURS DE TRAITEMENT", "FICHIERS REFUSÉS", "INDICATEURS NON CALCULÉS", "RÉSEAUX EN RETARD",
    ]  # fmt: skip
    assert "Envoyer la lettre au réseau : /srv/resultats/work/x-lettre.html" in message.text
    # A command or an address stays whole on its line, quoted for the shell.
    assert (
        "  - Relancer par la commande : resultats run --exports '/exports du mois' --output /srv/resultats "
        "--network caf --year 2023 --year 2024"
    ) in message.text.splitlines()
    assert "https://dagster.example/locations/resultats/asset-groups/caf, « Materialize », années 2023, 2024" in (
        message.text
    )
    assert "https://dagster.example/runs/run-1" in message.text
    assert message.payload["text"] == message.text
    assert [fact["genre"] for fact in message.payload["faits"]] == [
        "publication",
        "erreur",
        "refus",
        "calcul",
        "retard",
    ]
    assert max(map(len, message.text.splitlines())) < 1000  # SMTP lines have at most 998 characters


def test_a_long_list_is_cut_and_counted(catalogue):
    alerts = [broken_step(f"étape {rank}", None, 2024, "panne", "run", PLACES) for rank in range(100)]
    message = write_message(alerts, DAY)
    assert "60 autres" in message.text
    assert len(message.payload["faits"]) == 100


class Recorder:
    """A channel that keeps what it is given, and fails when told to."""

    def __init__(self, name: str) -> None:
        self.name, self.messages, self.broken = name, [], False

    def send(self, message: Message) -> None:
        if self.broken:
            raise SendError("en panne")
        self.messages.append(message)

    def probe(self) -> None:
        raise NotImplementedError


def test_nothing_is_told_twice_and_a_channel_that_failed_is_tried_again_alone(catalogue, tmp_path):
    alerts, store = all_alerts(catalogue), Store(tmp_path)
    mail, hook = Recorder("courriel"), Recorder("webhook")
    hook.broken = True
    assert send_news(store, alerts, [mail, hook], DAY) == ["webhook : en panne"]
    hook.broken = False
    assert send_news(store, alerts, [mail, hook], DAY) == []
    assert send_news(store, alerts[:3], [mail, hook], DAY + datetime.timedelta(days=20)) == []
    assert [len(channel.messages) for channel in (mail, hook)] == [1, 1]
    # Seen 25 days before: still the same facts. The two others ended, and are news when they return.
    later = DAY + datetime.timedelta(days=45)
    send_news(store, alerts, [mail], later)
    assert [len(message.payload["faits"]) for message in mail.messages] == [5, 2]
    send_news(store, alerts, [mail], later + FORGOTTEN_AFTER)
    assert len(mail.messages) == 2


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"RESULTATS_SMTP_HOST": "smtp.example"}, "RESULTATS_ALERT_FROM"),
        ({"RESULTATS_SMTP_SECURITY": "aucune"}, "cette machine"),
        ({"RESULTATS_SMTP_SECURITY": "ssl"}, "starttls, tls ou aucune"),
        ({"RESULTATS_SMTP_PORT": "smtp"}, "n'est pas un port"),
        ({"RESULTATS_SMTP_USER": "moi"}, "vont ensemble"),
        ({"RESULTATS_WEBHOOK_URL": "http://hooks.example/secret-path"}, "https:// est exigé"),
        ({"RESULTATS_WEBHOOK_URL_FILE": "/nulle/part"}, "ne se lit pas"),
    ],
)
def test_wrong_settings_are_told_without_their_secrets(environment, told):
    right = {"RESULTATS_ALERT_FROM": "a@example.fr", "RESULTATS_ALERT_TO": "b@example.fr, c@example.fr"}
    base = {} if environment.keys() == {"RESULTATS_SMTP_HOST"} else right | {"RESULTATS_SMTP_HOST": "smtp.example"}
    with pytest.raises(SettingError, match=told) as caught:
        channels_from_environment(base | environment)
    assert "secret-path" not in str(caught.value)


def test_nobody_is_told_by_default():
    assert channels_from_environment({}) == []


def test_secrets_come_from_a_file_or_a_variable_never_both(tmp_path: Path):
    file = tmp_path / "password"
    file.write_text("mot de passe\n", encoding="utf-8")
    file.chmod(0o600)
    assert read_secret("X", {"X_FILE": str(file)}) == "mot de passe"
    assert read_secret("X", {"X": "direct"}) == "direct"
    assert read_secret("X", {}) is None
    with pytest.raises(SettingError, match="tous les deux"):
        read_secret("X", {"X": "direct", "X_FILE": str(file)})
    assert not readable_by_others("X", {"X_FILE": str(file)})
    file.chmod(0o644)
    assert readable_by_others("X", {"X_FILE": str(file)})
    file.write_text("\n", encoding="utf-8")
    with pytest.raises(SettingError, match="vide"):
        read_secret("X", {"X_FILE": str(file)})
    channels = channels_from_environment({
        "RESULTATS_SMTP_HOST": "smtp.example", "RESULTATS_ALERT_FROM": "a@b.fr", "RESULTATS_ALERT_TO": "c@d.fr",
        "RESULTATS_SMTP_USER": "moi", "RESULTATS_SMTP_PASSWORD": "chut", "RESULTATS_WEBHOOK_URL": "https://h/chut",
    })  # fmt: skip
    assert "chut" not in repr(channels)
