"""``[national, site]``: what is published → the public site. What pages say is in ``pipelines.portal``."""

import dagster as dg

from assets import publication_assets
from assets.workspace import POOL, Workspace
from pipelines.declarations import Catalogue
from pipelines.flow.public_site import bring_site
from pipelines.operations.settings import theme_from_environment
from pipelines.release.refusals import PublicationError

KEY = dg.AssetKey(["national", "site"])


def site_asset(catalogue: Catalogue) -> dg.AssetsDefinition:
    """Return the asset that brings the public site to the version that the local catalogue shows."""

    @dg.asset(
        key=KEY,
        deps=[publication_assets.KEY],
        group_name="national",
        description="Site public des résultats : une page par réseau, territoire, structure et indicateur.",
        kinds={"html"},
        pool=POOL,
    )
    def site(workspace: Workspace) -> dg.MaterializeResult[None]:
        if workspace.store.site is None:
            return dg.MaterializeResult(
                metadata={"site": "à écrire là où il est montré : resultats site --site DOSSIER"}
            )
        try:
            built = bring_site(catalogue, workspace.store, theme=theme_from_environment())
        except PublicationError as error:
            raise dg.Failure(str(error)) from None
        if built is None:
            return dg.MaterializeResult(metadata={"site": "aucune version publiée"})
        if built.left_out:  # the pages of results are up to date: told, as all that the site lacks
            raise dg.Failure("\n".join(built.left_out), allow_retries=False)
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
