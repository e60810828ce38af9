"""Random schemas and random tables that are hard on a validator, each made from a seed."""

from __future__ import annotations

import contextlib
import random
from dataclasses import dataclass, field
from typing import Any

from frictionless import Field

COMMON = [
    "", "NA", "-", "x", "a", "b", "é", "œuf", "Été", " ", " a", "a ", "1", "0", "7", "12", "-3", "+3", "007", "1_0", "1.5", "1,5", "-0", "-0.0",
    "1e3", "1 234", "1\u00a0234", "1\u202f234", "1234567890123456", "99999999999999999999", "0.1", "0.30", ".5", "5.", "--1", "1-2", "nan",
    "NaN", "inf", "-inf", "Infinity", "٣", "１２", "²", "\u00a0", "\u200b", "true", "True", "false", "oui", "non", "None", "null", "\0", "a\u2028b",
    "1\u2003", "10", "9.99", "100%", "€5", "12 €",
]  # fmt: skip
BY_TYPE = {
    "date": ["2023-01-05", "2023-1-5", "05/03/2023", "5/3/2023", "2023-02-30", "0001-01-01", "9999-12-31", "20230105", "２０２３-01-01", "2020-02-29"],
    "datetime": ["2023-01-05T10:00:00", "2023-01-05T10:00:00Z", "2023-01-05T10:00:00+02:00", "2023-01-05 10:00:00", "2023-01-05T10:00", "2023-01-05T24:00:00", "2023-01-05T10:00:00.123456"],
    "time": ["10:00:00", "10:00:00Z", "24:00:00", "10:00", "23:59:60", "10:00:00.5"],
    "year": ["2023", "0001", "-001", "12345", "２０２３", " 202", "+202", "1_23"],
    "yearmonth": ["2023-01", "2023-13", "2023-1", "٢٠٢٣-01", "1-1", "-1-2"],
    "duration": ["P1Y", "P1D", "PT1H", "P", "P1Y2M3DT4H", "-P1D", "PT36H", "P1.5D"],
    "geopoint": ["1,2", "1, 2", "181,0", "90,90.5", "1,2,3", "[1,2]", '{"lon": 1, "lat": 2}', "nan,1", "1.50,2"],
    "geojson": ['{"type": "Point", "coordinates": [1, 2]}', "{}", '{"type": "Nope"}', "[1]"],
    "object": ["{}", '{"a": 1}', '{"b": [1, null]}', "[]", "1"],
    "array": ["[]", "[1, 2]", '["a"]', "{}", "[NaN]"],
    "list": ["a,b", "1,2", "1,a", "a;b", "true,false"],
    "boolean": ["true", "false", "TRUE", "1", "0", "oui", "non", "yes", "tRUE"],
    "string": ["ab", "abc", "AB12", "ABC123", "a|b", "a\nb", "a.b", "me@x.fr", "http://x.fr/é", "x:", "YWJj", "POINT (1 2)", "é" * 4, "A1", "B", "C-7"],
    "integer": ["1", "2", "3", "15", "999999999999999", "9223372036854775807", "9223372036854775808", "12%", "-12", "4.0"],
    "number": ["1.25", "3,5", "1.000,5", "1,000.5", "3.10", "0.1", "0.10", "1e-3", "12%", "1e400", "123456789.123456"],
    "any": ["1", "a"],
}  # fmt: skip
FORMATS = {
    "string": ["default"] * 6 + ["email", "uri", "binary", "uuid", "wkt"],
    "date": ["default", "default", "%d/%m/%Y", "any"],
    "datetime": ["default", "default", "%Y-%m-%d %H:%M:%S", "any"],
    "time": ["default", "default", "%H:%M"],
    "geopoint": ["default", "array", "object"],
    "geojson": ["default", "topojson"],
}
PATTERNS = [
    "[A-Z]{2}\\d{2}", "a|b", "\\d+", "[a-z]*", "A", ".*", "[^a]+", "\\w+", "(a|b)?c?", "[A-Z][0-9]", "^a$", "a.b", "\\s", "(?i)AB", "[éa]+", "a{,2}", "\\D+", "a$|b", "[A-Z]{1,3}-?\\d", "x\\b", "([a-z]+)*\\d?", "(\\w+ ?)+",
]  # fmt: skip
V2 = "https://datapackage.org/profiles/2.0/tableschema.json"
V2_RESOURCE = "https://datapackage.org/profiles/2.0/dataresource.json"
FATAL = {"NaN", "nan"}  # some of which make frictionless itself fail
BOUNDS = {
    "integer": [0, 3, "12", 1000000000000000, -5],
    "number": [0, 1.5, "0.1", 3, "1e3", 0.3],
    "date": ["2023-01-05", "2020-02-29"],
    "datetime": ["2023-01-05T10:00:00"],
    "time": ["10:00:00"],
    "year": [2000, "2023"],
    "yearmonth": ["2023-01"],
}
TYPES = ["string"] * 5 + ["integer"] * 4 + ["number"] * 4 + ["boolean", "date", "date", "datetime", "time", "year", "yearmonth", "duration", "geopoint", "geojson", "object", "array", "list", "any"]  # fmt: skip
NAMES = ["id", "Nom", "valeur", "date", "x", "é"]


