"""Citations of results and recipes: the program, the source of a figure, the papers of its theory, and the data."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from fastcollapse.analysis.panels.published import recipe_words
from fastcollapse.analysis.panels.registry import panels_for
from fastcollapse.analysis.sweep_panels import sweep_words
from fastcollapse.datasets.bibliography import DATA, entries, keys_in, strings_in
from fastcollapse.datasets.shipped import shipped_digest
from fastcollapse.errors import printable
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.experiment_file import read_toml
from fastcollapse.simulation.provenance import provenance
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.sweeps.collected_results import CollectedSweep
from fastcollapse.sweeps.folder import SweepFolder
from fastcollapse.sweeps.points import Sweep

_PROGRAM = """\
@software{{fastcollapse,
  title = {{fastcollapse: Fast simulation of model collapse, with exact theory for comparison}},
  author = {{{{The fastcollapse developers}}}},
  year = {{2026}},
  version = {{{version}}}
}}"""
_PACKAGE = "fastcollapse"


class Citations:
    """What is cited, each with what it is for.

    Parameters
    ----------
    versions : versions of the program that made the results; none for this one.
    """

    def __init__(self, versions: Iterable[str] = ()) -> None:
        self.versions = list(dict.fromkeys(versions))
        self.purposes: dict[str, list[str]] = {}
        self.unknown: list[str] = []

    def add(self, keys: Iterable[str], purpose: str) -> None:
        """Cite entries for a purpose."""
        for key in keys:
            purposes = self.purposes.setdefault(key, [])
            if purpose not in purposes:
                purposes.append(purpose)

    def add_source(self, source: str) -> None:
        """Cite the papers in the source of a recipe; a source without a known paper is named."""
        keys = keys_in(source)
        self.add(keys, f"recipe: {source}")
        if source and not keys:
            self.unknown.append(f"recipe: {source}")

    def add_data(self, names: Iterable[str]) -> None:
        """Cite the data sets among names of files and of data sets."""
        for name in dict.fromkeys(names):
            if name in DATA:
                words, keys = DATA[name]
                self.add(keys, f"data: {words}")

    def __or__(self, other: "Citations") -> "Citations":
        """Return the citations of both."""
        both = Citations([*self.versions, *other.versions])
        for one in (self, other):
            for key, purposes in one.purposes.items():
                for purpose in purposes:
                    both.add([key], purpose)
        both.unknown = list(dict.fromkeys([*self.unknown, *other.unknown]))
        return both

    def bibtex(self) -> str:
        """Return BibTeX; lines that begin with % say what each entry is for.

        Examples
        --------
        >>> print(Citations(["0.1"]).bibtex())
        % the program
        @software{fastcollapse,
          title = {fastcollapse: Fast simulation of model collapse, with exact theory for comparison},
          author = {{The fastcollapse developers}},
          year = {2026},
          version = {0.1}
        }
        """
        versions = self.versions or [provenance()["packages"][_PACKAGE]]
        parts = [f"% the program\n{_PROGRAM.format(version=' and '.join(versions))}"]
        for key, purposes in self.purposes.items():
            parts.append("\n".join([*map(_comment, purposes), entries()[key]]))
        return "\n\n".join([*parts, *(_comment(f"{source} (no entry is known)") for source in self.unknown)])


def citations_of(results: RecordedRun) -> Citations:
    """Return the citations of a run: the source of its recipe, the papers of the theory of its panels, and its data."""
    citations = Citations(_versions([results]))
    words = recipe_words([results])
    citations.add_source("" if words is None else words.source)
    for statement in panels_for(results).statements(results):
        citations.add(statement.keys, f"theory: {statement.words}")
    citations.add_data(_data_of(results))
    return citations


def citations_of_sweep(source: SweepFolder | CollectedSweep) -> Citations:
    """Return the citations of a sweep: those of its finished points, or of its file before one is finished."""
    done = sorted(source.done())
    if not done:
        return _citations_of_points(source.sweep)
    points = [source.results(point) for point in done]
    citations, words = Citations(_versions(points)), sweep_words(source, done)
    citations.add_source("" if words is None else words.source)
    for results in points:
        for statement in panels_for(results).statements(results):
            citations.add(statement.keys, f"theory: {statement.words}")
        citations.add_data(_data_of(results))
    return citations


def citations_of_file(path: str | os.PathLike[str]) -> Citations:
    """Return the citations of an experiment or a sweep that has not run: its source and its data.

    Raises
    ------
    InputError
        The file cannot be read, or a value is refused.
    """
    if "sweep" in read_toml(path)[0]:
        return _citations_of_points(Sweep.from_toml(path))
    return _citations_of_experiments(Experiment.from_toml(path).cases())


def _citations_of_points(sweep: Sweep) -> Citations:
    """Return the citations of a sweep that has not run."""
    citations = _citations_of_experiments([sweep[0].experiment])
    citations.add_data(Path(path).name for path in sweep.data_files())
    return citations


def _citations_of_experiments(experiments: Sequence[Experiment]) -> Citations:
    """Return the citations of experiments that have not run."""
    citations, recipe = Citations(), experiments[0].recipe
    citations.add_source("" if recipe is None else recipe.source or "")
    for experiment in experiments:
        citations.add_data(_data_named_in(experiment))
    return citations


def _comment(words: str) -> str:
    """Return a line of comment; an @ would begin an entry."""
    return f"% {printable(' '.join(words.split())).replace('@', '(at)')}"


def _versions(cases: Sequence[RecordedRun]) -> list[str]:
    """Return the versions of the program that made results."""
    found = (results.provenance.get("packages", {}).get(_PACKAGE) for results in cases)
    return [version for version in found if version]


def _data_of(results: RecordedRun) -> list[str]:
    """Return the names of the data of a run: a file counts if its bytes are those of the shipped one."""
    read = {Path(path).name: digest for path, digest in results.inputs.items()}
    return [
        name for name in _data_named_in(results.experiment) if name not in read or read[name] == shipped_digest(name)
    ]


def _data_named_in(experiment: Experiment) -> list[str]:
    """Return the names of the files of an experiment, and other texts of its truth, such as the name of a data set."""
    truth = experiment.truth
    return [Path(name).name for name in (*truth.files, *strings_in(experiment.to_mapping()["truth"]))]
