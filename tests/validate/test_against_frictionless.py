"""The judge is frictionless: the same errors as a plain run over the same CSV, for random tables."""

from __future__ import annotations

import csv
import io

import frictionless
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.compile.exports import export_schema
from pipelines.declarations import Export, Layout
from pipelines.mechanics.opened_files import Cells
from pipelines.read import read_cells
from pipelines.validate import FileContext, validate_file

FIELDS = [
    {"name": "code", "constraints": {"required": True, "pattern": "[A-C][0-9]"}},
    {"name": "nombre", "type": "number", "decimalChar": ",", "groupChar": " ", "constraints": {"minimum": 0}},
    {"name": "entier", "type": "integer", "missingValues": ["", "ns"], "constraints": {"maximum": 10}},
    {"name": "jour", "type": "date", "format": "%d/%m/%Y"},
    {"name": "oui", "type": "boolean", "trueValues": ["oui"], "falseValues": ["non"]},
    {"name": "libre", "constraints": {"unique": True, "maxLength": 4, "enum": ["a", "bé", "trop long", "c;\nd"]}},
    {"name": "an", "type": "year"},
]
NAMES = [field["name"] for field in FIELDS]
DECLARED = {
    "id": "essai",
    "kind": "values",
    "title": "Essai",
    "fields": FIELDS,
    "key": ["code", "entier"],
    "level": "national",
    "layouts": [{"years": 2024, "path": "{year}.csv", "delimiter": ";", "encoding": "utf-8"}],
}
CELLS = st.sampled_from(
    ["", " ", "ns", "A1", "A2", "B1", "Z9", "1", "-1", "11", "1,5", "1.5", "1 000,5", "+3", "1_0", "01/02/2024",
     "2024-02-01", "oui", "non", "true", "a", "bé", "trop long", "c;\nd", "2024", "99999", '"', "None"]
)  # fmt: skip
LIKELY = st.tuples(
    st.sampled_from(["A1", "A2", "B1", ""]),
    st.sampled_from(["1", "1,5", "-1", ""]),
    st.sampled_from(["1", "2", "ns", "11"]),
    st.sampled_from(["01/02/2024", ""]),
    st.sampled_from(["oui", "non", ""]),
    st.sampled_from(["a", "bé", ""]),
    st.sampled_from(["2024", ""]),
).map(list)
TABLES = st.lists(st.one_of(LIKELY, st.lists(CELLS, max_size=9)), max_size=10)
KEY_RULES = {"primary-key", "cle-vide"}  # ours names the columns of the key, and says apart that it is empty
BOTH = {"type-error", "constraint-error", "missing-cell", "extra-cell", "blank-row", "primary-key", "unique-error"}


def plain(content, schema):
    control = frictionless.formats.CsvControl(
        delimiter=";", quote_char='"', double_quote=True, skip_initial_space=False, line_terminator="\r\n"
    )  # whatever is not declared would be guessed from the file
    resource = frictionless.Resource(
        data=content,
        format="csv",
        encoding="utf-8",
        dialect=frictionless.Dialect(header_rows=[1], controls=[control]),
        schema=frictionless.Schema.from_descriptor(schema),
    )
    report = frictionless.validate(resource, limit_errors=100_000)
    found = report.flatten(["type", "rowNumber", "fieldName"])
    return [(kind, row, field or "") for kind, row, field in found]


@settings(max_examples=100)
@given(table=TABLES)
def test_the_errors_are_those_of_a_plain_run(catalogue, table):
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=";").writerows([NAMES, *table])
    content = stream.getvalue().encode()
    export = Export.model_validate(DECLARED)
    layout = Layout.model_validate(DECLARED["layouts"][0])
    cells = read_cells(content, "2024.csv", layout)
    table = Cells(cells.header, cells.rows, cells.first_row)
    judged = validate_file(table, FileContext(export, layout, catalogue.territories, "x", 2024))
    ours = [
        ("primary-key", item.row, "") if item.rule in KEY_RULES else (item.rule, item.row, item.column)
        for item in judged.findings
    ]
    assert {rule for rule, _, _ in ours} <= BOTH
    theirs = plain(content, export_schema(export, layout))
    blank = {row for kind, row, _ in theirs if kind == "blank-row"}  # ours is told once, and not at the end of the file
    last = 1 + max((place for place, row in enumerate(cells.rows, start=1) if any(map(str.strip, row))), default=0)
    # A row that holds a cell too many is not called empty.
    held = {row for row in blank if row <= last and any(map(str.strip, cells.rows[row - 2][len(cells.header) :]))}
    told = [("extra-cell", row, "") if row in held and kind == "blank-row" else (kind, row, column)
            for kind, row, column in theirs]  # fmt: skip
    assert ours == [item for item in told if item[1] <= last and (item[0] != "primary-key" or item[1] not in blank)]
