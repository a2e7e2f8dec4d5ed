"""Title of a figure, and the line below it that says what differs from a recipe."""

from collections.abc import Sequence

from fastcollapse.analysis.panels.published import recipe_words
from fastcollapse.analysis.panels.registry import panels_for
from fastcollapse.analysis.words import escaped, source_words, value_words
from fastcollapse.simulation.recorded_run import RecordedRun

# The most letters of a title; what is longer is in the caption alone.
_MOST_LETTERS = 60


def title_of(cases: Sequence[RecordedRun]) -> str:
    """Return the message of a figure: the title of the recipe, or what was run."""
    words = recipe_words(cases)
    if words is not None:
        return words.title
    experiments = [one.experiment for one in cases]
    families = dict.fromkeys(value_words("model.family", experiment.family) for experiment in experiments)
    what = f"Recursive training, {' and '.join(families)} model{'s'[: len(families) > 1]}"
    truths = truths_of(cases)
    whole = f"{what}, {escaped(truths[0])}"
    return whole if len(truths) == 1 and len(whole) <= _MOST_LETTERS else what


def truths_of(cases: Sequence[RecordedRun]) -> list[str]:
    """Return the different truths of runs in words."""
    return list(dict.fromkeys(panels_for(one).describe_truth(one) for one in cases))


def remark_of(cases: Sequence[RecordedRun]) -> str:
    """Return the source and the changes of runs that differ from their recipe, "" for others."""
    words = recipe_words(cases)
    return source_words(words) if words is not None and words.changes else ""
