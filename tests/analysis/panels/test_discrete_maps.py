"""Panels of discrete runs with a map: exact for two symbols, the theory of many tokens otherwise."""

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.analysis.panels import discrete_map_theory
from fastcollapse.analysis.panels.discrete_map_theory import exact_chain, fixed_points, noise, threshold_text
from fastcollapse.analysis.panels.discrete_maps import MAP_PANELS
from fastcollapse.analysis.panels.registry import panels_of
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.theory.discrete.curation import curation_fixed_point, curation_path
from fastcollapse.theory.discrete.external_share import tempered_fixed_point
from fastcollapse.theory.discrete.stationary_noise import tempered_noise_path, tempered_uniform_noise
from fastcollapse.theory.discrete.tempered_two_symbols import tempered_stationary_variance

# Less than 150 scores in this file, each beyond 5 once in 1.7e6.
Z_LIMIT = 5.0
LAST = 20
AT = np.array([1, 4, LAST])
P, R = (0.4, 0.3, 0.2, 0.1), (0.0, 0.5, 1.0, 1.0)
SHARE = {"name": "mix", "n_samples": 60, "real_share": 0.3, "real": "fresh"}
SIZES = {"name": "mix", "n_samples": 42, "n_real": 18, "real": "fresh"}
REPLACE = {"name": "replace", "n_samples": 60}


def curated(k, reward, rule="soft"):
    return {"best_of": {"k": k, "reward": list(reward), "rule": rule}}


def run(truth, workflow, sampling, n_replicates=3000, record=("metrics",)):
    mapping = {
        "truth": truth,
        "workflow": workflow,
        "run": {"n_generations": LAST, "n_replicates": n_replicates, "seed": 9, "record": list(record)},
    }
    return simulate(Experiment.from_mapping(mapping | ({"sampling": sampling} if sampling else {})))


def by_heading(results, names=()):
    return {panel.heading: panel for panel in panels_of(results, AT, names)}


@pytest.mark.parametrize("sampling", [{"temperature": 0.5}, curated("infinite", (0.0, 2.0))], ids=["cold", "curated"])
@pytest.mark.parametrize(("keep_real", "n_generations"), [(True, 1), (False, 2)])
def test_panels__of_a_short_run_that_accumulates_know_that_the_first_sample_is_real(keep_real, n_generations, sampling):
    # Such a run keeps no pool, but it is no replacement: no theory of replacement is shown.
    mapping = {
        "truth": {"probabilities": [0.7, 0.3]},
        "workflow": {"name": "accumulate", "n_samples": 60, "keep_real": keep_real},
        "run": {"n_generations": n_generations, "n_replicates": 2000, "seed": 9},
        "sampling": sampling,
    }
    for panel in panels_of(simulate(Experiment.from_mapping(mapping)), np.arange(n_generations + 1)):
        assert not (np.abs(panel.curve.z) > Z_LIMIT).any(), panel.heading
        assert not panel.lines, panel.heading


def test_noise__of_a_large_uniform_pool_takes_no_array_over_symbols_and_generations(monkeypatch):
    pool = {"name": "accumulate", "n_samples": 60, "keep_real": True}
    assert noise(run({"uniform": 4}, pool, {"temperature": 1.5}, 2)) is not None
    monkeypatch.setattr(discrete_map_theory, "_PATH_CELLS", 4 * LAST)
    assert noise(run({"uniform": 4}, pool, {"temperature": 1.5}, 2)) is None


@pytest.mark.parametrize(
    ("workflow", "sampling"),
    [
        (REPLACE, {"temperature": 1.5}),
        (REPLACE, curated(2, (0.0, 0.2))),
        (REPLACE, curated("infinite", (0.1, 0.0))),
        (REPLACE, {"temperature": 1.3} | curated(3, (0.0, 0.1), "hard")),
        (SHARE, {"temperature": 0.6}),
        (SIZES, {"temperature": 0.6}),
        (SHARE, curated(4, (0.0, 0.3))),
    ],
    ids=["hot", "two", "infinite", "both", "share", "sizes", "curated share"],
)
def test_panels__of_two_symbols_are_exact(workflow, sampling):
    results = run({"probabilities": [0.7, 0.3]}, workflow, sampling)
    panels = by_heading(results)
    assert set(panels) >= {"H", "TV", "KL"} | ({"E r", "E e^r"} if "best_of" in sampling else set())
    for heading, panel in panels.items():
        assert np.isfinite(panel.curve.expected).all(), heading
        scores = panel.curve.z[np.isfinite(panel.curve.z)]
        assert scores.size >= 1, heading
        assert np.abs(scores).max() < Z_LIMIT, heading
    # Negative control: the exact law one generation later.
    chain = exact_chain(results)
    later = chain.mean(lambda x: 2 * x * (1 - x))[AT - 1]
    curve = panels["H"].curve
    assert (np.abs(curve.mean - later) * np.sqrt(3000) > Z_LIMIT * curve.sd).any()


