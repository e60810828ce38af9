"""Any file against any Table Schema: the general form of validation, whose report is frictionless's own."""

from __future__ import annotations

import codecs
import copy
import json
from typing import TYPE_CHECKING, Any

import frictionless
from frictionless.errors import FormatError
from frictionless.formats.csv import CsvControl

from pipelines.validate.bounds import absurdity
from pipelines.validate.tabular import FileVerdict, judge_file
from pipelines.validate.tabular.encoding import can_decode
from pipelines.validate.tabular.text import open_bytes

if TYPE_CHECKING:
    from pathlib import Path


class DescriptorError(Exception):
    """The schema or the dialect can't be used; the message says why, in French."""


def check_file(
    path: Path,
    schema: Path,
    dialect: Path | None = None,
    *,
    encoding: str | None = None,
    limit_errors: int = 1000,
) -> FileVerdict:
    """Validate a file by the descriptors in two JSON files; without ``encoding``, UTF-8 if it is, else guessed.

    Raises DescriptorError when the schema, the dialect or the encoding can't be used.
    """
    written = _descriptor(dialect) if dialect else {}
    _check_encoding(encoding)
    with frictionless.system.use_context(trusted=True):  # the paths are the user's own
        judged = _descriptor(schema)
        try:
            fields = frictionless.Schema.from_descriptor(copy.deepcopy(judged)).fields
            for field in fields:
                field.create_cell_reader()  # patterns are read there
            read_as = frictionless.Dialect.from_descriptor(copy.deepcopy(written))
            CsvControl.from_dialect(read_as).to_python()
            read_as.create_first_content_row()  # type: ignore[no-untyped-call]
        except frictionless.FrictionlessException as error:
            reasons = [item.note or item.message for item in (error.reasons or [error.error])]
            raise DescriptorError(f"{error.error.title} : {' ; '.join(reasons)}") from error
        except Exception as error:  # descriptors of a shape that frictionless itself doesn't expect
            raise DescriptorError(f"le schéma ou le dialecte ne peut être utilisé ({error!r})") from error
        reason = absurdity(path, len(fields), written)
        if reason:
            refusal = frictionless.Report.from_validation(errors=[FormatError(note=reason)])
            return FileVerdict(refusal.to_dict(), "frictionless", reason)
        return judge_file(path, judged, written, encoding=encoding or _utf8(path), limit_errors=limit_errors)


def _check_encoding(encoding: str | None) -> None:
    try:
        b"a".decode(encoding or "utf-8", "ignore")
    except (LookupError, ValueError) as error:
        raise DescriptorError(f"l'encodage « {encoding} » n'existe pas, ou n'est pas celui d'un texte") from error


def _utf8(path: Path) -> str | None:
    """Return UTF-8 when the whole text is: guesses are made on a sample, and go wrong in the middle of a character."""
    content = open_bytes(path)
    if path.suffix != ".csv" or not can_decode(content, "utf-8"):
        return None
    return "utf-8-sig" if content[:3] == codecs.BOM_UTF8 else "utf-8"


def _descriptor(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise DescriptorError(f"{path} n'est pas un fichier JSON ({error})") from error
    if not isinstance(found, dict):
        raise DescriptorError(f"{path} n'est pas un objet JSON")
    return found
