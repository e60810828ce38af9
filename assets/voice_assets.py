"""The voice of users in Dagster: assets, a job and a schedule of their own, after what the law asks for.

Nothing of the results waits for them: no asset of a network or of the national job depends on one of these, the night
doesn't wait for their runs, and what they compute takes no place in the pool of publications. Their partitions are the
months of publication of the texts: a run takes any number of them, and tests again those alone that changed.
"""

import datetime
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from assets.jobs import PARIS, SIGNALS_JOB, ZONE, day_asked
from assets.metadata import ROWS, declaring, lines_shown, outcome
from assets.publication_assets import building_asset, publishing_asset
from assets.step_failures import refusing, stage_key
from assets.workspace import Workspace
from pipelines.declarations import Catalogue
from pipelines.flow.public_site import follow_site
from pipelines.flow.release import release_inputs
from pipelines.flow.signal_release import make_signal_tables, release_signals
from pipelines.flow.voice import judge_months, note_done, note_voices
from pipelines.flow.voice_facts import foreign_voices, unknown_services, unmet_notes, why_not_made
from pipelines.operations.settings import theme_from_environment
from pipelines.portal.site import BuiltSite
from pipelines.release.refusals import DamagedReleaseError, ReleaseError

GROUP = "voix"
VOICES, TESTS, RELEASE, PUBLICATION, SITE = (
    dg.AssetKey([GROUP, name]) for name in ("voix", "tests", "version", "publication", "site")
)
_HOUR = "30 4 * * *"  # Paris: the night of results begins at 2, its message leaves at 6
signals_job = dg.define_asset_job(
    SIGNALS_JOB,
    selection=dg.AssetSelection.groups(GROUP),
    description="La voix des usagers : voix, tests mois par mois, version, publication, pages.",
)


def months_of(catalogue: Catalogue) -> dg.MonthlyPartitionsDefinition:
    """Return the months that declared texts may be published in."""
    years = [year for name in catalogue.experiences for year in catalogue.networks[name].years]
    begin, end = (datetime.datetime(year, 1, 1, tzinfo=PARIS) for year in (min(years), max(years) + 1))
    return dg.MonthlyPartitionsDefinition(start_date=begin, end_date=end, fmt="%Y-%m", timezone=ZONE)


def all_months(catalogue: Catalogue) -> dict[str, str]:
    """Return the tags of a run of every month."""
    keys = months_of(catalogue).get_partition_keys()
    return {ASSET_PARTITION_RANGE_START_TAG: keys[0], ASSET_PARTITION_RANGE_END_TAG: keys[-1]}


def signals_assets(catalogue: Catalogue) -> list[dg.AssetsDefinition]:
    """Return the assets of signals, none where no texts or no data set of signals are declared."""
    if not (catalogue.experiences and catalogue.signals):
        return []
    publication = publishing_asset(catalogue, PUBLICATION, [RELEASE])
    return [_voices(catalogue), _tests(catalogue), _release(catalogue), publication, _site(catalogue)]


def signals_schedule(catalogue: Catalogue) -> dg.ScheduleDefinition:
    """Return the schedule of signals: every morning, every month; those that nothing changed cost nothing."""

    @dg.schedule(
        name=SIGNALS_JOB,
        job_name=SIGNALS_JOB,
        cron_schedule=_HOUR,
        execution_timezone=ZONE,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Chaque matin, après la nuit : les signaux de la voix des usagers, s'il y a du nouveau.",
    )
    def signals(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if why := why_not_made(catalogue):  # the morning's message tells it
            return dg.SkipReason(why)
        return dg.RunRequest(run_key=f"{SIGNALS_JOB}-{day_asked(context)}", tags=all_months(catalogue))

    return signals


def _voices(catalogue: Catalogue) -> dg.AssetsDefinition:
    @declaring(
        VOICES,
        "Les textes acceptés, masqués ; une voix : un texte, ou plusieurs presque identiques ; privé.",
        deps=[stage_key(name, "observations") for name in catalogue.experiences],
        kinds={"parquet"},
    )
    def voix(workspace: Workspace) -> dg.MaterializeResult[None]:
        if why := why_not_made(catalogue):
            raise dg.Failure(why)
        months = note_voices(catalogue, workspace.store)
        return dg.MaterializeResult(
            metadata={
                "mois": len(months.depends),
                "dernier_mois": months.last or "aucun",
                # a number alone: the labels are private
                "intitulés de service non déclarés": unknown_services(workspace.store),
                "voix sans français reconnu": foreign_voices(workspace.store),
            }
        )

    return voix


def _tests(catalogue: Catalogue) -> dg.AssetsDefinition:
    @declaring(
        TESTS,
        "Ce qui a été testé à la fin de chaque mois, et ce qui étonne.",
        deps=[VOICES],
        partitions_def=months_of(catalogue),
        kinds={"numpy"},
    )
    def tests(context: dg.AssetExecutionContext, workspace: Workspace) -> None:
        asked = context.partition_keys
        tested = judge_months(catalogue, workspace.store, asked)
        context.log.info(f"{len(tested)} mois testés, {len(asked) - len(tested)} gardés ou sans voix")

    return tests


def _release(catalogue: Catalogue) -> dg.AssetsDefinition:
    @declaring(
        RELEASE,
        "Cartes, registre des tests, puissance et thèmes : dossier immuable par version.",
        {"notes": "Chaque note de schemas/signals répond à un signal"},
        deps=[TESTS],
        kinds={"csv", "parquet"},
    )
    def version(context: dg.AssetExecutionContext, workspace: Workspace) -> Any:
        store = workspace.store
        with refusing(DamagedReleaseError, ReleaseError):
            tables = make_signal_tables(catalogue, store)
            unmet = unmet_notes(catalogue, tables) if tables else []
            yield outcome("notes", not unmet, {"sans_signal": lines_shown(unmet)})
            inputs = release_inputs(catalogue, store, workspace.root, Path(workspace.schemas))
            made = release_signals(catalogue, store, inputs)
        if made is None or tables is None:
            yield dg.MaterializeResult(metadata={"version": "aucune : aucune voix encore", ROWS: 0})
            return
        context.log.info(tables.sentence)
        yield dg.MaterializeResult(
            metadata={
                "version": made.version,
                "nouvelle": made.created,
                ROWS: made.rows["signaux"],
                "en_bref": tables.sentence,
            },
            data_version=dg.DataVersion(made.version),
        )

    return version


def _site(catalogue: Catalogue) -> dg.AssetsDefinition:
    def bring(workspace: Workspace) -> BuiltSite | None:
        built = follow_site(catalogue, workspace.store, theme_from_environment())
        if not (built and built.left_out):
            note_done(catalogue, workspace.store)
        return built

    description = "Les pages de la voix des usagers, sur le site public des résultats."
    return building_asset(SITE, PUBLICATION, description, bring)
