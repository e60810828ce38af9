"""The tables that go with every release and tell of it, declared in YAML, and their words. Filled elsewhere."""

from __future__ import annotations

from pathlib import Path

import yaml

from pipelines.compile.dictionary import DICTIONARY
from pipelines.declarations import Table

HIDDEN = "(secret)"
# None can be the name of a table or of a column.
DATASET_ITSELF, KEY_ITSELF, FILES_THEMSELVES = "datapackage", "primaryKey", "files.path"
JOURNAL, VERSIONS = (
    Table.model_validate(declared)
    for declared in yaml.safe_load(Path(__file__).with_suffix(".yml").read_text("utf-8")).values()
)
OWN_TABLES = {"dictionnaire": DICTIONARY, "journal": JOURNAL, "versions": VERSIONS}
