"""Experiments of version 0.1, which had one rule for the words of a text and no key for it."""

from fastcollapse.models.registry import DEFAULT_FAMILY
from fastcollapse.simulation.experiment import Experiment

_TOKEN_PATTERN = r"\w+"


def as_version_0_1(experiment: Experiment) -> Experiment:
    """Return the experiment that version 0.1 ran: `truth.token_pattern` of a text is its rule, if it is absent.

    Results files of version 0.1 are those without `inputs`; see FORMAT.md.

    Examples
    --------
    >>> experiment = Experiment.from_mapping({
    ...     "truth": {"text": "data/wikitext2_sample.txt.gz"},
    ...     "workflow": {"name": "replace", "n_samples": "truth"},
    ...     "run": {"n_generations": 5, "n_replicates": 2}})
    >>> as_version_0_1(experiment).truth.token_pattern
    '\\\\w+'
    """
    truth = experiment.to_mapping()["truth"]
    if experiment.family != DEFAULT_FAMILY or "text" not in truth or "token_pattern" in truth:
        return experiment
    return experiment.with_values({"truth.token_pattern": _TOKEN_PATTERN})
