"""Posters: one A4 page for each office, that it hangs on its wall; made from one release, and nothing else."""

from pipelines.portal.posters.poster_files import Made, NoPosterError, make_posters

__all__ = ["Made", "NoPosterError", "make_posters"]
