"""Bands about simulated curves: standard errors of means, quantiles where laws are heavy-tailed or axes logarithmic."""

from typing import NamedTuple

import numpy as np

from fastcollapse.analysis.panels.panel import DEVIATION, Panel

ERRORS = "mean ± 2 standard errors"
MIDDLE = "middle 80 % of the replicates"
ALL = "all replicates"
# Names that panels have for the same thing.
_NAMES = {"two standard errors": ERRORS}


class Band(NamedTuple):
    """The band of a curve as a figure shows it.

    Parameters
    ----------
    low, high : float64[B], in the units of the axis.
    name : in a legend.
    """

    low: np.ndarray
    high: np.ndarray
    name: str

    @property
    def is_visible(self) -> bool:
        """Whether it covers anything."""
        with np.errstate(invalid="ignore"):
            return bool((self.high > self.low).any())


def drawn_band(panel: Panel, log: bool) -> Band:
    """Return the band of a panel.

    A logarithmic axis shows quantiles. The mean of a heavy-tailed quantity rests on its largest replicates: no quantile
    holds it, and the band has all of them.

    Parameters
    ----------
    log : whether the axis of values is logarithmic.
    """
    curve, factor = panel.curve, panel.factor
    if panel.band != DEVIATION or panel.median:
        return Band(curve.smallest * factor, curve.largest * factor, _NAMES.get(panel.band, panel.band))
    if log and curve.heavy_tailed:
        return Band(curve.smallest * factor, curve.largest * factor, ALL)
    if log and curve.quantiles is not None:
        low, high = curve.quantiles
        return Band(low * factor, high * factor, MIDDLE)
    low, high = curve.mean - 2 * curve.error, curve.mean + 2 * curve.error
    if not (curve.smallest < 0).any():
        low = np.maximum(low, 0.0)
    return Band(low * factor, high * factor, ERRORS)
