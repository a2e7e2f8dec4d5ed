"""Parameters of the n-gram family."""

import pytest

from fastcollapse.errors import InputError
from fastcollapse.models.ngram.parameters import NgramParameters


def test_parameters__default_to_walks_of_sentences():
    made = NgramParameters(order=3)
    assert (made.totals, made.budget, made.is_fixed, made.by_words) == ("walk", "sentences", False, False)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"order": 0}, "model.order must be at least 2, got 0"),
        ({"order": 1}, "model.order must be at least 2 (the family discrete has order 1), got 1"),
        ({"order": 65}, "model.order must be at most 64, got 65"),
        ({"order": 2, "totals": "fix"}, "model.totals must be one of walk, fixed, got 'fix'"),
        (
            {"order": 2, "totals": "fixed", "budget": "words"},
            "model.budget must be absent with model.totals = 'fixed', got 'words'",
        ),
    ],
)
def test_parameters__are_refused_by_their_key(keys, message):
    with pytest.raises(InputError) as caught:
        NgramParameters(**keys)
    assert message in str(caught.value)
