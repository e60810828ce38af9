"""Settings and secrets given by the environment, for every command and service: ``NAME``, or ``NAME_FILE`` for a file.

Values of secrets are never shown, logged or put in a message: errors name the variable, not what it holds.
"""

import os
from collections.abc import Mapping
from pathlib import Path


class SettingError(ValueError):
    """A setting of the environment that can't be used; the French message names it and holds no secret."""


PROJECT = Path(__file__).resolve().parents[2]


def place_from_environment(variable: str, default: str) -> str:
    """Return the folder or fsspec URL that a variable names, else ``default``; paths start from the project."""
    value = os.environ.get(variable) or default
    return value if "://" in value else str(PROJECT / value)


def home_from_environment() -> Path | None:
    """Return the folder of the Dagster instance, DAGSTER_HOME, or None; raises SettingError when it can't be one."""
    home = os.environ.get("DAGSTER_HOME")
    if not home:
        return None
    if not Path(home).is_absolute():
        raise SettingError(f"DAGSTER_HOME : « {home} » n'est pas un chemin complet : écrire {Path(home).absolute()}")
    if not Path(home).is_dir():
        raise SettingError(f"DAGSTER_HOME : le dossier {home} n'existe pas : le créer, ou corriger la variable")
    return Path(home)


def read_secret(name: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """Return what ``name`` or the file of ``<name>_FILE`` holds, without the line's end, or None when neither is set.

    Raises SettingError when both are set, or when the file can't be read or is empty.
    """
    direct, file = environment.get(name), environment.get(f"{name}_FILE")
    if direct and file:
        raise SettingError(f"{name} et {name}_FILE sont donnés tous les deux : n'en garder qu'un")
    if not file:
        return direct or None
    try:
        held = Path(file).read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{name}_FILE : le fichier {file} ne se lit pas ({type(error).__name__})") from None
    if not held:
        raise SettingError(f"{name}_FILE : le fichier {file} est vide")
    return held


def readable_by_others(name: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether the file of ``<name>_FILE`` can be read by any user of the machine."""
    file = environment.get(f"{name}_FILE")
    return bool(file) and Path(str(file)).exists() and bool(Path(str(file)).stat().st_mode & 0o004)
