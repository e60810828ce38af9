"""Any file against any Table Schema: the general form of validation, whose report is frictionless's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import frictionless
from frictionless.resources import TableResource

if TYPE_CHECKING:
    from pathlib import Path


def check_file(path: Path, schema: Path, dialect: Path | None = None, limit_errors: int = 1000) -> frictionless.Report:
    """Validate a file; raise FrictionlessException when the schema or the dialect can't be used."""
    with frictionless.system.use_context(trusted=True):  # the paths are the user's own
        judged = frictionless.Schema.from_descriptor(str(schema))
        if dialect is None:
            resource = TableResource(path=str(path), schema=judged)
        else:
            written = frictionless.Dialect.from_descriptor(str(dialect))
            resource = TableResource(path=str(path), schema=judged, dialect=written)
        return resource.validate(limit_errors=limit_errors)
