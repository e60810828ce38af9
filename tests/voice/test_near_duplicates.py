"""Near-duplicates: a text repeated is one voice, whatever the order; texts that differ stay apart."""

import random

from hypothesis import given
from hypothesis import strategies as st

from pipelines.voice.near_duplicates import grouped

WORDS = ("dossier", "agent", "retraite", "site", "appel", "guichet", "attente", "courrier", "carte", "réponse", "merci")
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=30).map(" ".join), max_size=12)


def near_groups(texts):
    return grouped(texts)[0]


def partition(texts: list[str]) -> set[frozenset[str]]:
    groups: dict[int, set[str]] = {}
    for text, first in zip(texts, near_groups(texts).tolist(), strict=True):
        groups.setdefault(first, set()).add(text)
    return {frozenset(group) for group in groups.values()}


def sentence(seed: int, words: int = 60) -> list[str]:
    source = random.Random(seed)
    return ["".join(source.choices("abcdefghijklmnop", k=source.randint(3, 9))) for _ in range(words)]


@given(TEXTS, st.randoms())
def test_the_order_of_texts_changes_nothing(texts, source):
    mixed = list(texts)
    source.shuffle(mixed)
    assert partition(texts) == partition(mixed)


@given(TEXTS.filter(bool), st.integers(1, 4))
def test_a_text_repeated_is_one_voice(texts, times):
    groups = near_groups([*texts, *[texts[0].upper() + " !"] * times]).tolist()
    assert len(set(groups)) == len(set(near_groups(texts).tolist()))
    assert set(groups[-times:]) == {groups[0]}


def test_a_few_words_changed_is_the_same_voice():
    for seed in range(40):
        words = sentence(seed)
        other = [*words[:20], "changement", *words[21:], "Merci."]
        assert near_groups([" ".join(words), " ".join(other)]).tolist() == [0, 0]


def test_texts_that_share_little_are_apart():
    words = [sentence(seed) for seed in range(60)]
    half = [[*words[0][:30], *sentence(99, 30)]]
    texts = [" ".join(one) for one in [*words, *half]]
    assert near_groups(texts).tolist() == list(range(61))


def test_groups_of_thousands_of_copies_are_one():
    words = sentence(5)
    copies = [" ".join([*words, *sentence(seed, 2)]) for seed in range(3000)]
    assert len(set(near_groups(copies).tolist())) == 1


def test_no_text_and_empty_texts():
    assert near_groups([]).tolist() == []
    assert near_groups(["", "a", ""]).tolist() == [0, 1, 0]