@dataclass
class Case:
    """One table and its schema, as the engine and frictionless are both given them."""

    rows: list[list[str]]
    schema: dict[str, Any]
    content: bytes = b""
    dialect: dict[str, Any] = field(default_factory=dict)
    encoding: str = "utf-8"
    references: dict[str, list[list[Any]]] = field(default_factory=dict)
    block_rows: int | None = None


def make_case(seed: int) -> Case:
    """Make the case of a seed."""
    chance = random.Random(seed)
    schema, pools = _schema(chance)
    if chance.random() < 0.5:
        pools = [_mostly_valid(item, pool) for item, pool in zip(schema["fields"], pools, strict=True)]
    references = _foreign_key(chance, schema)
    header = _header(chance, [item["name"] for item in schema["fields"]])
    size = chance.choice([0, 1, 2, 3, 5, 8, 13, 30, 30, 120])
    rows = [_row(chance, pools) for _ in range(size)]
    for index, row in enumerate(rows):
        if index and chance.random() < 0.1:
            rows[index] = list(chance.choice(rows[:index]))
        if chance.random() < 0.05:
            rows[index] = (
                row[: chance.randrange(len(row))]
                if chance.random() < 0.5
                else [*row, "extra", ""][: len(row) + chance.randint(1, 2)]
            )
    case = Case([header, *rows], schema, references=references, block_rows=chance.choice([None, 1, 2, 3, 7]))
    _write(chance, case)
    return case


def _schema(chance: random.Random) -> tuple[dict[str, Any], list[list[str]]]:
    fields, pools = [], []
    for name in chance.sample(NAMES, chance.randint(1, 5)):
        item = _field(chance, name)
        own = BY_TYPE.get(item["type"], [])
        pool = chance.sample(own, min(len(own), chance.randint(1, 6)))
        if chance.random() < 0.6:
            pool += chance.sample(COMMON, chance.randint(0, 6))
        if item["type"] in {"integer", "number"} and chance.random() < 0.5:
            pool += [str(chance.randint(-50, 3000)) for _ in range(50)]
        if item["type"] in {"string", "any"} and chance.random() < 0.4:
            pool += [f"{chance.choice('ABC')}{chance.choice('XYZ')}{number:02d}" for number in range(60)]
        if item["type"] == "number" and chance.random() < 0.5:
            pool += [f"{chance.randint(0, 99)}{chance.choice('.,')}{chance.randint(0, 999)}" for _ in range(40)]
        fields.append(item)
        pools.append(pool)
    schema: dict[str, Any] = {"fields": fields}
    if any(name.startswith("exclusive") for item in fields for name in item.get("constraints", {})):
        schema["$schema"] = V2  # a resource of version 1 refuses it
    if chance.random() < 0.4:
        schema["missingValues"] = chance.choice([["", "NA"], ["NA", "-"], [], ["", "0"], ["None"], [" "]])
    if chance.random() < 0.35:
        schema["primaryKey"] = chance.sample([item["name"] for item in fields], chance.randint(1, min(2, len(fields))))
    if chance.random() < 0.25:
        schema["fieldsMatch"] = chance.choice(["exact", "equal", "subset", "superset", "partial"])
    if chance.random() < 0.3:
        _as_version_2(chance, schema)
    return schema, pools


