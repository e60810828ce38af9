"""The code location that Dagster loads (``pyproject.toml``, [tool.dagster]): the definitions of the environment's workspace."""

from assets.definitions import definitions_from_environment

defs = definitions_from_environment()
