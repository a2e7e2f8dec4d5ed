"""The discrete family: counts of symbols, refitted to tokens drawn from the last counts.

The state is the empirical distribution of the last training data. Two symbols give the Bernoulli model (the
Wright-Fisher model), and the words of a corpus give the unigram model.
"""

import dataclasses
from typing import Any

import numpy as np

from fastcollapse.config.schedule import Schedule
from fastcollapse.config.sections import TruthSection
from fastcollapse.datasets.count_spectrum import stored_truth
from fastcollapse.models.base import Model
from fastcollapse.models.discrete.count_model import CountModel
from fastcollapse.models.discrete.engine import choose_engine
from fastcollapse.models.discrete.examples import EXAMPLES
from fastcollapse.models.discrete.parameters import DiscreteParameters


class Discrete(CountModel):
    """Recursive training of a distribution over symbols; `create` selects the class by the engine and the stages."""

    EXAMPLES = EXAMPLES
    CAPABILITIES = frozenset({"pool", "subsample", "fresh_real", "fixed_real", "subsample_with_real"}) | frozenset(
        {"weights", "real_share", "window", "discount", "temperature", "top_k", "top_p", "best_of"}
    )

    @classmethod
    def create(
        cls, truth: Any, parameters: DiscreteParameters, schedule: Schedule, record: tuple[str, ...] = ()
    ) -> Model:
        """Return the model of a run: of this class, with stages, or the spectrum engine."""
        sampling = schedule.sampling
        if sampling is not None and sampling.temperature == 1:  # no map: the same bits as without the key
            sampling = dataclasses.replace(sampling, temperature=None)
            schedule = dataclasses.replace(schedule, sampling=sampling)
        engine = choose_engine(truth, parameters, schedule, record)
        truth = stored_truth(truth, engine)
        # Imported here, because few runs use their kernels.
        if engine == "spectrum":
            from fastcollapse.models.discrete.spectrum_model import SpectrumDiscrete

            return SpectrumDiscrete(truth, parameters, schedule, record)
        if schedule.is_plain:
            return cls(truth, parameters, schedule, record)
        from fastcollapse.models.discrete.staged_model import StagedDiscrete

        return StagedDiscrete(truth, parameters, schedule, record)

    @classmethod
    def fit_errors(cls, truth: TruthSection, parameters: Any, schedule: Schedule) -> tuple[np.ndarray, ...]:
        """Return 1/n, 1/m and 1 - 1/m: the exact recursion of q = E|p - p_0|^2 / (1 - sum p_0^2)."""
        real, synthetic, ones = super().fit_errors(truth, parameters, schedule)
        return real, synthetic, ones - synthetic


MODEL = Discrete
