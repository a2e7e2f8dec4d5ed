"""Loading of the truth of a run."""

from pathlib import Path
from typing import Any

from fastcollapse.config.fields import show
from fastcollapse.config.sections import TruthSection
from fastcollapse.errors import InputError


def load_truth(section: TruthSection, base: Path | None = None) -> Any:
    """Return the truth that a `[truth]` section describes.

    That of a discrete model is a `CategoricalDistribution`, or, without an array over its symbols, a `CountSpectrum`
    for counts of counts and a `ZipfMandelbrotLaw`. All of them have `probabilities`. A text that is
    read as sentences is a `Sentences`.

    Parameters
    ----------
    section : the checked section of an experiment.
    base : folder of the experiment file, which is also searched for data files.

    Raises
    ------
    InputError
        A data file is missing, empty, binary or damaged, or lacks data that the section needs.

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
    if not isinstance(section, TruthSection):
        raise InputError(f"load_truth takes a section, such as experiment.truth, got {show(section)}")
    return section.load(base)
