"""How Dagster runs the pipeline: assets, checks, jobs, schedules. No data logic: that is in ``pipelines``."""
