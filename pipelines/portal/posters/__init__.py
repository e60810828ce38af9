"""Posters: one A4 page for each office, that it hangs on its wall; made from one release, and nothing else."""
