"""The truth that a run starts from."""

from pathlib import Path
from typing import Any

from fastcollapse.config.sections import TruthSection


def load_truth(section: TruthSection, base: Path | None = None) -> Any:
    """Return the truth that a `[truth]` section describes: a `CategoricalDistribution` for a discrete model.

    Parameters
    ----------
    section
        Section of an experiment, already checked.
    base
        Folder of the experiment file, where data files are looked for too.

    Raises
    ------
    InputError
        A data file is missing, empty, binary or damaged, or does not hold what the section needs.

    Examples
    --------
    >>> from fastcollapse import Experiment
    >>> experiment = Experiment.from_mapping({
    ...     "truth": {"zipf_mandelbrot": {"a": 1, "b": 1, "size": 2}},
    ...     "workflow": {"name": "replace", "n_samples": 1},
    ...     "run": {"n_generations": 1, "n_replicates": 1}})
    >>> load_truth(experiment.truth).probabilities
    array([0.6, 0.4])
    """
    return section.load(base)
