"""The code location that Dagster loads, as ``pyproject.toml`` says under [tool.dagster].

The definitions are those of the environment's workspace; nothing is defined here.
"""

from assets.definitions import definitions_from_environment

defs = definitions_from_environment()
