"""YAML that comes from outside (the exports folder): plain data out of few bytes, or a sentence that says why not.

The declarations of the project are read elsewhere; what the data means is its reader's affair.
"""

from __future__ import annotations

from typing import Any

import yaml

from pipelines.mechanics import limits


class OutsideYamlError(Exception):
    """Why a YAML file from outside isn't read, in French."""


def read_outside(content: bytes) -> Any:
    """Return the data of a YAML document; raises OutsideYamlError, and nothing else, whatever the bytes.

    Aliases are refused: a few lines of them stand for gigabytes.
    """
    if len(content) > limits.LARGEST_OUTSIDE_YAML:
        raise OutsideYamlError(f"il pèse plus de {limits.LARGEST_OUTSIDE_YAML // 1024} ko")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise OutsideYamlError("il n'est pas encodé en UTF-8") from error
    try:
        _check(text)
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise OutsideYamlError(f"ce n'est pas du YAML (ligne {mark.line + 1 if mark else 1})") from error
    except OutsideYamlError:
        raise
    except Exception as error:  # a value that isn't of the kind that its mark says makes PyYAML itself fail, in any way
        raise OutsideYamlError("une de ses valeurs ne peut pas être lue") from error


def _check(text: str) -> None:
    """Go through the document piece by piece, before anything of it is built."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise OutsideYamlError("il contient une référence « * »")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > limits.DEEPEST_OUTSIDE_YAML:
            raise OutsideYamlError(f"ses blocs s'emboîtent sur plus de {limits.DEEPEST_OUTSIDE_YAML} niveaux")
