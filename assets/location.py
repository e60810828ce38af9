"""The code location that Dagster loads, as ``pyproject.toml`` says under [tool.dagster].

The definitions are those of the environment's workspace; nothing is defined here. What the processes of Dagster
write is private, but for what they publish.
"""

import os

from assets.definitions import definitions_from_environment
from pipelines.mechanics.files import UMASK

os.umask(UMASK)

defs = definitions_from_environment()
