"""Streams of blocks to streams of judged blocks, an opened table of frictionless's judging what is doubtful.

Opening tables and choosing the way they are judged belongs to the engine's door.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.tabular.blocks import BlockJudge, Content
from pipelines.tabular.keys import ForeignKey, Keys
from pipelines.tabular.opening import expected_fields, key_fields, open_resource, without_keys
from pipelines.tabular.rows import Judges, RowJudge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from frictionless import Row
    from frictionless.resources import TableResource

    from pipelines.tabular.batches import Kept
    from pipelines.tabular.blocks import JudgedBlock, Judgement
    from pipelines.tabular.columns import Column
    from pipelines.tabular.opening import Source
    from pipelines.tabular.record_pieces import Text
    from pipelines.tabular.tokens import Cells, Tokens

_UNHASHABLE = {"list", "array", "object", "geojson"}


def uncovered(resource: TableResource) -> str:
    """Return why the vectorised way can't judge a table, or nothing when it can."""
    fields = {field.name: field for field in expected_fields(resource)}
    if not fields:
        return "no field"
    keyed = {name for name, field in fields.items() if field.constraints.get("unique")}
    keyed |= {*key_fields(resource), *(name for key in resource.schema.foreign_keys for name in key["fields"])}
    kinds = {fields[name].type for name in keyed if name in fields} & _UNHASHABLE
    return f"a key on values of type {', '.join(sorted(kinds))}" if kinds else ""


def fed_rows(resource: TableResource, stream: Iterator[Tokens]) -> Iterator[Row]:
    """Let frictionless judge every record of a stream."""
    judge = RowJudge(resource)
    for tokens in stream:
        rows = dict(tokens.ragged)
        rows |= {int(number): tokens.cells(place) for place, number in enumerate(tokens.numbers)}
        for number in sorted(rows):
            yield judge.judge(number, rows[number])


def remembered(stream: Iterator[Tokens], kept: Kept) -> Iterator[Tokens]:
    """Keep the blocks of a stream while they pass."""
    for tokens in stream:
        kept.remember(tokens)
        yield tokens


def judged(
    judgement: Judgement,
    resource: TableResource,
    source: Source,
    stream: Iterator[Tokens],
    fetch: Callable[[int], Cells],
    progress: Callable[[int], None] | None,
    text: Text | None = None,
    *,
    content: bool = True,
) -> Iterator[JudgedBlock]:
    """Judge the blocks of a stream; ``content`` says that the dialect tells which records are content."""
    judge, judges = _block_judge(resource, source, fetch)
    judgement.fetch = fetch
    chosen = Content(resource.dialect) if content else None
    with resource:
        for index, tokens in enumerate(stream):
            if index == 1 and text is not None:
                judge.reserve(text.expected())
            last = tokens.first + tokens.count - 1
            if chosen is not None:
                chosen.filter(tokens)
            block = judge.judge(tokens)
            judgement.asked, judgement.confirmed = judge.asked, judges.count
            yield block
            if progress:
                progress(last)


def _block_judge(resource: TableResource, source: Source, fetch: Callable[[int], Cells]) -> tuple[BlockJudge, Judges]:
    """Make the judge of blocks; the opened resource remembers keys, a second one judges cells alone."""
    fields = expected_fields(resource)
    places = {field.name: place for place, field in enumerate(fields)}
    unique = [place for place, field in enumerate(fields) if field.constraints.get("unique")]
    primary = [places[name] for name in key_fields(resource)]
    foreign = [key for key in resource.schema.foreign_keys if set(key["fields"]) <= set(places)]

    def foreign_keys(columns: list[Column]) -> list[ForeignKey]:
        made = []
        for key in foreign:
            chosen = [places[name] for name in key["fields"]]
            known = resource.lookup[key["reference"]["resource"]][tuple(key["reference"]["fields"])]
            made.append(ForeignKey(chosen, [columns[place].oracle for place in chosen], known))
        return made

    if unique or primary or foreign:
        cells = source.resource(fed=True, schema=without_keys(source.schema), data=resource.data)
        open_resource(cells)
        read_first = [fields[place].name for place in [*unique, *primary]]
        judges = Judges(cells, resource, [*read_first, *(name for key in foreign for name in key["fields"])])
    else:
        judges = Judges(resource, None)
    return BlockJudge(fields, Keys(unique, primary), foreign_keys, judges, fetch), judges
