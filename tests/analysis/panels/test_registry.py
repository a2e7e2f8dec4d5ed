"""Registry of panels: the contract of every family, and a family without a panel module."""

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.analysis.comparison import compare
from fastcollapse.analysis.figures import draw
from fastcollapse.analysis.panels.family_panels import FamilyPanels
from fastcollapse.analysis.panels.registry import find_panels, panels_for, panels_of
from fastcollapse.analysis.report import summary
from fastcollapse.errors import InputError
from fastcollapse.models.registry import families, register, unregister
from fastcollapse.simulation.experiment import Experiment


def run(family, truth, record=("metrics",)):
    mapping = {
        "model": {"family": family},
        "truth": truth,
        "workflow": {"name": "replace", "n_samples": 20},
        "run": {"n_generations": 12, "n_replicates": 30, "seed": 3, "record": list(record)},
    }
    return simulate(Experiment.from_mapping(mapping))


@pytest.fixture
def toy(tmp_path):
    """A family of Poisson laws under a name without panels."""
    folder = tmp_path / "toy"
    folder.mkdir()
    (folder / "model.py").write_text("from fastcollapse.models.poisson.model import Poisson as MODEL\n")
    yield register(folder)
    unregister("toy")


@pytest.mark.parametrize("family", families())
def test_find_panels__every_family_follows_contract(family):
    panels = find_panels(family)
    assert isinstance(panels, FamilyPanels)
    assert panels.default
    assert set(panels.default) <= set(panels.panels)
    panels.check_names(tuple(panels.panels))
    with pytest.raises(InputError, match=r"recipe.panels must be of .*, got 'no_such_panel'"):
        panels.check_names(["no_such_panel"])


def test_makers__depend_on_the_stages_of_a_run():
    def made(name):
        return lambda results, generations, options: name

    plain, staged, sampled = ({key: made(key)} for key in ("plain", "staged", "sampled"))
    shared = {"variance": made("variance"), "tail": made("tail")}
    panels = FamilyPanels({**plain, **shared}, ("variance",), staged={**staged, **shared}, sampled=sampled)

    def results(**keys):
        workflow = {"name": "accumulate", "n_samples": 20, "keep_real": True, **keys.pop("workflow", {})}
        sections = {
            "model": {"family": "gaussian", "estimator": "mle"},
            "truth": {"sigma": 1.0},
            "workflow": workflow,
            "run": {"n_generations": 2, "n_replicates": 2, "seed": 3},
        }
        return simulate(Experiment.from_mapping({**sections, **keys}))

    usual, windowed, biased = results(), results(workflow={"window": 1}), results(sampling={"bias": 0.9})
    assert [list(panels.makers(run)) for run in (usual, windowed, biased)] == [
        ["plain", "variance", "tail"],
        ["staged", "variance", "tail"],
        ["sampled"],
    ]
    defaults = [panels.default_names(run) for run in (usual, windowed, biased)]
    assert defaults == [("variance",), ("staged", "variance"), ("sampled",)]
    # Without panels of their own, runs with maps have those of staged runs.
    alike = FamilyPanels({**plain, **shared}, ("variance",), staged={**staged, **shared})
    assert alike.default_names(biased) == ("staged", "variance")


@pytest.mark.parametrize("name", ["no_such_family", "scores"])
def test_find_panels__unknown_name_is_none(name):
    assert find_panels(name) is None


def test_panels_for__family_without_panels_shows_metrics(toy):
    results = run(toy, {"rate": 2.0})
    panels = panels_for(results)
    assert list(panels.panels) == ["rate", "alive", "squared_error"]
    assert panels.default == ("rate", "alive", "squared_error")
    [error] = panels_of(results, np.array([0, 5, 12]), ["squared_error"])
    np.testing.assert_allclose(error.curve.mean, results.metrics["squared_error"][:, [0, 5, 12]].mean(axis=0))
    assert np.isnan(error.curve.z).all()
    text = summary(results, 1.0)
    assert "  truth      rate = 2.0" in text
    assert "rate: rate, the mean of a count" in text
    assert "squared_error: " in text
    assert "the figure shows the first 2 of these 3" in text
    assert "no score" not in text
    assert "within bounds" not in text
    assert text.endswith("Simulated in 1.00 s: 360 generations x replicates a second")
    compared = compare(results)
    text = str(compared)
    assert compared.agrees is None
    assert "rate: not compared (no theory of it is available)" in text
    figure = draw([results])
    assert figure.get_suptitle() == "Recursive training, toy model, rate = 2.0"
    assert [axes.get_ylabel() for axes in figure.axes] == [
        "rate, the mean of a count (1)",
        "1 where the rate is positive (1)",
    ]


def test_real_size__counts_real_data_only(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("a a a b b c d e f g\n" * 2)
    assert run("discrete", {"text": str(path)}).real_size == 20
    assert run("discrete", {"uniform": 10}).real_size is None
    assert run("poisson", {"rate": 2.0}).real_size is None
