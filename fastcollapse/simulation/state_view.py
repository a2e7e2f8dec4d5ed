"""The state of one replicate at one generation, as functions of the user read it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastcollapse.datasets.categorical import CategoricalDistribution
from fastcollapse.datasets.sentences import Sentences
from fastcollapse.models.base import Model, ModelBlock


@dataclass(frozen=True, eq=False)
class StateView:
    """The state of one replicate at one generation, read-only.

    Parameters
    ----------
    family : name of the model family.
    replicate : number of the replicate.
    generation : 0, which is the truth, to T.
    arrays : name -> float64 array, read-only: the states of a family without counts, such as `mean` and `log_sigma` of
        a Gaussian, and its samples, such as the `points` of a kernel density estimate. `state["mean"]` is
        `state.arrays["mean"]`.
    symbols : int64 (n), ascending: the symbols with a count above 0, or the cells of a text; None for a family without
        symbols.
    counts : int64 (n), their counts; float64 (n), weights that sum to 1, in a run with weights; None at generation 0 of
        a law, which has no counts, and for a family without symbols.
    probabilities : float64 (K), of every symbol, or of every cell of a text; None for a family without symbols.
    labels : K names of the symbols; None if they have none, and for cells.

    Examples
    --------
    >>> state = StateView("gaussian", 0, 3, {"mean": np.array(0.5)})
    >>> float(state["mean"])
    0.5
    """

    family: str
    replicate: int
    generation: int
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    symbols: np.ndarray | None = None
    counts: np.ndarray | None = None
    probabilities: np.ndarray | None = None
    labels: tuple[str, ...] | None = None

    def __getitem__(self, name: str) -> np.ndarray:
        return self.arrays[name]


class StateViews:
    """Makes the views of the states of a run.

    Parameters
    ----------
    family : name of the model family.
    model : the model of the run, whose blocks have all states.
    truth : the truth that the results file records; None for a family without symbols.
    text_counts : counts of generation 0 of a text, int64 (D), in the columns of the counts; None for other truths.
    """

    def __init__(self, family: str, model: Model, truth: Any, text_counts: np.ndarray | None) -> None:
        self._family, self._n_columns = family, model.n_columns
        law = truth if isinstance(truth, CategoricalDistribution) else None
        self._labels = None if law is None else law.labels
        if isinstance(truth, Sentences):
            self._start, self._law = text_counts, None
        else:
            self._start, self._law = (None, None) if law is None else (law.counts, law.probabilities)

    def of_block(
        self, block: ModelBlock, first: int, n_generations: int, n_replicates: int, first_replicate: int
    ) -> Iterator[tuple[int, int, StateView]]:
        """Yield (replicate, step, view) of the states of a block, in order of generation, then replicate."""
        for step in range(n_generations):
            for replicate in range(n_replicates):
                row = step * n_replicates + replicate
                arrays = {name: _frozen(values[replicate, step]) for name, values in block.states.items()}
                for name, (indptr, points) in block.samples.items():
                    arrays[name] = _frozen(points[indptr[row] : indptr[row + 1]])
                numbers = (first_replicate + replicate, first + step)
                symbols = () if self._n_columns is None else self._symbols(block, row, first)
                yield replicate, step, StateView(self._family, *numbers, arrays, *symbols)

    def _symbols(self, block: ModelBlock, row: int, first: int) -> tuple[Any, ...]:
        """Return symbols, counts, probabilities and labels."""
        if first == 0:
            law = self._law if self._law is not None else _shares(self._start)
            if law is None:
                return None, None, None, None
            symbols = np.flatnonzero(law if self._start is None else self._start)
            counts = None if self._start is None else _frozen(self._start[symbols].astype(np.int64))
            return _frozen(symbols), counts, _frozen(np.asarray(law)), self._labels
        assert block.counts is not None
        assert self._n_columns is not None
        indptr, columns, data = block.counts
        symbols, counts = columns[indptr[row] : indptr[row + 1]].astype(np.int64), data[indptr[row] : indptr[row + 1]]
        counts = counts.copy() if counts.dtype == np.float64 else counts.astype(np.int64)
        probabilities = np.zeros(self._n_columns)
        probabilities[symbols] = counts / counts.sum()
        return _frozen(symbols), _frozen(counts), _frozen(probabilities), self._labels


def _shares(counts: np.ndarray | None) -> np.ndarray | None:
    return None if counts is None else counts / counts.sum()


def _frozen(values: np.ndarray) -> np.ndarray:
    """Return a read-only view."""
    view = np.asarray(values)[...]
    view.flags.writeable = False
    return view
