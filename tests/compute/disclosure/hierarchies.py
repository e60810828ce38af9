"""Random published hierarchies for the tests: places below places, periods of a year, several figures of each cell."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array

from pipelines.compute.disclosure.system import Problem

MINIMUM = 11


@dataclass(frozen=True)
class Tree:
    """``parent`` of each place (-1: none), and the number of periods (1: the year alone)."""

    parent: tuple[int, ...]
    periods: int


def random_tree(random: np.random.Generator) -> Tree:
    """One to four régions, one to five départements each, none to four sites each; one to four periods."""
    parent = [-1]
    for _ in range(random.integers(1, 5)):
        region = len(parent)
        parent.append(0)
        for _ in range(random.integers(1, 6)):
            departement = len(parent)
            parent.append(region)
            parent += [departement] * random.integers(0, 5)
    return Tree(tuple(parent), int(random.choice([1, 1, 2, 4])))


def problem_of(tree: Tree, bases: np.ndarray) -> Problem:
    """The problem of a tree whose leaves (place without children, period) have those bases."""
    places = len(tree.parent)
    columns = tree.periods + 1 if tree.periods > 1 else 1
    number = np.arange(places * columns).reshape(places, columns)
    links: list[tuple[int, list[int]]] = []
    children: dict[int, list[int]] = {}
    for place, parent in enumerate(tree.parent):
        if parent >= 0:
            children.setdefault(parent, []).append(place)
    for (parent, below), column in itertools.product(children.items(), range(columns)):
        links.append((number[parent, column], [number[place, column] for place in below]))
    if columns > 1:
        links += [(number[place, -1], list(number[place, :-1])) for place in range(places)]
    quantity = np.zeros((places, columns))
    leaves = [place for place in range(places) if place not in children]
    quantity[leaves, : tree.periods] = bases[: len(leaves) * tree.periods].reshape(len(leaves), tree.periods)
    for place in range(places - 1, 0, -1):
        quantity[tree.parent[place]] += quantity[place]
    if columns > 1:
        quantity[:, -1] = quantity[:, :-1].sum(axis=1)
    return made(links, quantity.ravel())


def made(links: list[tuple[int, list[int]]], quantity: np.ndarray) -> Problem:
    """A problem of counts of persons, one cell per unit."""
    rows = [row for row, (_, parts) in enumerate(links) for _ in range(len(parts) + 1)]
    columns = [cell for total, parts in links for cell in (total, *parts)]
    signs = [sign for _, parts in links for sign in (-1.0, *[1.0] * len(parts))]
    size, ones = len(quantity), np.ones(len(quantity))
    return Problem(
        links=coo_array((signs, (rows, columns)), shape=(len(links), size)).tocsr(),
        tolerance=np.zeros(len(links)),
        quantity=quantity.astype(float),
        unit=np.arange(size),
        primary=(quantity > 0) & (quantity < MINIMUM),
        low_a=ones,
        high_a=ones * (MINIMUM - 1),
        low_d=ones * MINIMUM,
        high_d=ones * np.inf,
        width_a=ones * 5,
        width_d=ones,
        cost=quantity.astype(float),
        open_=quantity > 0,
    )
