"""Rewards of curation in a data file."""

import dataclasses
from pathlib import Path

import numpy as np

from fastcollapse.config.fields import ValidationErrors, show
from fastcollapse.config.sampling import MAX_REWARD, Sampling
from fastcollapse.datasets.arrays import read_array
from fastcollapse.datasets.data_files import DataFiles

_KEY = "sampling.best_of.reward"


def load_rewards(sampling: Sampling | None, base: Path | None = None) -> tuple[Sampling | None, dict[str, str]]:
    """Return maps whose rewards are numbers or "rank", and the SHA-256 of the file that they were read from.

    Parameters
    ----------
    sampling : maps, or None.
    base : folder of the experiment file, which is also searched for the file.

    Raises
    ------
    InputError
        The file cannot be read, or is no list of numbers from -700 to 700.
    """
    if sampling is None or sampling.best_of is None or not sampling.files:
        return sampling, {}
    files, (path,) = DataFiles(base), sampling.files
    rewards = read_array(path, files, _KEY)
    if rewards.size != max(rewards.shape):
        raise ValidationErrors([(_KEY, f"must have one number for each symbol, got {rewards.shape} in {show(path)}")])
    over = np.abs(rewards) > MAX_REWARD
    if over.any():
        got = f"got {rewards[over][0]:g} in {show(path)}"
        raise ValidationErrors([(_KEY, f"must be from {-MAX_REWARD:g} to {MAX_REWARD:g}, {got}")])
    return with_rewards(sampling, rewards.ravel()), files.hashes


def with_rewards(sampling: Sampling, rewards: np.ndarray) -> Sampling:
    """Return maps with the rewards in place of their file: float64 (K)."""
    assert sampling.best_of is not None
    return dataclasses.replace(sampling, best_of=dataclasses.replace(sampling.best_of, reward=rewards))
