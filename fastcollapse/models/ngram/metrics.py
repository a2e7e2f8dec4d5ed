"""Metrics of n-gram models, computed from sums over the live cells and contexts.

Each metric takes `CellMeasures`, the sums of `fastcollapse.kernels.sequences.cell_sums`, and returns float64 (R, B).
"""

from typing import Any, NamedTuple

import numpy as np

from fastcollapse.kernels.sequences import cell_sums as columns
from fastcollapse.models.roles import NO_SIZES, Excluded, Limit, Reading, Role, Unanswered, share_left, share_lost
from fastcollapse.variables import Metric, Variable, metric_table


class CellMeasures(NamedTuple):
    """Sums of the states of a block.

    Attributes
    ----------
    sums : float64 (R, B, N_SUMS).
    n_emissions : words and ends of sentences of the truth.
    """

    sums: np.ndarray
    n_emissions: int

    def column(self, number: int) -> np.ndarray:
        """Return a column of the sums, float64 (R, B)."""
        return self.sums[:, :, number]


def support_size(states: CellMeasures, truth: Any = None) -> np.ndarray:
    """Return the number of different words."""
    return states.column(columns.WORDS_ALIVE)


def n_cells(states: CellMeasures, truth: Any = None) -> np.ndarray:
    """Return the number of different n-grams, those with the end of a sentence included."""
    return states.column(columns.CELLS)


def n_contexts(states: CellMeasures, truth: Any = None) -> np.ndarray:
    """Return the number of contexts with a count."""
    return states.column(columns.CONTEXTS)


def entropy(states: CellMeasures, truth: Any = None) -> np.ndarray:
    """Return the entropy of the next symbol given its context, in nats per emission; 0 without emissions."""
    return states.column(columns.ENTROPY) / np.maximum(states.column(columns.EMISSIONS), 1.0)


def n_words(states: CellMeasures, truth: Any = None) -> np.ndarray:
    """Return the number of words, repetitions included, without ends of sentences."""
    return states.column(columns.EMISSIONS) - states.column(columns.ENDS)


def mean_length(states: CellMeasures, truth: Any = None) -> np.ndarray:
    """Return the number of words over that of ends of sentences; infinite without an end, 0 without both."""
    words, ends = n_words(states), states.column(columns.ENDS)
    without = np.where(words > 0, np.inf, 0.0)
    return np.divide(words, ends, out=without, where=ends > 0)


def covered_share(states: CellMeasures, truth: Any = None) -> np.ndarray:
    """Return the share of the emissions of the truth whose n-gram is alive."""
    return states.column(columns.COVERED) / states.n_emissions


def heterozygosity(states: CellMeasures, truth: Any = None) -> np.ndarray:
    """Return 1 - sum p^2 of each context, averaged with the weights of the contexts in the truth."""
    return states.column(columns.HETEROZYGOSITY) / states.n_emissions


def total_variation(states: CellMeasures, truth: Any = None) -> np.ndarray:
    """Return the total variation distance of each context to the truth, averaged in the same way.

    It is 1 for a context without counts.
    """
    return states.column(columns.VARIATION) / states.n_emissions


def squared_distance(states: CellMeasures, truth: Any = None) -> np.ndarray:
    """Return the squared distance sum (p - p_0)^2 of each context to the truth, averaged in the same way."""
    return states.column(columns.SQUARES) / states.n_emissions


METRICS = metric_table(
    Metric("support_size", Variable("number of different words"), support_size),
    Metric("n_cells", Variable("number of different n-grams"), n_cells),
    Metric("n_contexts", Variable("number of contexts with a count"), n_contexts),
    Metric("entropy", Variable("entropy of the next symbol given its context", "nat"), entropy),
    Metric("n_words", Variable("number of words"), n_words),
    Metric("mean_length", Variable("mean number of words of a sentence", limits=(np.inf,)), mean_length),
    Metric("covered_share", Variable("share of the truth whose n-grams are alive"), covered_share),
)
CONTEXT_METRICS = metric_table(
    Metric("heterozygosity", Variable("heterozygosity 1 - sum p^2 of a context, weighted mean"), heterozygosity),
    Metric("total_variation", Variable("total variation distance of a context, weighted mean"), total_variation),
    Metric("squared_distance", Variable("squared distance of a context to the truth, weighted mean"), squared_distance),
)


def _lost(share: np.ndarray) -> np.ndarray:
    return 1 - share


_LIMITS = {
    "replace": (
        Limit(
            True,
            "one next symbol of each context is left with probability 1 (heterozygosity_replace)",
            lambda experiment: experiment.model.is_fixed,
        ),
    )
}
ROLES: dict[str, Role] = {
    "risk": (
        Reading(("total_variation",), "weighted total variation distance to the truth", bound="it is at most 1"),
        Reading(("covered_share",), "share of the true n-grams that are lost", _lost, bound="it is at most 1"),
    ),
    "variance": (
        Reading(("heterozygosity",), "weighted heterozygosity of the contexts over the true one", share_left, _LIMITS),
        Reading(("entropy",), "entropy of the next symbol over the true one", share_left, _LIMITS),
    ),
    "scaling": NO_SIZES,
    "tails": (
        Reading(("covered_share",), "share of the true n-grams that are lost", _lost),
        Reading(("support_size",), "lost share of the words", share_lost),
    ),
    "modes": Unanswered("modes of an n-gram model are not counted"),
    "invented": Excluded("an n-gram that the truth does not have is never drawn"),
}
