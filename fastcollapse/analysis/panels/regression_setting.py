"""The parameters of a run of regressions that its theory depends on."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastcollapse.analysis.panels.schedules import cached_by_results, is_replace_only, schedule_of
from fastcollapse.config.schedule import Schedule
from fastcollapse.simulation.recorded_run import RecordedRun


@dataclass(frozen=True, eq=False)
class Setting:
    """The parameters of a run that its theory depends on.

    Parameters
    ----------
    spectrum, w0 : float64 [d], eigenvalues of Sigma and the truth in its eigenbasis.
    sigma, sigma0 : noise on the labels of real and downstream data, and on those of generators.
    ridge : of the generators.
    dependent : whether all generators have the same rows.
    gaussian : whether rows are Gaussian, which finite-sample theory needs.
    replace_only : whether each generation is fitted to labels of the one before and to nothing else.
    previous : whether each fit starts from the weights of the generation before.
    tuned : whether the downstream predictor is a generation, fine-tuned on labels of the truth.
    mixed : whether it is trained on real and synthetic rows together.
    schedule : the rows of each generation.
    """

    spectrum: np.ndarray
    w0: np.ndarray
    sigma: float
    sigma0: float
    ridge: float
    dependent: bool
    gaussian: bool
    replace_only: bool
    previous: bool
    tuned: bool
    mixed: bool
    schedule: Schedule

    @property
    def d(self) -> int:
        """The number of dimensions."""
        return self.spectrum.size

    @property
    def design(self) -> str:
        """The name of the design in `theory`."""
        return "dependent" if self.dependent else "independent"

    @property
    def isotropic(self) -> bool:
        """Whether all eigenvalues are the same."""
        return bool(np.ptp(self.spectrum) <= 1e-12 * self.spectrum[0])

    @property
    def length(self) -> float:
        """|w0|_Sigma^2."""
        return float(self.spectrum @ self.w0**2)

    @property
    def sizes(self) -> Any:
        """Synthetic rows of each generation; a number if they are constant."""
        rows = self.schedule.n_synthetic
        return rows if np.ptp(rows) else int(rows[0])

    @property
    def from_previous(self) -> bool:
        """Whether the law of the chain depends on the start of its fits: least squares of many rows forgets it."""
        return self.previous and (self.ridge > 0 or int(self.rows.min()) < self.d)

    @property
    def rows(self) -> np.ndarray:
        """Distinct rows that each generation is fitted to, int64 [T]; the fewest where the number is random.

        With weights they are those of the part whose number is closest to the dimension.
        """
        return self.distinct_rows[0]

    @property
    def distinct_rows(self) -> tuple[np.ndarray, np.ndarray]:
        """Bounds of the number of distinct rows of each generation, int64 [T], as for `rows`."""
        schedule = self.schedule
        if schedule.weight is None:
            return schedule.distinct_rows(self.dependent)
        parts = np.stack([schedule.synthetic_sizes().astype(np.int64), schedule.n_real])
        distance = np.where(parts > 0, np.abs(parts - self.d), np.iinfo(np.int64).max)
        rows = np.take_along_axis(parts, distance.argmin(axis=0)[None], axis=0)[0]
        return rows, rows


@cached_by_results
def setting_of(results: RecordedRun) -> Setting:
    """Return the parameters of a run that its theory depends on."""
    model: Any = results.experiment.model
    truth: Any = results.experiment.truth
    spectrum, w0 = (np.asarray(results.coordinates[name].values, np.float64) for name in ("spectrum", "w0"))
    return Setting(
        spectrum=spectrum,
        w0=w0,
        sigma=float(model.sigma),
        sigma0=float(model.sigma if model.sigma0 is None else model.sigma0),
        ridge=float(model.ridge),
        dependent=model.designs == "dependent",
        gaussian=truth.design == "gaussian",
        replace_only=is_replace_only(results),
        previous=model.from_previous,
        tuned=model.downstream is not None and model.downstream.is_tuned,
        mixed=model.downstream is not None and model.downstream.is_mixed,
        schedule=schedule_of(results),
    )
