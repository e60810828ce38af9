"""The figures of a survey and year that are hidden or shown together: places × periods, as arrays.

Which rows of ``resultats`` these are is in ``surveys``; what is hidden is decided in ``pattern``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pipelines.disclosure.tree import Flags, Numbers, Tree

EPSILON = 1e-6  # persons, or parts of a magnitude's unit: below, two figures are the same


@dataclass(frozen=True)
class Slot:
    """Periods that a place shows all or none of: the year, both quarters of a semester, the months of a quarter.

    ``total``: the column of the coarser published period that adds them up, and ``within`` the slot which that one is
    in; -1 for none (then no place's sum over the slot is published).
    """

    columns: NDArray[np.int64]
    within: int = -1
    total: int = -1


@dataclass(frozen=True)
class Layer:
    """What adds up over places and periods: people who answered, or an amount. ``base``: places × columns.

    Under ``minimum`` (persons) a base is secret. For enterprises, ``margin``: how widely the others must blur the
    largest, as a share of it. ``complement``: the people of a larger base whom the question was not asked.
    """

    base: Numbers
    minimum: int = 0
    margin: float = 0.0
    complement: bool = False

    @property
    def width(self) -> int:
        """How wide the interval of a hidden base must stay (persons): half of what the rule leaves possible."""
        return (self.minimum - 1) // 2

    def needed(self, largest: Numbers) -> Numbers:
        """Return how much must be left of the hidden places without the largest of them."""
        return np.where(
            largest > 0, float(self.minimum) if self.minimum else self.margin * largest, float(self.minimum)
        )


@dataclass(frozen=True)
class Split:
    """A question cuts a layer in two parts that add up too: ``sum(parts) = span × base``; places × columns each."""

    layer: int
    parts: tuple[Numbers, ...]
    span: float = 1.0


@dataclass(frozen=True)
class Series:
    """``small``: places × columns that the rule hides; ``known``: those that an earlier release has shown.

    ``held``: places × slots that an earlier release hid. ``unnamed``: places that no row names (people of a parent
    who are in none of its children), of which nothing is ever published. ``widest``: places × slots hidden of the
    question that most people answered, when this one is of fewer.
    """

    tree: Tree
    slots: tuple[Slot, ...]
    layers: tuple[Layer, ...]
    splits: tuple[Split, ...]
    small: Flags
    known: Flags
    held: Flags
    unnamed: Flags
    widest: Flags | None = None

    @property
    def places(self) -> int:
        """Number of places, those without a name too."""
        return len(self.tree.parent)

    @cached_property
    def _known_of(self) -> dict[tuple[str, bytes], NDArray[Any]]:
        return {}

    def _once(self, name: str, slot: Slot, made: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """Return what is asked of a slot again and again, made once; nobody changes it."""
        key = name, slot.columns.tobytes()
        if key not in self._known_of:
            self._known_of[key] = made()
        return self._known_of[key]

    def mass(self, slot: Slot) -> Numbers:
        """Return, per place, how many people its periods of the slot hold: what hiding it costs."""
        return self._once("mass", slot, lambda: self.layers[0].base[:, slot.columns].sum(axis=1))

    def inner(self, slot: Slot) -> Flags:
        """Return which places have others below them, with people in the slot."""
        return self._once("inner", slot, lambda: self.tree.any(self.mass(slot) > 0))

    def stacked(self, slot: Slot) -> Numbers:
        """Return the layers of a slot: places × layers × columns."""
        layers = self.layers
        return self._once("layers", slot, lambda: np.stack([layer.base[:, slot.columns] for layer in layers], axis=1))

    def parts(self, slot: Slot) -> Numbers:
        """Return the parts of all splits in a slot: places × parts × columns."""
        parts = [part for split in self.splits for part in split.parts]
        if not parts:
            return np.zeros((self.places, 0, len(slot.columns)))
        return self._once("parts", slot, lambda: np.stack([part[:, slot.columns] for part in parts], axis=1))

    def beside(self, wider: Flags, widest: Flags) -> Series:
        """Return the series with what is hidden of questions that more people answered, which is hidden here too."""
        return replace(self, held=self.held | self._fitted(wider), widest=self._fitted(widest))

    def _fitted(self, hidden: Flags) -> Flags:
        """Return what is hidden of other places with as many names: those without one are not the same."""
        found = np.zeros(self.held.shape, dtype=bool)
        named = int((~self.unnamed).sum())
        found[:named] = hidden[:named]
        return found
