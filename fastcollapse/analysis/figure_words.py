"""Title of a figure, and the line below it that says what differs from a recipe."""

from collections.abc import Sequence

from fastcollapse.analysis.panels.published import recipe_words
from fastcollapse.analysis.panels.registry import panels_for
from fastcollapse.analysis.words import escaped, source_words, value_words
from fastcollapse.simulation.recorded_run import RecordedRun


def title_of(cases: Sequence[RecordedRun]) -> str:
    """Return the message of a figure: the title of the recipe, or what was run."""
    words = recipe_words(cases)
    if words is not None:
        return words.title
    experiments = [one.experiment for one in cases]
    families = dict.fromkeys(value_words("model.family", experiment.family) for experiment in experiments)
    what = f"Recursive training, {' and '.join(families)} model{'s'[: len(families) > 1]}"
    truths = dict.fromkeys(escaped(panels_for(one).describe_truth(one)) for one in cases)
    if len(truths) > 1:
        return what
    return f"{what}, {next(iter(truths))}"


def remark_of(cases: Sequence[RecordedRun]) -> str:
    """Return the source and the changes of runs that differ from their recipe, "" for others."""
    words = recipe_words(cases)
    return source_words(words) if words is not None and words.changes else ""
