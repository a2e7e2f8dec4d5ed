"""Base class of the samplers that turn the counts of a generation into text."""

from abc import ABC, abstractmethod

import numpy as np


class TextSampler(ABC):
    """Samples text that can be read from the counts of a model.

    Attributes
    ----------
    counts : counts of generation 0 in the columns of the sparse counts, int64 (D).
    """

    counts: np.ndarray

    @abstractmethod
    def sentences(self, counts: np.ndarray, n: int, generator: np.random.Generator) -> list[str]:
        """Return `n` independent sentences of the model whose counts, int64 (D), are given."""
