"""Keys of texts, which the discrete and the n-gram family share."""

import pytest

from fastcollapse.config.fields import ValidationErrors
from fastcollapse.config.section_base import build
from fastcollapse.config.text_truth import TextTruth
from fastcollapse.models.discrete.truth import DiscreteTruth
from fastcollapse.models.ngram.truth import NgramTruth
from fastcollapse.simulation.experiment import Experiment


@pytest.mark.parametrize("section", [DiscreteTruth, NgramTruth])
@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"text": 3}, "truth.text must be a string that is not empty, got 3"),
        ({"text": ""}, "truth.text must be a string that is not empty, got ''"),
        ({"text": []}, "truth.text must be a list of at least 1, got []"),
        ({"text": ["a.txt", 3]}, "truth.text[1] must be a string that is not empty, got 3"),
        ({"text": "a", "case": "Lower"}, "truth.case must be one of lower, keep, got 'Lower' (did you mean 'lower'?)"),
        ({"text": "a", "unit": "letter"}, "truth.unit must be one of word, character, got 'letter'"),
        (
            {"text": "a", "unit": "character", "token_pattern": "a"},
            "truth.token_pattern must be given with truth.unit = 'word', got it with 'character'",
        ),
    ],
)
def test_keys__are_checked(section, keys, expected):
    with pytest.raises(ValidationErrors) as caught:
        section(**keys)
    assert str(caught.value).startswith(expected)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("key", TextTruth.text_keys)
def test_keys__of_a_text_need_one(key):
    value = {"token_pattern": "a", "case": "keep", "unit": "character"}[key]
    with pytest.raises(ValidationErrors) as caught:
        DiscreteTruth(uniform=5, **{key: value})
    assert str(caught.value) == f"truth.{key} must be given with truth.text, got it with truth.uniform"


def test_text__is_required_for_sentences():
    with pytest.raises(ValidationErrors, match=r"^truth\.text is required: string, or a list of them$"):
        build(NgramTruth, {})


def test_files__are_the_paths_and_patterns():
    assert NgramTruth(text="a").files == DiscreteTruth(text=["a"]).files == ("a",)
    assert DiscreteTruth(text=["a", "b/*.txt"]).files == ("a", "b/*.txt")
    assert DiscreteTruth(counts="a").files == ("a",)
    assert DiscreteTruth(uniform=3).files == ()


def test_experiment__of_one_text_has_the_same_digest_as_before():
    """Keys that are absent are no part of an experiment."""
    experiment = Experiment.from_mapping({
        "truth": {"text": "a.txt"},
        "workflow": {"name": "replace", "n_samples": "truth"},
        "run": {"n_generations": 5, "n_replicates": 2, "seed": 1},
    })  # fmt: skip
    assert experiment.to_mapping()["truth"] == {"text": "a.txt"}
    assert experiment.digest == "101998faefcaaef78a95aa7c26a44952ccd16373d3e5326d79d1683d379d896e"
    several = experiment.with_values({"truth.text": ["a.txt", "b.txt"]})
    assert several.to_mapping()["truth"] == {"text": ["a.txt", "b.txt"]}
    assert Experiment.from_mapping(several.to_mapping()) == several


def test_keys__of_a_text_go_with_it():
    experiment = Experiment.from_mapping({
        "truth": {"text": "a.txt", "unit": "character", "case": "keep"},
        "workflow": {"name": "replace", "n_samples": 9},
        "run": {"n_generations": 5, "n_replicates": 2},
    })  # fmt: skip
    assert experiment.with_values({"truth.uniform": 5}).truth == DiscreteTruth(uniform=5)
