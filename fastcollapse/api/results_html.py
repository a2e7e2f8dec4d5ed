"""Results in words and as HTML, as a notebook shows them."""

import base64
import html
import warnings

from fastcollapse.errors import printable
from fastcollapse.simulation.recorded_run import RecordedRun

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
    rows = "".join(f"<tr><th>{name}</th><td>{html.escape(printable(value))}</td></tr>" for name, value in known.items())
    return f"<div><b>fastcollapse results</b><table>{rows}</table>{_image(results)}</div>"


def _image(results: RecordedRun) -> str:
    """Return the first metric as an image, "" where it cannot be drawn."""
    try:
        from fastcollapse.analysis.figures import sketch  # start-up time
        from fastcollapse.analysis.inline_figure import png_of

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            encoded = base64.b64encode(png_of(sketch(results), _DPI)).decode()
    except Exception:  # the text stands alone
        return ""
    return f'<img src="data:image/png;base64,{encoded}" alt="the first metric"/>'
