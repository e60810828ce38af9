"""Personal details out of texts: the examples of each rule, check digits, and what no rule may do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.voice.identifier_checks import iban_holds, luhn_holds
from pipelines.voice.lemmas import normalised
from pipelines.voice.masking import RULES, mask_all, masked

MUST = [pytest.param(rule, text, id=f"{rule.kind}-{text[:24]}") for rule in RULES for text in rule.masked]
MUST_NOT = [pytest.param(rule, text, id=f"{rule.kind}-{text[:24]}") for rule in RULES for text in rule.kept]
SIGNS = st.text(alphabet=st.sampled_from("abCDé 0123456789.@-/'\n"), max_size=80)


@pytest.mark.parametrize(("rule", "text"), MUST)
def test_a_rule_masks_its_examples(rule, text):
    told, counts = masked(text)
    assert counts.total() >= 1 and told != text
    assert rule.apply(text)[1] == 1


@pytest.mark.parametrize(("rule", "text"), MUST_NOT)
def test_a_rule_leaves_what_is_like_it(rule, text):
    assert rule.apply(text) == (text, 0)


@pytest.mark.parametrize(
    "text",
    [
        "Composez le 3646 ou le 0 809 40 05 50, gratuit.",
        "Écrivez à contact@service-public.fr ou à sip.nimes@dgfip.finances.gouv.fr.",
        "Le 12/03/2021 à 14:30, j'ai payé 1 250 000 euros.",
        "Madame, Monsieur, je remercie la directrice de France Travail.",
        "Cordialement.",
    ],
)
def test_what_is_of_a_service_stays(text):
    assert masked(text) == (text, {})


def test_check_digits():
    assert iban_holds("FR76 3000 6000 0112 3456 7890 189") and not iban_holds("FR76 3000 6000 0112 3456 7890 188")
    assert luhn_holds("4970100000000055") and not luhn_holds("4970100000000056")


@given(st.lists(SIGNS, max_size=4))
def test_masking_texts_together_is_masking_each(texts):
    together, counts = mask_all([normalised(text) for text in texts])
    alone = [masked(normalised(text)) for text in texts]
    assert together == [text for text, _ in alone]
    assert counts.total() == sum(found.total() for _, found in alone)


@given(
    before=SIGNS, after=SIGNS, digits=st.lists(st.integers(0, 99), min_size=4, max_size=4), sep=st.sampled_from(" .-")
)
def test_a_mobile_number_never_stays(before, after, digits, sep):
    number = sep.join(["06", *(f"{pair:02d}" for pair in digits)])
    told, _ = masked(normalised(f"{before} tel : {number} ; {after}"))
    assert number not in told
