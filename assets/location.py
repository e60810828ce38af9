"""The code location that Dagster loads, as ``pyproject.toml`` says under [tool.dagster].

The definitions are those of the environment's workspace; nothing is defined here. What the processes of Dagster
write is private, but for what they publish.
"""

import os
from pathlib import Path

from assets.definitions import build_definitions
from assets.workspace import workspace_from_environment
from pipelines.declarations import load
from pipelines.mechanics.files import UMASK
from pipelines.operations.settings import night_from_environment

os.umask(UMASK)

_workspace = workspace_from_environment()
defs = build_definitions(load(Path(_workspace.schemas)), _workspace, night_from_environment())
