"""How much masking finds of details put into texts, and how much it takes from texts that hold none.

On the real texts where they are; on those of the samples elsewhere. The figures are those of docs/voix-des-usagers.md.
"""

import csv
import gzip
import re
from pathlib import Path
from random import Random

import pytest

from pipelines.voice.lemmas import normalised
from pipelines.voice.masking import mask_all
from tests.voice.planted import NAMES, STRUCTURED, bare, left_in, planted
from tests.voice.varied_details import FORMS, NAMES_ALONE, varied

PROJECT = Path(__file__).resolve().parents[2]
REAL = PROJECT.parent / "shared" / "real" / "experiences-2022" / "spplus-experiences-2022-annotees.csv.gz"
EACH = 1200  # details of a kind: 20 contexts × 3 letter cases × 20
RECALL = {**dict.fromkeys(STRUCTURED, 0.995), **dict.fromkeys(NAMES, 0.95)}


@pytest.fixture(scope="module")
def texts() -> list[str]:
    if REAL.exists():
        with gzip.open(REAL, "rt", encoding="utf-8", newline="") as file:
            return [normalised(f"{row['titre']}\n{row['description']}") for row in csv.DictReader(file)]
    with (PROJECT / "data/samples/experiences/experiences-2023.csv").open(encoding="utf-8", newline="") as file:
        return [normalised(f"{row['Titre']}\n{row['Description']}") for row in csv.DictReader(file, delimiter=";")]


@pytest.mark.parametrize("kind", RECALL)
def test_details_put_into_texts_are_found(kind, texts):
    source = Random(kind)
    details = list(planted(kind, EACH))
    with_them = []
    for detail in details:
        sentences = re.split(r"(?<=[.!?\n])\s+", source.choice(texts))
        sentences.insert(source.randint(0, len(sentences)), detail.written)
        with_them.append(normalised(" ".join(sentences)))
    assert all(left_in(text, detail) for text, detail in zip(with_them, details, strict=True))
    told, _ = mask_all(with_them)
    missed = [detail.written for text, detail in zip(told, details, strict=True) if left_in(text, detail)]
    print(kind, 1 - len(missed) / EACH, missed[:8])
    assert len(missed) <= (1 - RECALL[kind]) * EACH, missed[:20]


def missed_of(forms, each: int, kind: str) -> tuple[int, list[str]]:
    """How many details were written in these forms, and what was masked of those that can still be read."""
    written = list(varied(forms, each, kind))
    told, _ = mask_all([normalised(text) for text, _ in written])
    texts = zip(told, written, strict=True)
    return len(written), [text for text, (_, secrets) in texts if any(bare(one) in bare(text) for one in secrets)]


@pytest.mark.parametrize("kind", FORMS)
def test_details_written_in_many_ways_are_found(kind):
    count, missed = missed_of(FORMS[kind], 12, kind)
    assert len(missed) <= (0.05 if kind in NAMES else 0.005) * count, missed[:20]


def test_names_that_nothing_but_a_list_tells_are_found():
    count, missed = missed_of(NAMES_ALONE, 12, "seuls")
    assert len(missed) <= 0.05 * count, missed[:20]


def test_untouched_texts_are_left(texts):
    """All that is masked in them, right or wrong, is under 2 % of texts; read one by one, half of it is wrong."""
    told, _ = mask_all(texts)
    changed = sum(text != masked for text, masked in zip(texts, told, strict=True))
    assert changed / len(texts) < 0.02
