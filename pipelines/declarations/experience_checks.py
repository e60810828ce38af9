"""What must hold of users' experiences, the services that they name and themes: each fault is a key and its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.declarations.problems import close_to
from pipelines.mechanics.spelling import plain_form

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from pipelines.declarations.experiences import Experiences, ThemeFamily, Typology
    from pipelines.declarations.yaml_source import Path

Fault = tuple["Path", str]


def experience_faults(source: Experiences) -> Iterator[Fault]:
    """Yield what doesn't hold inside a source: fields that aren't declared, or that can't be what they are used for."""
    fields = {field.name: field for field in source.fields}
    for place, names in source.columns.named.items():
        for name in names:
            if name not in fields:
                yield ("columns", place), f"champ « {name} » inconnu{close_to(name, list(fields))}"
            elif place in ("published", "written") and fields[name].type != "date":
                yield ("columns", place), f"le champ {name} doit être de type date"
            elif fields[name].personal and name not in source.columns.private:
                yield ("columns", place), f"« {name} » est déclaré personnel : aucune voix n'en est faite"


def typology_faults(typologies: Mapping[str, Typology], networks: Collection[str]) -> Iterator[Fault]:
    """Yield the networks that aren't declared, and the labels that name two services."""
    known: dict[str, str] = {}
    for name, typology in typologies.items():
        if typology.network and typology.network not in networks:
            told = f"réseau « {typology.network} » inconnu{close_to(typology.network, list(networks))}"
            yield ("typologies", name, "network"), told
        for label in typology.labels:
            other = known.setdefault(plain_form(label), name)
            if other != name:
                yield ("typologies", name, "labels"), f"« {label} » est déjà un intitulé de « {other} »"


def theme_faults(name: str, families: Mapping[str, ThemeFamily]) -> Iterator[Fault]:
    """Yield the themes of a family whose identifier another one has too."""
    for theme in families[name].themes:
        others = [other for other, family in families.items() if other < name and theme in family.themes]
        if others:
            yield ("themes", theme), f"thème « {theme} » déjà déclaré dans themes/{others[0]}.yml"
