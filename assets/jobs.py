"""The jobs: one per year for all networks, one for what they give together, one that accepts a revision."""

from typing import Any

import dagster as dg

from assets.resources import Workspace
from pipelines.declarations import Catalogue
from pipelines.flow.revisions import ACCEPT_JOB, RevisionError, accept_revision

NETWORKS_JOB = "reseaux"
NATIONAL_JOB = "national"
WATCH_JOB = "veille"
UPKEEP_JOB = "entretien"
ZONE = "Europe/Paris"
STAGES = ("raw", "observations", "results")


def networks_job(catalogue: Catalogue) -> Any:
    """Return the job that takes every network through reception, validation and computation for a year."""
    keys = [dg.AssetKey([network, stage]) for network in catalogue.networks for stage in STAGES]
    return dg.define_asset_job(
        NETWORKS_JOB,
        selection=dg.AssetSelection.assets(*keys),
        description="Tous les réseaux, une année : réception, validation, résultats.",
    )


def national_job() -> Any:
    """Return the job that makes tables, releases and the local catalogue."""
    return dg.define_asset_job(
        NATIONAL_JOB,
        selection=dg.AssetSelection.groups("national"),
        description="Tables nationales, versions publiées, catalogue local.",
    )


class RevisionToAccept(dg.Config):
    """What to accept: a network, a closed year, and the first characters (8 or more) of the revision's fingerprint."""

    network: str
    year: int
    revision: str


def accept_revision_job() -> dg.JobDefinition:
    """Return the job by which the data team puts the revision of a closed year in the place of its results."""

    @dg.op(name="accepter")
    def accept(context: dg.OpExecutionContext, config: RevisionToAccept, workspace: Workspace) -> None:
        try:
            accepted = accept_revision(workspace.store, config.network, config.year, config.revision)
        except RevisionError as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        context.log.info(f"{config.network} {config.year} : révision {accepted.fingerprint[:12]} acceptée")

    @dg.job(name=ACCEPT_JOB, description="Met la révision d'une année close à la place de ses résultats.")
    def accepting() -> None:
        accept()

    return accepting
