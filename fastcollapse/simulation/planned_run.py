"""Plan of a run: what is run, where to, and the run that is there already."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from fastcollapse.config.schedule import Schedule
from fastcollapse.models.base import Model
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.simulation.run_model import model_of
from fastcollapse.simulation.user_metrics import UserMetric
from fastcollapse.storage.base import Store
from fastcollapse.storage.blocks import Header


@dataclass(frozen=True, eq=False)
class RunPlan:
    """A run: its experiment, its results file, and the run that already is in the file.

    Parameters
    ----------
    experiment : the experiment with its seed.
    truth : the loaded truth; may be None for a finished run.
    schedule : the workflow as arrays over generations; None for a finished run.
    path : the results file; None keeps the results in memory.
    action : "start" (a new run), "resume", "finished", "continue" (a finished run has more generations), or "join"
        (the replicates of `added` are added to those of a finished run).
    existing : the run at `path`, unless the run starts.
    overwrite : whether a results file at `path` is replaced.
    first_replicate : number of the first replicate.
    store : creates the store; None writes to `path`, or keeps the results in memory.
    engine : the recorded engine of a run that is resumed or repeated; "" for a new run, whose model chooses.
    keeps_state : whether the finished file keeps the state at the end, from which a longer run continues.
    added : the results file of the replicates that "join" adds.
    then : returns the plan of the next step of an extension from the results of this one; None after the last.
    final_path : the results file after the last step; None for that of this step.
    extended : the run that an extension makes larger; None for other plans.
    n_later : number of generations that the next steps run.
    metrics : metrics of the user, name -> function of a `StateView`.
    warning : what the user must know before the run; "" for nothing.
    """

    experiment: Experiment
    truth: Any
    schedule: Schedule | None
    path: Path | None = None
    action: Literal["start", "resume", "finished", "continue", "join"] = "start"
    existing: RecordedRun | None = None
    overwrite: bool = False
    first_replicate: int = 0
    store: Callable[[Header], Store] | None = None
    engine: str = ""
    keeps_state: bool = True
    added: Path | None = None
    then: "Callable[[RecordedRun], RunPlan | None] | None" = None
    final_path: Path | None = None
    extended: RecordedRun | None = None
    n_later: int = 0
    metrics: Mapping[str, UserMetric] = field(default_factory=dict)
    warning: str = ""

    @property
    def n_left(self) -> int:
        """Number of generations to run."""
        if self.action in ("finished", "join"):
            return self.n_later
        last = 0 if self.existing is None else max(self.existing.last, 0)
        return self.experiment.run.n_generations - last + self.n_later

    @property
    def results_path(self) -> Path | None:
        """The results file after the last step."""
        return self.final_path or self.path

    @property
    def inputs(self) -> dict[str, str]:
        """SHA-256 of all data files by path, in hexadecimal."""
        recorded = self.existing.inputs if self.existing is not None else {}
        of_maps = self.schedule.inputs if self.schedule is not None else {}
        return {**recorded, **self.experiment.inputs, **self.truth.inputs, **of_maps}

    @property
    def is_finished(self) -> bool:
        """Whether the run is finished, so that nothing is left to run."""
        return self.action == "finished" and self.then is None

    def model(self) -> Model:
        """Return the model of the run.

        Raises
        ------
        InputError
            The family does not support this combination of values, or lacks the code of the user.
        """
        assert self.schedule is not None
        experiment = self.experiment.with_code()
        model = model_of(experiment, self.truth, self.schedule, self.engine)
        record = experiment.run.record
        if not self.metrics or "trajectory" in record:
            return model
        # The engine is chosen as without metrics of the user, so that no bit depends on them.
        engine = model.ENGINE if experiment.model.engines else ""
        return model_of(experiment, self.truth, self.schedule, engine, (*record, "trajectory"))