def _as_version_2(chance: random.Random, schema: dict[str, Any]) -> None:
    """Say what only Data Package v2 can: missing values with labels, categories, bounds that are excluded."""
    schema["$schema"] = V2
    for owner in (schema, *schema["fields"]):
        if owner.get("missingValues") and chance.random() < 0.7:
            owner["missingValues"] = [
                {"value": value, "label": f"absence {place}"} if chance.random() < 0.7 else {"value": value}
                for place, value in enumerate(owner["missingValues"])
            ]
    for item in schema["fields"]:
        if item["type"] in {"string", "integer"} and chance.random() < 0.3:
            values = chance.sample(BY_TYPE[item["type"]], 2)
            item["categories"] = values if chance.random() < 0.5 else [{"value": values[0], "label": "premier"}]
            item["categoriesOrdered"] = chance.random() < 0.5
        if item["type"] in BOUNDS and chance.random() < 0.3:
            bound = chance.choice(["exclusiveMinimum", "exclusiveMaximum"])
            item.setdefault("constraints", {})[bound] = chance.choice(BOUNDS[item["type"]])


def _mostly_valid(item: dict[str, Any], pool: list[str]) -> list[str]:
    """Keep what frictionless accepts, if anything; a few cells of every table come from elsewhere anyway."""
    good = []
    with contextlib.suppress(Exception):
        reader = Field.from_descriptor(item).create_cell_reader()
        good = [text for text in pool if text not in FATAL and not reader(text)[1]]
    return good or pool


def _field(chance: random.Random, name: str) -> dict[str, Any]:
    kind = chance.choice(TYPES)
    item: dict[str, Any] = {"name": name, "type": kind}
    if kind in FORMATS and chance.random() < 0.6:
        item["format"] = chance.choice(FORMATS[kind])
    if chance.random() < 0.2:
        item["missingValues"] = chance.choice([["NA"], ["", "-"], [], ["1", ""], ["x"]])
    if kind == "number":
        for key, values in {
            "decimalChar": [",", ".", "a", ""],
            "groupChar": [" ", ",", ".", "\u00a0", ""],
            "floatNumber": [True],
            "bareNumber": [False, True],
        }.items():
            if chance.random() < 0.3:
                item[key] = chance.choice(values)
    if kind == "integer" and chance.random() < 0.2:
        item["bareNumber"] = False
    if kind == "boolean" and chance.random() < 0.4:
        item |= {"trueValues": ["oui", "1"], "falseValues": ["non", ""]}
    if kind == "list" and chance.random() < 0.5:
        item |= {"itemType": chance.choice(["integer", "boolean", "string"]), "delimiter": chance.choice([",", ";"])}
    if kind == "array" and chance.random() < 0.3:
        item["arrayItem"] = {"type": "integer", "constraints": {"minimum": 2}}
    constraints = _constraints(chance, kind, item)
    if constraints:
        item["constraints"] = constraints
    return item


