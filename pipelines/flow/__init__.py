"""The story of a run: files are received, judged, computed, gathered, released. Plain Python, without Dagster."""