def test_exact_chain__reaches_the_stationary_variance():
    results = run({"probabilities": [0.5, 0.5]}, SHARE, {"temperature": 0.6}, n_replicates=2)
    variance = exact_chain(results).mean(lambda x: (x - 0.5) ** 2)
    assert variance[0] == 0
    assert variance[-1] == pytest.approx(tempered_stationary_variance(60, 0.3, 0.6), rel=0.05)
    assert exact_chain(run({"uniform": 3}, SHARE, {"temperature": 0.6}, n_replicates=2)) is None


def test_noise__of_a_temperature_is_drawn_without_a_score():
    workflow = {"name": "mix", "n_samples": 4000, "real_share": 0.5, "real": "fresh"}
    truth = {"probabilities": [0.4, 0.25, 0.15, 0.12, 0.08]}
    results = run(truth, workflow, {"temperature": 0.7}, 400, ("metrics", "trajectory"))
    law, variance = tempered_noise_path(truth["probabilities"], 0.5, 0.7, 4000, LAST)
    panels = by_heading(results)
    for panel in panels.values():
        assert np.isnan(panel.curve.z).all()
        # Negative control of the closeness: the law of the truth is not near.
        error = np.abs(panel.lines[0].values / panel.curve.mean - 1)
        assert error.max() < (0.01 if panel.heading in ("H", "share") else 0.15)
    share = panels["share"]
    limit = tempered_fixed_point(truth["probabilities"], 0.5, 0.7)[0]
    assert [line.kind for line in share.lines] == ["asymptotic", "limit", "asymptotic", "asymptotic"]
    np.testing.assert_allclose(share.lines[0].values, law[AT, 0])
    np.testing.assert_allclose(share.lines[1].values, limit)
    np.testing.assert_allclose(share.lines[2].values - share.lines[0].values, np.sqrt(variance[AT, 0]))
    np.testing.assert_allclose(share.curve.sd, np.sqrt(variance[AT, 0]), rtol=0.2)


@pytest.mark.parametrize("workflow", ["tokens", "sizes"])
def test_noise__about_a_uniform_law(workflow):
    keys = {"n_samples": 2000, "real_share": 0.4} if workflow == "tokens" else {"n_samples": 1200, "n_real": 800}
    results = run({"uniform": 10}, {"name": "mix", "real": "fresh", **keys}, {"temperature": 0.8}, 400)
    panel = by_heading(results)["H"]
    expected = tempered_uniform_noise(10, 0.4, 0.8, 2000)[1]
    assert panel.lines[0].values[-1] == pytest.approx(expected, rel=1e-6)
    assert (1 - panel.curve.mean[-1] / 0.9) == pytest.approx(1 - expected / 0.9, rel=0.1)
    assert 1 - panel.curve.mean[-1] / 0.9 != pytest.approx(1 / 2000, rel=0.5)


def test_noise__of_an_unstable_law_ends_where_it_is_no_longer_linear():
    results = run({"uniform": 10}, {"name": "replace", "n_samples": 1000}, {"temperature": 0.5}, 50)
    panel = by_heading(results)["H"]
    assert np.isfinite(panel.lines[0].values[0])
    assert np.isnan(panel.lines[0].values[-1])


def test_noise__of_accumulation_from_a_uniform_law():
    results = run(
        {"uniform": 4}, {"name": "accumulate", "n_samples": 1000, "keep_real": True}, {"temperature": 1.25}, 800
    )
    panel = by_heading(results)["H"]
    excess = 1 - panel.curve.mean / 0.75
    np.testing.assert_allclose(1 - panel.lines[0].values / 0.75, excess, rtol=0.2)
    # Negative control: the pool without a temperature.
    other = run({"uniform": 4}, {"name": "accumulate", "n_samples": 1000, "keep_real": True}, {"temperature": 0.8}, 800)
    assert (1 - by_heading(other)["H"].curve.mean[-1] / 0.75) > 1.5 * excess[-1]


