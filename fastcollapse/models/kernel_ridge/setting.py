"""What the chains and the predictor of a kernel ridge run are made from."""

from dataclasses import dataclass

from fastcollapse.config.schedule import Schedule
from fastcollapse.models.kernel_ridge.fit import Fitter, Table
from fastcollapse.models.kernel_ridge.parameters import KernelRidgeParameters
from fastcollapse.models.kernel_ridge.truth import Labelled


@dataclass(frozen=True, eq=False)
class KernelRidgeSetting:
    """What the chains and the downstream predictor of a run need.

    Parameters
    ----------
    truth, parameters, schedule : as of the model.
    fitter : fits to rows of the truth.
    test : the held-out rows.
    has_expected : whether the expected errors given the rows are computed.
    """

    truth: Labelled
    parameters: KernelRidgeParameters
    schedule: Schedule
    fitter: Fitter
    test: Table
    has_expected: bool
