"""Settings and secrets given by the environment, for every command and service: ``NAME``, or ``NAME_FILE`` for a file.

The one reader of the environment; what a setting is for is told by whoever asks for it.

Values of secrets are never shown, logged or put in a message: errors name the variable, not what it holds.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path


class SettingError(ValueError):
    """A setting of the environment that can't be used; the French message names it and holds no secret."""


ENVIRONMENT: Mapping[str, str] = os.environ
PROJECT = Path(__file__).resolve().parents[2]
_HOUR = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def setting(name: str, default: str = "") -> str:
    """Return a setting that is no secret, ``default`` when it is absent or empty."""
    return ENVIRONMENT.get(name) or default


def place_from_environment(variable: str, default: str) -> str:
    """Return the folder or fsspec URL that a variable names, else ``default``; paths start from the project."""
    value = setting(variable, default)
    return value if "://" in value else str(PROJECT / value)


def home_from_environment() -> Path | None:
    """Return the folder of the Dagster instance, DAGSTER_HOME, or None; raises SettingError when it can't be one."""
    home = setting("DAGSTER_HOME")
    if not home:
        return None
    if not Path(home).is_absolute():
        raise SettingError(f"DAGSTER_HOME : « {home} » n'est pas un chemin complet : écrire {Path(home).absolute()}")
    if not Path(home).is_dir():
        raise SettingError(f"DAGSTER_HOME : le dossier {home} n'existe pas : le créer, ou corriger la variable")
    if not Path(home, "dagster.yaml").is_file():
        raise SettingError(f"DAGSTER_HOME : {home} ne contient pas dagster.yaml : y copier celui du projet")
    return Path(home)


def letters_from_environment() -> str:
    """Return the URL by which a web server shows the letters to the data team, RESULTATS_LETTERS_URL, or nothing."""
    return setting("RESULTATS_LETTERS_URL")


def theme_from_environment() -> Path | None:
    """Return the folder of style sheets that the owner adds to the public site, RESULTATS_SITE_THEME, or None."""
    theme = setting("RESULTATS_SITE_THEME")
    return Path(theme) if theme else None


def night_from_environment() -> str:
    """Return the hour of the nightly look, HH:MM in Paris: RESULTATS_NIGHT, else 02:00. Raises SettingError."""
    hour = setting("RESULTATS_NIGHT", "02:00")
    if not _HOUR.fullmatch(hour):
        raise SettingError(f"RESULTATS_NIGHT : « {hour} » n'est pas une heure (exemple : 02:00)")
    return hour


def retention_from_environment() -> int:
    """Return how many days runs are kept: RESULTATS_RETENTION_DAYS, else 90. Raises SettingError on anything else."""
    days = setting("RESULTATS_RETENTION_DAYS", "90")
    if not days.isascii() or not days.isdigit() or int(days) < 1:
        raise SettingError(f"RESULTATS_RETENTION_DAYS : « {days} » n'est pas un nombre de jours")
    return int(days)


def read_secret(name: str, environment: Mapping[str, str] = ENVIRONMENT) -> str | None:
    """Return what ``name`` or the file of ``<name>_FILE`` holds, without the line's end, or None when neither is set.

    Raises SettingError when both are set, or when the file can't be read or is empty.
    """
    direct, file = environment.get(name), environment.get(f"{name}_FILE")
    if direct and file:
        raise SettingError(f"{name} et {name}_FILE sont donnés tous les deux : n'en garder qu'un")
    if not file:
        return direct or None
    try:
        secret = Path(file).read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{name}_FILE : le fichier {file} ne se lit pas ({type(error).__name__})") from None
    if not secret:
        raise SettingError(f"{name}_FILE : le fichier {file} est vide")
    return secret


def readable_by_others(name: str, environment: Mapping[str, str] = ENVIRONMENT) -> bool:
    """Tell whether the file of ``<name>_FILE`` can be read by any user of the machine."""
    file = environment.get(f"{name}_FILE")
    return bool(file) and Path(str(file)).exists() and bool(Path(str(file)).stat().st_mode & 0o004)