def test_hysteresis__has_two_stable_laws_and_a_note():
    stuck = {"name": "mix", "n_samples": 20_000, "real_share": [0.0] * 8 + [0.58] * 12, "real": "fresh"}
    results = run({"uniform": 10}, stuck, {"temperature": 0.5}, 20)
    assert list(fixed_points(results)) == ["stable law near the truth", "collapsed stable law"]
    collapsed = fixed_points(results)["collapsed stable law"]
    assert collapsed[0] == pytest.approx(0.385575507654)
    panel = by_heading(results)["TV"]
    # The distance of the truth from itself has no line.
    assert [line.label for line in panel.lines if line.kind == "limit"] == ["collapsed stable law"]
    assert panel.lines[-1].values == pytest.approx(collapsed[0] - 0.1)
    assert panel.curve.mean[-1] == pytest.approx(collapsed[0] - 0.1, rel=0.02)
    assert panel.note == threshold_text(results)
    assert "above 0.5 (1 - temperature), a collapsed law for shares below 0.625; here both are" in panel.note
    healthy = run({"uniform": 10}, stuck | {"real_share": 0.7}, {"temperature": 0.5}, 20)
    assert list(fixed_points(healthy)) == ["stable law near the truth"]
    assert "here only the law of the truth is stable" in threshold_text(healthy)
    assert "here only a collapsed law is stable" in threshold_text(run({"uniform": 10}, SHARE, {"temperature": 0.5}, 2))
    assert threshold_text(run({"probabilities": list(P)}, SHARE, {"temperature": 0.5}, 2)) == ""


@pytest.mark.parametrize(("k", "share"), [(2, 0.0), ("infinite", 0.0), ("infinite", 0.4)])
def test_curation__beside_its_population_path(k, share):
    workflow = {"name": "mix", "n_samples": 20_000, "real_share": share, "real": "fresh"}
    panels = by_heading(run({"probabilities": list(P)}, workflow, curated(k, R), 100))
    path = curation_path(P, R, k, AT, share)
    for heading, values in {
        "E r": path @ np.array(R),
        "E e^r": path @ np.exp(R),
        "H": 1 - (path**2).sum(axis=1),
    }.items():
        panel = panels[heading]
        np.testing.assert_allclose(panel.lines[0].values, values, rtol=1e-12)
        np.testing.assert_allclose(panel.curve.mean, values, rtol=0.01)
        assert panel.lines[0].kind == "asymptotic"
        assert np.isnan(panel.curve.z).all()
    np.testing.assert_allclose(panels["KL"].lines[0].values, (path * np.log(np.maximum(path, 1e-300) / P)).sum(axis=1))
    limits = [line.values[0] for line in panels["E r"].lines if line.kind == "limit"]
    assert limits == ([pytest.approx(curation_fixed_point(P, R, share)[0] @ np.array(R))] if share else [])


def test_curation__needs_no_file_of_rewards_after_the_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rewards.csv").write_text("0.0\n0.5\n1.0\n1.0\n")
    maps = {"best_of": {"k": 2, "reward": "rewards.csv", "rule": "soft"}}
    results, of_list = (run({"probabilities": list(P)}, REPLACE, given, 20) for given in (maps, curated(2, R)))
    (tmp_path / "rewards.csv").unlink()
    got, expected = (by_heading(one)["E r"] for one in (results, of_list))
    np.testing.assert_array_equal(got.lines[0].values, expected.lines[0].values)
    np.testing.assert_array_equal(got.curve.mean, expected.curve.mean)


def test_panels__without_theory():
    panels = by_heading(run({"probabilities": list(P)}, REPLACE, {"top_k": 3}, 20))
    assert set(panels) == {"H", "TV", "KL"}
    assert all(not panel.lines and np.isnan(panel.curve.expected).all() for panel in panels.values())


def test_panels__name_what_is_missing():
    plain = run({"uniform": 4}, REPLACE, {}, 2)
    assert all(maker(plain, AT, {}) == () for maker in MAP_PANELS.values())
    hot = run({"uniform": 4}, REPLACE, {"temperature": 2.0}, 2)
    with pytest.raises(InputError, match=r"run\.record must have trajectory for the panel map_share"):
        panels_of(hot, AT, ["map_share"])
    assert panels_of(hot, AT, ["map_heterozygosity"])[0].heading == "H"
