"""Rewards of symbols, for curation: given by a list or a file, or by the rank in the truth."""

from typing import Any

import numpy as np
import scipy  # scipy.stats is loaded at its first use, because it takes half a second

from fastcollapse.config.fields import ValidationErrors
from fastcollapse.config.sampling import BestOf
from fastcollapse.kernels.counts.best_of import MAX_RANGE, NO_REWARDS, Rewards, reward_table

_KEY = "sampling.best_of.reward"


def rewards_of(best_of: BestOf | None, probability: np.ndarray) -> Rewards:
    """Return the rewards of a run; those of no curation are empty.

    Parameters
    ----------
    best_of : the rule, whose rewards are numbers or "rank".
    probability : float64 (K), under the truth.

    Raises
    ------
    ValidationErrors
        The rewards are not one for each symbol, or the range is too large for the rule "soft".
    """
    if best_of is None:
        return NO_REWARDS
    reward = _rewards(best_of.reward, probability)
    spread = float(np.ptp(reward))
    if best_of.rule == "soft" and spread > MAX_RANGE:
        problem = f"must have a range of at most {MAX_RANGE:g} for the rule 'soft', got {spread:g}"
        raise ValidationErrors([(_KEY, problem)])
    return reward_table(reward, float("inf") if best_of.k == "infinite" else float(best_of.k), best_of.rule == "soft")


def _rewards(given: Any, probability: np.ndarray) -> np.ndarray:
    if isinstance(given, str):
        return rank_rewards(probability)
    reward = np.array(given, dtype=np.float64)
    if reward.shape != probability.shape:
        problem = f"must have one reward for each of the {len(probability):,} symbols, got {len(reward):,}"
        raise ValidationErrors([(_KEY, problem)])
    return reward


def rank_rewards(probability: np.ndarray) -> np.ndarray:
    """Return rewards from 1 for the most probable symbol to 0 for the least, by rank: ``(K)->(K)``.

    Equal probabilities share their mean rank. Symbols of probability 0 have no rank and the reward 0. The scale is our
    own choice.

    Examples
    --------
    >>> rank_rewards(np.array([0.5, 0.2, 0.2, 0.1]))
    array([1. , 0.5, 0.5, 0. ])
    """
    rewards, present = np.zeros(len(probability)), np.flatnonzero(probability)
    ranks = scipy.stats.rankdata(-probability[present])
    rewards[present] = (len(present) - ranks) / (len(present) - 1)
    return rewards
