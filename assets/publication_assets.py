"""Releases → the folder catalogue and the configured target, then the public site; the job that accepts a plan.

What is published, and how, is in ``pipelines.flow.publish``; what the pages say is in ``pipelines.portal``.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import dagster as dg
from pydantic import Field

from assets.metadata import TO_PASTE, declaring, launch_shown, outcome
from assets.national_assets import release_key
from assets.step_failures import refusing
from assets.workspace import POOL, Workspace
from pipelines.declarations import Catalogue
from pipelines.flow.public_site import bring_site, follow_site
from pipelines.flow.publish import Night, Publisher, publish_accepted, publish_night
from pipelines.flow.waiting_plans import keep_waiting
from pipelines.operations.settings import SettingError, read_secret, theme_from_environment
from pipelines.portal.site import BuiltSite
from pipelines.read import RootError
from pipelines.release.refusals import PublicationError
from pipelines.targets.folder.folder_target import NAME
from pipelines.targets.plan import Plan, plan_text
from pipelines.targets.protocol import TargetError
from pipelines.targets.publication import report_text

KEY = dg.AssetKey(["national", "publication"])
SITE = dg.AssetKey(["national", "site"])
AGREEMENT = "accord"
ACCEPT_JOB = "accepter_plan"
HOURLY = 3600  # seconds; the crawler of the platform comes within hours
NO_SUCH_PLAN = "Aucun plan actuel n'a cette empreinte : la cible ou la version ont changé. Relire le plan."
STOPPED = (PublicationError, RootError, SettingError, TargetError)  # their sentence is all there is to know


def publication_asset(catalogue: Catalogue) -> dg.AssetsDefinition:
    """Return the asset that publishes all but signals, which come after by themselves."""
    return publishing_asset(catalogue, KEY, [release_key(dataset) for dataset in catalogue.without_signals.datasets])


def publishing_asset(catalogue: Catalogue, key: dg.AssetKey, deps: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    """Return the asset that brings the folder catalogue, then the configured target, to the latest releases.

    Of all data sets but signals, or of signals alone where its ``key`` is another than KEY. A platform is written to
    only where the workspace allows it; otherwise its plan is shown.
    """
    mine = catalogue.without_signals if key == KEY else catalogue.of_signals

    @declaring(
        key,
        "Fichiers de la dernière version de chaque jeu, sous des noms stables ; plan de la cible.",
        {AGREEMENT: "Aucun plan n'est bloqué ; un plan qui ne l'est pas se lance d'ici"},
        deps=deps,
        kinds={"file"},
        pool=POOL,  # one publisher at a time on a target is the rule: two would plan from the same state
    )
    def publication(context: dg.AssetExecutionContext, workspace: Workspace) -> Iterator[Any]:
        with refusing(*STOPPED):
            night = publish_night(_publishers(mine, workspace), allowed=workspace.publish, progress=context.log.info)
        keep_waiting(workspace.store, night.waiting, lambda dataset: (dataset == catalogue.signals) == (key != KEY))
        yield outcome(AGREEMENT, not any(plan.refusals for plan in night.waiting), _waiting(night.waiting))
        if failed := [report for report in night.reports if report.applied and not report.succeeded]:
            raise dg.Failure("\n".join(report_text(report) for report in failed))
        yield dg.MaterializeResult(metadata=_metadata(workspace, night))

    return publication


def site_asset(catalogue: Catalogue) -> dg.AssetsDefinition:
    """Return the asset that brings the public site to the version that the local catalogue shows."""
    description = "Site public des résultats : une page par réseau, territoire, structure et indicateur."

    def bring(workspace: Workspace) -> BuiltSite | None:
        return bring_site(catalogue, workspace.store, theme=theme_from_environment()) if workspace.store.site else None

    return building_asset(SITE, KEY, description, bring)


def building_asset(
    key: dg.AssetKey, publication: dg.AssetKey, description: str, bring: Callable[[Workspace], BuiltSite | None]
) -> dg.AssetsDefinition:
    """Return the asset that has the site built by ``bring`` once ``publication`` is made."""

    @declaring(key, description, deps=[publication], kinds={"html"}, pool=POOL)
    def site(workspace: Workspace) -> dg.MaterializeResult[None]:
        with refusing(PublicationError):
            built = bring(workspace)
        if built is None:
            elsewhere = "à écrire là où il est montré : resultats site --site DOSSIER"
            why = "aucune version publiée, ou rien d'écrit encore" if workspace.store.site else elsewhere
            return dg.MaterializeResult(metadata={"site": why, "ecrits": 0})
        if built.left_out:  # the pages of results are up to date: told, as all that the site lacks
            raise dg.Failure("\n".join(built.left_out))
        return dg.MaterializeResult(
            metadata={
                "site": dg.MetadataValue.path(str(built.folder / "index.html")),
                "version": built.version,
                "fichiers": built.files,
                "ecrits": len(built.written),
                "retires": len(built.removed),
            }
        )

    return site


class AcceptedPlan(dg.Config):
    """The plan to accept."""

    hash: str = Field(description="L'empreinte entière du plan, comme son contrôle « accord » la montre.")
    reason: str = Field("", description="Pourquoi ce plan est accepté, en une phrase : elle est gardée.")


def accept_plan_job(catalogue: Catalogue) -> dg.JobDefinition:
    """Return the job by which a person accepts the plan of a hash, which is then applied at once."""

    @dg.op(name="plan", description="Accepte un plan par son empreinte, puis l'applique.", pool=POOL)
    def accept(context: dg.OpExecutionContext, config: AcceptedPlan, workspace: Workspace) -> None:
        publishers = _publishers(catalogue, workspace)
        with refusing(*STOPPED):
            reports = publish_accepted(publishers, config.hash, config.reason, context.log.info)
            if any(report.plan.target == NAME for report in reports):
                follow_site(catalogue, workspace.store, theme_from_environment())
        text = "\n".join(report_text(report) for report in reports) or NO_SUCH_PLAN
        if not reports or not all(report.succeeded for report in reports):
            raise dg.Failure(text)
        context.log.info(text)

    @dg.job(name=ACCEPT_JOB, description=f"Accepter un plan de publication bloqué. {TO_PASTE}")
    def accepted() -> None:
        accept()

    return accepted


def previews_sensor(catalogue: Catalogue, workspace: Workspace) -> dg.SensorDefinition:
    """Return the sensor that tells, after a publication, what the platform could make of each file."""

    @dg.sensor(
        name="apercus",
        minimum_interval_seconds=HOURLY,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Après publication : les aperçus que la plateforme a faits des fichiers, ou n'a pas pu faire.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        try:
            previews = Publisher(catalogue, workspace.store, workspace.target, read_secret).previews()
        except STOPPED as error:
            return dg.SkipReason(str(error))
        rows, failed = [], 0
        for dataset, files in previews.items():
            failed += sum(file.failed for file in files)
            for file in files:
                rows.append({"jeu": dataset, "fichier": file.title, "état": file.state, "détail": file.detail})
        state = json.dumps(rows, ensure_ascii=False)
        if not rows or state == context.cursor:
            return dg.SkipReason("rien de nouveau sur la plateforme")
        records = dg.MetadataValue.table([dg.TableRecord(row) for row in rows])
        observed = dg.AssetObservation(KEY, metadata={"aperçus": records, "fichiers_sans_apercu": failed})
        return dg.SensorResult(asset_events=[observed], cursor=state)

    return sensor


def _publishers(catalogue: Catalogue, workspace: Workspace) -> list[Publisher]:
    """Return who publishes to the folder catalogue, always, then to the configured target."""
    names = dict.fromkeys([NAME, workspace.target])
    return [Publisher(catalogue, workspace.store, name, read_secret) for name in names]


def _metadata(workspace: Workspace, night: Night) -> dict[str, Any]:
    store = workspace.store
    written = [step for report in night.reports for step in report.done if step.kind in ("write", "remove")]
    texts = [*(report_text(report) for report in night.reports), *(plan_text(plan) for plan in night.shown)]
    return {
        "catalogue": dg.MetadataValue.path(store.address(store.catalogue)),
        "fichiers_ecrits": len(written),
        "cible": workspace.target,
        "plan": dg.MetadataValue.md(_code("\n\n".join(texts))),
    }


def _waiting(plans: Iterable[Plan]) -> dict[str, Any]:
    """Return, for the check, why each plan waits, as text (all that the UI shows of a check at once), then the plan."""
    shown: dict[str, Any] = {}
    for plan in plans:
        name, reasons = plan.hash[:12], [" ; ".join([gate.message_fr, *gate.details[:3]]) for gate in plan.refusals]
        if reasons:
            shown[f"pourquoi_{name}"] = f"{plan.target} : {' — '.join(reasons)}"
        launch = launch_shown(ACCEPT_JOB, {"plan": {"hash": plan.hash, "reason": "…"}})
        shown |= {f"{label}_{name}": link for label, link in launch.items()}
        shown[name] = dg.MetadataValue.md(_code(plan_text(plan)))
    return shown


def _code(text: str) -> str:
    return f"```text\n{text}\n```"