def _constraints(chance: random.Random, kind: str, item: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    if chance.random() < 0.3:
        result["required"] = chance.random() < 0.8
    if chance.random() < (0.05 if kind in {"object", "array", "list", "geojson"} else 0.25):
        result["unique"] = True
    if kind == "string" and chance.random() < 0.35:
        result["pattern"] = chance.choice(PATTERNS)
    if kind in {"string", "list", "array", "object"} and chance.random() < 0.2:
        result[chance.choice(["minLength", "maxLength"])] = chance.randint(0, 4)
    if kind in BOUNDS and chance.random() < 0.35:
        result[chance.choice(["minimum", "maximum"] * 40 + ["exclusiveMinimum", "exclusiveMaximum"])] = chance.choice(
            BOUNDS[kind]
        )
    if kind not in {"list"} and chance.random() < 0.12:
        result["enum"] = chance.sample(BY_TYPE[kind], min(3, len(BY_TYPE[kind])))
    return result


def _foreign_key(chance: random.Random, schema: dict[str, Any]) -> dict[str, list[list[Any]]]:
    fields = [item for item in schema["fields"] if item["type"] in BY_TYPE]
    if chance.random() > 0.2:
        return {}
    chosen = chance.sample(fields, min(len(fields), chance.choice([1, 1, 2])))
    columns = [f"k{index}" for index in range(len(chosen))]
    resource = "" if chance.random() < 0.1 else "lieux"
    names = [item["name"] for item in chosen]
    schema["foreignKeys"] = [
        {"fields": names, "reference": {"resource": resource, "fields": columns if resource else names}}
    ]
    rows = [[chance.choice(BY_TYPE[item["type"]] + ["1", "a"]) for item in chosen] for _ in range(6)]
    return {"lieux": [columns, *rows]}


def _header(chance: random.Random, names: list[str]) -> list[str]:
    header = list(names)
    for _ in range(chance.choice([0, 0, 0, 0, 1, 2])):
        place = chance.randrange(len(header)) if header else 0
        change = chance.randrange(7)
        if change == 0 and header:
            header[place] = ""
        elif change == 1 and header:
            header[place] = chance.choice(names)
        elif change == 2:
            header.append(chance.choice(["extra", "x", ""]))
        elif change == 3 and len(header) > 1:
            del header[place]
        elif change == 4 and header:
            header[place] = header[place].upper()
        elif change == 5 and header:
            header[place] = f" {header[place]} "
        else:
            chance.shuffle(header)
    return header


def _row(chance: random.Random, pools: list[list[str]]) -> list[str]:
    if chance.random() < 0.03:
        return [chance.choice(["", "", "NA"])] * len(pools)
    return [chance.choice(pool) if pool and chance.random() < 0.93 else chance.choice(COMMON) for pool in pools]


def _write(chance: random.Random, case: Case) -> None:
    """Write the table as text, in a dialect, more or less well."""
    delimiter = chance.choice([";", ";", ",", "\t", "|"])
    dialect: dict[str, Any] = {"delimiter": delimiter}
    quote = '"'
    for key, values, likely in [
        ("quoteChar", ["'", '"', "«"], 0.08), ("escapeChar", ["\\"], 0.06), ("doubleQuote", [False], 0.05), ("skipInitialSpace", [True], 0.06),
        ("nullSequence", ["\\N"], 0.04), ("headerCase", [False], 0.15), ("commentChar", ["#", "a"], 0.1), ("commentRows", [[3], [2, 5]], 0.06),
        ("skipBlankRows", [True], 0.08), ("headerRows", [[1], [2], [1, 2], []], 0.25), ("header", [True, False], 0.1),
    ]:  # fmt: skip
        if chance.random() < likely:
            dialect[key] = chance.choice(values)
    quote = dialect.get("quoteChar", quote)
    ends = chance.choice([["\n"], ["\r\n"], ["\r"], ["\n", "\r\n", "\r"], ["\n"]])
    wild = chance.random() < 0.25
    lines = []
    for row in case.rows:
        cells = [_cell(chance, cell, delimiter, quote, wild) for cell in row]
        if chance.random() < 0.05 and cells:
            cells[0] = f"\ufeff{cells[0]}"  # a mark where no text starts: a character like others
        lines.append(delimiter.join(cells) + chance.choice(ends))
        if chance.random() < 0.04:
            lines.append(chance.choice(["", "", " ", "#c", delimiter]) + chance.choice(ends))
    text = "".join(lines)
    if chance.random() < 0.3:
        text = text.rstrip("\r\n")
    if chance.random() < 0.05:
        text = f"{chance.choice(['titre', '#x', ''])}\n" + text
    case.encoding = chance.choice(["utf-8"] * 8 + ["cp1252", "latin-1", "utf-16"])
    case.content = text.encode(case.encoding, "replace")
    if case.encoding == "utf-8" and chance.random() < 0.1:
        case.content = b"\xef\xbb\xbf" + case.content
    if chance.random() < 0.03 and case.content:
        place = chance.randrange(len(case.content))
        case.content = case.content[:place] + b"\xe9\x81" + case.content[place:]
    case.dialect = {} if chance.random() < 0.1 else dialect


def _cell(chance: random.Random, cell: str, delimiter: str, quote: str, wild: bool) -> str:
    if wild and chance.random() < 0.15:
        return chance.choice(
            [f"{quote}{cell}", f"{cell}{quote}", f"{quote}{cell}{quote}z", f" {quote}{cell}{quote}", f"{quote}{quote}", f"{quote}a{delimiter}{cell}\r\n{quote}", f"\\{cell}", quote * 3]
        )  # fmt: skip
    if any(mark in cell for mark in (delimiter, quote, "\n", "\r")) or chance.random() < 0.1:
        return quote + cell.replace(quote, quote * 2) + quote
    return cell
