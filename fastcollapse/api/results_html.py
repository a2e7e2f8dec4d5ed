"""Results and sweeps in words and as HTML, as a notebook shows them."""

import base64
import html
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from fastcollapse.errors import printable
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.sweeps.collected_results import CollectedSweep
from fastcollapse.sweeps.folder import SweepFolder
from fastcollapse.sweeps.status import SweepStatus

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Pixels an inch of the small figure.
_DPI = 70
_DIGEST_DIGITS = 12


def results_line(results: RecordedRun) -> str:
    """Return what a run is in one line, without its experiment where that cannot be read."""
    words = {"replicates": "{} replicates", "generations": "{} generations", "seed": "seed {}", "digest": "digest {}"}
    return ", ".join(words.get(name, "{}").format(value) for name, value in facts(results).items())


def facts(results: RecordedRun) -> dict[str, str]:
    """Return what a run is, by name: an experiment that cannot be read leaves out what it would have said."""
    known = {"file": printable(str(results.path or "in memory"))}
    try:
        experiment = results.experiment
        known |= {"family": experiment.family, "workflow": experiment.workflow.name}
    except Exception:  # a repr never raises: the family may be one that this process does not know
        experiment = None
    known["replicates"] = f"{results.n_replicates:,}"
    known["generations"] = f"{max(results.last, 0):,} of {results.reader.header.n_generations:,}"
    if not results.finished:
        known["state"] = "not finished"
    if experiment is not None:
        if results.finished and results.last < results.reader.header.n_generations:
            known["state"] = f"ended by run.stop, {experiment.run.stop}"
        known["seed"] = str(experiment.run.seed)
    return known | {"digest": results.digest[:_DIGEST_DIGITS]}


def results_html(results: RecordedRun) -> str:
    """Return what a run is, and a small figure of its first metric where it can be drawn."""
    known = facts(results)
    try:
        from fastcollapse.analysis.panels.published import recipe_words  # start-up time

        words = recipe_words([results])
        known = ({"recipe": words.heading} if words is not None else {}) | known
    except Exception:  # see `facts`
        pass

    def draw() -> "Figure":
        from fastcollapse.analysis.figures import sketch  # start-up time

        return sketch(results)

    return _page("fastcollapse results", known, draw)


def sweep_html(source: SweepFolder | CollectedSweep, status: Callable[[], SweepStatus]) -> str:
    """Return what a sweep is, the states of its points, its recorded verdict, and a small figure of its first metric.

    Parameters
    ----------
    source : the sweep.
    status : returns its status; of a folder that is gone there is none.
    """
    known = {"path": str(source.path)}
    try:
        known |= _sweep_facts(source, status())
    except Exception as error:  # a repr never raises: another process may have removed the folder
        known["status"] = f"cannot be read: {error}"

    def draw() -> "Figure":
        from fastcollapse.analysis.sweep_sketch import sketch_sweep  # start-up time

        return sketch_sweep(source)

    return _page("fastcollapse sweep", known, draw)


def _sweep_facts(source: SweepFolder | CollectedSweep, status: SweepStatus) -> dict[str, str]:
    from fastcollapse.analysis.sweep_comparison import recorded_verdict  # imports the panels

    experiment, varied = source.sweep[0].experiment, {key for axis in source.sweep.axes for key in axis.varies}
    known = {} if "model.family" in varied else {"family": experiment.family}
    known |= {} if "workflow.name" in varied else {"workflow": experiment.workflow.name}
    known |= {"parameters": status.axes, "seed": str(source.sweep.seed), "points": f"{status.n_points:,}"}
    known |= {line.split()[0]: " ".join(line.split()[1:]) for line in status.lines()[1:]}
    for number, line in enumerate(status.failure_lines(), start=1):
        known[f"failure {number}"] = line.removeprefix("failed: ")
    if status.done:
        known["verdict"] = recorded_verdict(source) or "compare() compares the finished points with theory"
    return known


def _page(title: str, known: Mapping[str, str], draw: "Callable[[], Figure]") -> str:
    rows = "".join(f"<tr><th>{name}</th><td>{html.escape(printable(value))}</td></tr>" for name, value in known.items())
    return f"<div><b>{title}</b><table>{rows}</table>{_image(draw)}</div>"


def _image(draw: "Callable[[], Figure]") -> str:
    """Return the first metric as an image, "" where it cannot be drawn."""
    try:
        from fastcollapse.analysis.inline_figure import png_of  # start-up time

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            encoded = base64.b64encode(png_of(draw(), _DPI)).decode()
    except Exception:  # the text stands alone
        return ""
    return f'<img src="data:image/png;base64,{encoded}" alt="the first metric"/>'
