"""A published release → the public site. What its pages say is in ``pipelines.portal``."""

from pathlib import Path

from pipelines.declarations import Catalogue
from pipelines.flow.store import Store
from pipelines.portal.site import BuiltSite, build_site
from pipelines.portal.site_folder import RECORD
from pipelines.release import history
from pipelines.release.refusals import PublicationError

BAROMETERS, SIGNALS = "resultats_barometres", "signaux"
_SOMEWHERE = "cette sortie n'est pas un dossier : dire où écrire le site (resultats site --site DOSSIER)"


def follow_site(catalogue: Catalogue, store: Store, theme: Path | None = None) -> BuiltSite | None:
    """Bring the site to what was just published by hand, where one was written already; as ``bring_site`` does."""
    written = store.site is not None and (store.site / RECORD).is_file()
    return bring_site(catalogue, store, theme=theme) if written else None


def bring_site(
    catalogue: Catalogue,
    store: Store,
    *,
    version: str | None = None,
    folder: Path | None = None,
    theme: Path | None = None,
) -> BuiltSite | None:
    """Bring the site to a version, that of the local catalogue unless told otherwise; None when none is published.

    A version that waits for somebody's agreement is not shown: the site follows what is published, not what is made.
    Raises PublicationError when the version is unknown, or can't be read.
    """
    dataset = catalogue.on_site
    if dataset is None:
        return None
    wanted = version or store.published(dataset).get("version")
    if wanted is None:
        return None
    versions = history.versions(store.releases, dataset)
    if wanted not in versions:
        raise PublicationError(f"{dataset} : version {wanted} inconnue ; publiées : {', '.join(versions) or 'aucune'}")
    place = folder or store.site
    if place is None:
        raise PublicationError(_SOMEWHERE)
    release = store.release(dataset, wanted)
    address, there = catalogue.datasets[dataset].site or "", set(versions)
    return build_site(
        release,
        place,
        address=address,
        theme=theme,
        barometers=_published(catalogue, store, BAROMETERS),
        signals=_published(catalogue, store, SIGNALS),
        folder_of=lambda earlier: store.release(dataset, earlier) if earlier in there else None,
    )


def _published(catalogue: Catalogue, store: Store, main_table: str) -> Path | None:
    """Return the release that is published of the data set of a main table, if any is."""
    names = (name for name, dataset in catalogue.datasets.items() if dataset.main_table == main_table)
    return next(filter(None, map(store.published_release, names)), None)
