"""Stages of a discrete run: buffers and read-only inputs of its kernel."""

from typing import NamedTuple

import numpy as np

from fastcollapse.config.kernel_schedule import KernelSchedule, kernel_stages
from fastcollapse.config.schedule import Schedule
from fastcollapse.kernels.counts.best_of import Rewards
from fastcollapse.kernels.counts.count_sums import TruthTable
from fastcollapse.kernels.counts.weight_maps import Maps
from fastcollapse.kernels.counts.workspace import Workspace
from fastcollapse.kernels.random.poisson_table import PoissonTables


class StagedBuffers(NamedTuple):
    """Buffers of the sampler of a run with stages.

    Attributes
    ----------
    drawn, corrections, sums, weight_sums, pool, real : see `SamplingBuffers`, with counts of float64.
    weights : float64 (R K + R), the weights that tokens are drawn from, see `sampling_weights`.
    batches : float64 (R, W, K), the batches of a window; (0, 0, 0) without one. The batch of generation t is in row
        (t - 1) mod W.
    """

    drawn: np.ndarray
    corrections: np.ndarray
    sums: np.ndarray
    weight_sums: np.ndarray
    pool: np.ndarray
    real: np.ndarray
    weights: np.ndarray
    batches: np.ndarray


class Stages(NamedTuple):
    """Weights, shares, window and discount over T generations, index generation - 1.

    Attributes
    ----------
    share : float64 (T), the probability that a token is real; (0) without.
    decay : float64 (T), the weight of older batches relative to the new one; 0.0 drops them.
    scales : float64 (T, 2), the weights of a real token and of a token of the pool in the fit. The first is below 0
        where the real data is a part of the pool.
    is_whole : whether the states are counts; otherwise they are weights that sum to 1.
    is_pooled : whether a generation has real tokens or tokens of earlier batches.
    is_mapped : whether the state is mapped before it is sampled.
    """

    share: np.ndarray
    decay: np.ndarray
    scales: np.ndarray
    is_whole: bool
    is_pooled: bool
    is_mapped: bool


class StagedInputs(NamedTuple):
    """Read-only inputs of a block with stages, and the workspace of the threads."""

    schedule: KernelSchedule
    truth: TruthTable
    starts: np.ndarray
    lengths: np.ndarray
    tables: PoissonTables
    workspace: Workspace
    stages: Stages
    maps: Maps
    rewards: Rewards


def is_weighted(schedule: Schedule) -> bool:
    """Return whether the states of a schedule are weights instead of counts."""
    return schedule.weight is not None or schedule.discount > 0


def stages_of(schedule: Schedule) -> Stages:
    """Return the stages of a schedule for kernels.

    Examples
    --------
    >>> from fastcollapse.config.workflows import Mix
    >>> stages_of(Mix(n_samples=4, n_real=2, real="fresh", weight=0.5).schedule(1, None)).scales
    array([[0.25 , 0.125]])
    """
    stages, weighted = kernel_stages(schedule), is_weighted(schedule)
    n_real, n_pool = schedule.n_real.astype(np.float64), stages.n_pool
    scales = np.ones((schedule.n_generations, 2))
    if weighted:
        weight = n_real / (n_real + n_pool) if schedule.weight is None else stages.weight
        weight = np.where(n_real == 0, 0.0, np.where(n_pool == 0, 1.0, weight))
        scales[:, 0] = weight / np.maximum(n_real, 1.0)
        scales[:, 1] = (1.0 - weight) / np.where(n_pool > 0, n_pool, 1.0)
    elif not schedule.window:
        scales[:, 0] = -1.0
    is_pooled = schedule.keep.any() or schedule.n_real.any() or schedule.n_train.any() or weighted or schedule.window
    return Stages(
        stages.share,
        schedule.keep * stages.discount,
        scales,
        not weighted,
        bool(is_pooled),
        schedule.sampling is not None and bool(schedule.sampling.maps),
    )
