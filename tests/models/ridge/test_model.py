"""Ridge runs: exact moments, properties of fits, symmetries, bits, infinite-moment warnings and invalid input."""

import itertools
import os
import signal
import warnings

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fastcollapse import simulate
from fastcollapse.cli.main import main
from fastcollapse.config.section_base import build
from fastcollapse.config.workflows import Accumulate, AccumulateSubsample, Mix, Replace
from fastcollapse.datasets.load import load_truth
from fastcollapse.errors import InfiniteMomentWarning, InputError
from fastcollapse.models.base import ModelBlock
from fastcollapse.models.ridge.generators import PooledChain, ReplaceOnlyChain, SharedInputsChain, SubsampledChain
from fastcollapse.models.ridge.infinite_moments import infinite_moment_warnings
from fastcollapse.models.ridge.metrics import metrics_of
from fastcollapse.models.ridge.model import MODEL
from fastcollapse.models.ridge.parameters import RidgeParameters
from fastcollapse.models.ridge.truth import RidgeTruth
from fastcollapse.simulation.experiment import Experiment
from tests._goodness_of_fit import z_scores
from tests.models._block_runs import assert_bits_are_reproducible, run

FEW = settings(deadline=None, max_examples=15)
SEEDS = st.integers(0, 2**64 - 1)
NOISE = {"sigma": 0.5, "sigma0": 0.3}
COVARIANCE = [[2.0, 0.5, 0.3], [0.5, 1.0, -0.2], [0.3, -0.2, 0.5]]
# About 40 scores in this file: 4.9 is 1e-6 each.
Z_LIMIT = 4.9


def truth_of(**values):
    return load_truth(build(RidgeTruth, values))


def model(truth, workflow, n_generations, record=("metrics", "trajectory"), **parameters):
    parameters = {"designs": "independent", **NOISE, **parameters}
    schedule = workflow.schedule(n_generations, None)
    return MODEL(truth_of(**truth), build(RidgeParameters, parameters), schedule, record)


def weights(truth, workflow, n_generations=4, n_replicates=3, seed=1, **parameters):
    """Return the weights in the user's coordinates, float64 (R, T, d)."""
    return run(model(truth, workflow, n_generations, **parameters), n_replicates, n_generations, seed)["weights"]


def metrics(truth, workflow, n_generations=4, n_replicates=3, seed=1, **parameters):
    states = run(model(truth, workflow, n_generations, **parameters), n_replicates, n_generations, seed)
    return metrics_of(ModelBlock(states), truth_of(**truth))


# Exact moments: the closed forms of theory/ridge.md 1 (a), (c), (e).

D, VARIANCE = 20, 0.09
ROUND = {"dimension": D}
STEEP = {"dimension": D, "beta": 1.5}
ACCUMULATE = Accumulate(n_samples=60, keep_real=True)
# 60 samples have a variance of the error and more; 10 of 20 inputs too.
FULL, HALF = VARIANCE * D / (60 - D - 1), VARIANCE * 10 / (D - 10 - 1)
ETA = 10 / D


def accumulated(n):
    return sum(VARIANCE * D / (i * (60 * i - D - 1)) for i in range(1, n + 1))


MOMENTS = {
    "independent": (STEEP, Replace(n_samples=60), {}, lambda n: n * FULL),
    "dependent": (STEEP, Replace(n_samples=60), {"designs": "dependent"}, lambda n: n * FULL),
    "overlaps": (ROUND, Replace(n_samples=60), {"follow": "overlaps"}, lambda n: n * FULL),
    "growing": (
        STEEP,
        Replace(n_samples={"start": 40, "step": 20}),
        {},
        lambda n: sum(VARIANCE * D / (20 + 20 * i - D - 1) for i in range(1, n + 1)),
    ),
    "minimum norm": (
        ROUND,
        Replace(n_samples=10),
        {},
        lambda n: (1 - ETA**n) * (1 + VARIANCE * 10 * D / ((D - 10) * (D - 10 - 1))),
    ),
    "minimum norm, overlaps": (
        ROUND,
        Replace(n_samples=10),
        {"follow": "overlaps"},
        lambda n: (1 - ETA**n) * (1 + VARIANCE * 10 * D / ((D - 10) * (D - 10 - 1))),
    ),
    "minimum norm, dependent": (
        ROUND,
        Replace(n_samples=10),
        {"designs": "dependent"},
        lambda n: (1 - ETA) + n * HALF,
    ),
    "accumulate, same": (
        STEEP,
        ACCUMULATE,
        {"designs": "dependent"},
        lambda n: FULL * sum(i**-2 for i in range(1, n + 1)),
    ),
    "accumulate, fresh": (STEEP, ACCUMULATE, {}, accumulated),
    "accumulate, few": (
        ROUND,
        Accumulate(n_samples=10, keep_real=True),
        {"designs": "dependent"},
        lambda n: (1 - ETA) + HALF * sum(i**-2 for i in range(1, n + 1)),
    ),
}


@pytest.mark.parametrize(("truth", "workflow", "parameters", "expected"), MOMENTS.values(), ids=MOMENTS)
def test_error__has_the_exact_mean(truth, workflow, parameters, expected):
    errors = metrics(truth, workflow, 5, 3000, **parameters)["generator_error"]
    for n in (1, 5):
        assert abs(z_scores(errors[:, n - 1], expected(n))) < Z_LIMIT
        # Negative control: half a standard deviation of one fit more, which no mistake of a degree reaches.
        assert abs(z_scores(errors[:, n - 1], 1.1 * expected(n))) > Z_LIMIT


def test_minimum_norm__has_exact_mean_overlap_and_norm():
    for parameters in ({}, {"follow": "overlaps"}):
        found = metrics(ROUND, Replace(n_samples=10), 3, 3000, **parameters)
        square = found["generator_norm"] ** 2
        overlap = found["generator_alignment"] * found["generator_norm"]
        for n in (1, 3):
            assert abs(z_scores(overlap[:, n - 1], ETA**n)) < Z_LIMIT
            assert abs(z_scores(square[:, n - 1], ETA**n + HALF * (1 - ETA**n) / (1 - ETA))) < Z_LIMIT
            assert abs(z_scores(square[:, n - 1], ETA**n)) > Z_LIMIT


def test_error__has_the_exact_variance():
    nu, n = 60 - D + 1, 3
    for designs, count in (("independent", n), ("dependent", n**2)):
        errors = metrics(STEEP, Replace(n_samples=60), n, 20_000, designs=designs)["generator_error"][:, -1]
        mean = n * VARIANCE / (nu - 2)
        spread = count * 2 * VARIANCE**2 / ((nu - 2) ** 2 * (nu - 4))
        expected = (spread + mean**2) * D * (D + 2) - (D * mean) ** 2
        score = z_scores((errors - D * mean) ** 2, expected)
        assert abs(score) < Z_LIMIT
        assert abs(z_scores((errors - D * mean) ** 2, 1.2 * expected)) > Z_LIMIT


def test_error__has_the_exact_mean_for_huge_samples():
    n = 10**15
    for truth, follow in ((STEEP, "weights"), (ROUND, "overlaps"), (ROUND, "weights")):
        errors = metrics(truth, Replace(n_samples=n), 1, 4000, follow=follow)["generator_error"][:, 0]
        # Weights are rounded in the 16th digit, errors in the 32nd.
        assert stats.kstest(errors * n / VARIANCE, stats.chi2(D).cdf).pvalue > 1e-6
        assert stats.kstest(errors * n / VARIANCE, stats.chi2(D + 1).cdf).pvalue < 1e-6
    for sizes in (Accumulate(n_samples=10**12, keep_real=True), Mix(n_samples=10**12, n_real=10**9, real="fixed")):
        errors = metrics({"dimension": 3, "beta": 1.0}, sizes, 2, 300)["generator_error"][:, 0]
        assert (errors > 0).all()
        assert errors.max() < 1e-9


# What holds whatever the numbers drawn.


@FEW
@given(SEEDS, st.sampled_from(["independent", "dependent"]), st.integers(1, 9))
def test_ridge__tends_to_minimum_norm_and_to_0(seed, designs, n):
    truth, workflow = {"dimension": 4, "beta": 1.0}, Accumulate(n_samples=n, keep_real=True)
    made = {"designs": designs, "seed": seed, "n_replicates": 2, "n_generations": 2}
    none = weights(truth, workflow, **made)
    little = weights(truth, workflow, ridge=1e-12, **made)
    # As many samples as inputs may be close to singular: where they are, less would be needed.
    close = np.abs(none - truth_of(**truth).weights).max() < 10
    assert not close or np.abs(little - none).max() < 1e-4 * (1 + np.abs(none).max())
    much = weights(truth, workflow, ridge=1e40, **made)
    assert np.abs(much).max() < 1e-30
    assert np.abs(much).max() > 0


@FEW
@given(SEEDS, st.integers(4, 9), st.sampled_from(["independent", "dependent"]))
def test_least_squares__error_does_not_depend_on_the_covariance(seed, n, designs):
    made = {"designs": designs, "seed": seed}
    workflows = (
        Replace(n_samples=n),
        Accumulate(n_samples=n, keep_real=True),
        Mix(n_samples=n, n_real=2, real="fixed"),
    )
    for workflow in workflows:
        expected = metrics({"dimension": 4}, workflow, **made)["generator_error"]
        for truth in ({"dimension": 4, "beta": 3.0}, {"spectrum": [1e-3, 5.0, 2.0, 1e3], "w0": [1.0, 2.0, -3.0, 9.0]}):
            got = metrics(truth, workflow, **made)["generator_error"]
            # The first fits of few samples are far off, and rounded as much.
            np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-9)
    # Negative control: minimum norm sees both.
    few = Replace(n_samples=2)
    other = metrics({"dimension": 4, "beta": 3.0}, few, **made)["generator_error"]
    assert not np.allclose(other, metrics({"dimension": 4}, few, **made)["generator_error"], rtol=1e-3)


def rotation_of(d, rng):
    """Return a random orthogonal matrix (d, d)."""
    q, r = np.linalg.qr(rng.standard_normal((d, d)))
    return q * np.sign(np.diagonal(r))


@FEW
@given(SEEDS, st.integers(0, 10**6), st.sampled_from([2, 4, 9]), st.sampled_from([0.0, 0.3]))
def test_rotated_covariance__gives_the_rotated_run(seed, number, n, ridge):
    rng = np.random.default_rng(number)
    spectrum, w0, rotation = np.array([4.0, 2.0, 1.0, 0.3]), rng.standard_normal(4), rotation_of(4, rng)
    plain = {"spectrum": spectrum.tolist(), "w0": w0.tolist()}
    turned = {"covariance": (rotation @ np.diag(spectrum) @ rotation.T).tolist(), "w0": (rotation @ w0).tolist()}
    turned["covariance"] = ((np.array(turned["covariance"]) + np.array(turned["covariance"]).T) / 2).tolist()
    for workflow in (Replace(n_samples=n), Mix(n_samples=n, n_real=1, real="fresh")):
        # The eigenvectors have signs of their own: the streams are those of the eigenbasis, so turn w0 with them.
        back = load_truth(build(RidgeTruth, turned))
        signs = np.sign(np.diagonal(back.rotation.T @ rotation))
        mine = metrics({**plain, "w0": (signs * w0).tolist()}, workflow, seed=seed, ridge=ridge)
        other = metrics(turned, workflow, seed=seed, ridge=ridge)
        for name in mine:
            np.testing.assert_allclose(other[name], mine[name], rtol=1e-5, atol=1e-9)
        got = weights(turned, workflow, seed=seed, ridge=ridge)
        expected = weights({**plain, "w0": (signs * w0).tolist()}, workflow, seed=seed, ridge=ridge)
        np.testing.assert_allclose(got, (expected * signs) @ rotation.T, rtol=0, atol=1e-6 * np.abs(expected).max())


@FEW
@given(SEEDS, st.integers(1, 9), st.sampled_from([Replace(n_samples=1), Accumulate(n_samples=1, keep_real=True)]))
def test_shared_inputs__without_noise_keep_the_first_fit(seed, n, workflow):
    workflow = type(workflow)(**{**workflow.to_mapping(), "n_samples": n})
    got = weights(
        {"dimension": 5, "beta": 1.0}, workflow, 200, 2, seed=seed, designs="dependent", sigma=1.0, sigma0=0.0
    )  # fmt: skip
    np.testing.assert_allclose(got, np.repeat(got[:, :1], 200, axis=1), rtol=1e-5, atol=1e-7)
    w0 = truth_of(dimension=5, beta=1.0).weights
    assert np.allclose(got[:, 0], w0, atol=1e-5) == (n >= 5)


def test_scale__of_labels_and_inputs_changes_only_units():
    base = {"dimension": 5, "norm": 1.0}
    for workflow, follow in itertools.product((Replace(n_samples=9), Replace(n_samples=3)), ("weights", "overlaps")):
        expected = metrics(base, workflow, follow=follow)
        labels = metrics({**base, "norm": 1e6}, workflow, follow=follow, sigma=0.5e6, sigma0=0.3e6)
        inputs = metrics({"spectrum": [1e8] * 5}, workflow, follow=follow)
        np.testing.assert_allclose(labels["generator_error"], 1e12 * expected["generator_error"], rtol=1e-9)
        np.testing.assert_allclose(inputs["generator_error"], expected["generator_error"], rtol=1e-9)
        np.testing.assert_allclose(labels["generator_alignment"], expected["generator_alignment"], rtol=1e-9)
        np.testing.assert_allclose(1e4 * inputs["generator_norm"], expected["generator_norm"], rtol=1e-9)


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_small_problems__run(d, n):
    sizes = (
        Replace(n_samples=n),
        Accumulate(n_samples=n, keep_real=False),
        AccumulateSubsample(n_samples=n, keep_real=True, replacement=True),
        Mix(n_samples=n, n_real=1, real="fixed"),
    )
    for workflow, designs, ridge in itertools.product(sizes, ("independent", "dependent"), (0.0, 1.0)):
        for truth in ({"dimension": d}, {"dimension": d, "beta": 2.0}):
            got = metrics(truth, workflow, 6, designs=designs, ridge=ridge)
            assert all(np.isfinite(values).all() for values in got.values())
            assert (np.abs(got["generator_alignment"]) <= 1).all()
    for design in ("rademacher", "uniform"):
        got = metrics({"dimension": d, "design": design}, sizes[0], 6, sampler="raw")
        assert all(np.isfinite(values).all() for values in got.values())


def test_long_runs__without_noise_shrink_to_0_and_stay_finite():
    for truth, parameters in (
        (ROUND, {}),
        (ROUND, {"follow": "overlaps"}),
        ({"dimension": 5, "beta": 1.0}, {}),
        ({"dimension": 5, "beta": 1.0}, {"ridge": 1.0}),
    ):
        got = metrics(truth, Replace(n_samples=3), 4000, 2, sigma=1.0, sigma0=0.0, **parameters)
        assert all(np.isfinite(values).all() for values in got.values())
        np.testing.assert_allclose(got["generator_error"][:, -1], 1.0, rtol=1e-12)
        assert got["generator_norm"][:, -1].max() < 1e-100


# Downstream.


def trained(truth, generations, n_generations=2, **parameters):
    """Return test errors (R, T, M, L) of predictors, of 4 replicates."""
    down = {"n_samples": [9, 30], "ridge": [0.0, 0.5], "generations": generations}
    made = run(model(truth, Replace(n_samples=30), n_generations, downstream=down, **parameters), 4, n_generations)
    return made["predictor"][..., 0]


@pytest.mark.parametrize(
    ("truth", "parameters"),
    [(STEEP, {}), (ROUND, {}), (ROUND, {"follow": "overlaps"}), ({**STEEP, "design": "uniform"}, {"sampler": "raw"})],
    ids=["steep", "round", "overlaps", "raw"],
)
def test_predictor__is_nan_for_other_generations(truth, parameters):
    everywhere, once = trained(truth, "all", 4, **parameters), trained(truth, [0, 3], 4, **parameters)
    assert np.isfinite(everywhere).all()
    assert np.isnan(once[:, [0, 1, 3]]).all()
    np.testing.assert_array_equal(once[:, 2], everywhere[:, 2])


def test_predictor__has_the_axes_of_its_parameters():
    parameters = build(
        RidgeParameters, {"designs": "independent", **NOISE, "downstream": {"n_samples": 9, "exponent": 0.5}}
    )
    axes = parameters.downstream.coordinates()
    assert {name: axis.values.tolist() for name, axis in axes.items()} == {"downstream_samples": [9], "exponent": [0.5]}
    by_ridge = {"downstream": {"n_samples": 9, "ridge": 1 / 3}}
    by_exponent = {"downstream": {"n_samples": 9, "exponent": 0.5}}
    one, other = (
        run(model(STEEP, Replace(n_samples=30), 2, **made), 2, 2)["predictor"] for made in (by_ridge, by_exponent)
    )
    np.testing.assert_allclose(one, other, rtol=1e-12)


@pytest.mark.parametrize("follow", ["weights", "overlaps"])
def test_predictor__has_the_exact_mean_of_least_squares(follow):
    # theory/ridge.md 1 (a): one term of its own noise, one of each generation.
    down = {"n_samples": 50, "ridge": 0.0, "generations": [0, 4]}
    made = model(ROUND, Replace(n_samples=60), 4, downstream=down, follow=follow)
    errors = run(made, 3000, 4)["predictor"][:, -1, 0, 0, 0]
    expected = 0.25 * D / (50 - D - 1) + 4 * FULL
    assert abs(z_scores(errors, expected)) < Z_LIMIT
    assert abs(z_scores(errors, expected - 4 * FULL / 2)) > Z_LIMIT


# Bits.

CHAINS = {
    "least squares": (STEEP, Replace(n_samples=30), {}, ReplaceOnlyChain),
    "minimum norm": (ROUND, Replace(n_samples=5), {}, ReplaceOnlyChain),
    "overlaps": (ROUND, Replace(n_samples=5), {"follow": "overlaps"}, ReplaceOnlyChain),
    "same": (STEEP, Replace(n_samples=30), {"designs": "dependent"}, SharedInputsChain),
    "same, growing pool": (
        STEEP,
        Accumulate(n_samples=5, keep_real=False),
        {"designs": "dependent"},
        SharedInputsChain,
    ),
    "ridge": ({"covariance": COVARIANCE}, Replace(n_samples=9), {"ridge": 0.1}, PooledChain),
    "pool": (STEEP, Accumulate(n_samples=7, keep_real=True), {}, PooledChain),
    "mix": (STEEP, Mix(n_samples=9, n_real=5, real="fixed"), {"designs": "dependent"}, PooledChain),
    "rows": (
        {**STEEP, "design": "rademacher"},
        Mix(n_samples=300, n_real=5, real="fresh"),
        {"sampler": "raw"},
        PooledChain,
    ),
    "subsample": (STEEP, AccumulateSubsample(n_samples=8, keep_real=True, replacement=True), {}, SubsampledChain),
    "same subsample": (
        STEEP,
        AccumulateSubsample(n_samples=8, keep_real=False, replacement=False),
        {"designs": "dependent"},
        SubsampledChain,
    ),
}


@pytest.mark.parametrize(("truth", "workflow", "parameters", "chain"), CHAINS.values(), ids=CHAINS)
def test_bits__do_not_depend_on_blocks_or_threads(truth, workflow, parameters, chain):
    assert type(model(truth, workflow, 9, **parameters)._chain) is chain
    assert_bits_are_reproducible(lambda: model(truth, workflow, 9, **parameters))


def test_truth__does_not_depend_on_the_threads_of_blas():
    from threadpoolctl import threadpool_limits

    rng, found = np.random.default_rng(0), []
    x = rng.standard_normal((400, 150))
    spec = build(RidgeTruth, {"covariance": x.T @ x / 400})
    for n_threads in (1, 2):
        with threadpool_limits(n_threads, "blas"):
            found.append(load_truth(spec))
    np.testing.assert_array_equal(found[0].rotation, found[1].rotation)
    np.testing.assert_array_equal(found[0].weights, found[1].weights)


def test_weights__are_rotated_back_only_if_recorded():
    truth = {"covariance": COVARIANCE}
    assert "weights" not in run(model(truth, Replace(n_samples=9), 2, record=("metrics",)), 2, 2)
    states = run(model(truth, Replace(n_samples=9), 2), 2, 2)
    np.testing.assert_allclose(states["weights"], states["inside"] @ truth_of(**truth).rotation.T, rtol=1e-12)


def test_resume__rejects_a_changed_covariance(tmp_path):
    np.save(tmp_path / "c.npy", np.array(COVARIANCE))
    experiment = Experiment.from_mapping(sections({"covariance": "c.npy"}, ridge=0.1), base=tmp_path)

    def stop(_):
        os.kill(os.getpid(), signal.SIGINT)

    expected = simulate(experiment).metrics["generator_error"]
    with pytest.raises(KeyboardInterrupt):
        simulate(experiment, tmp_path / "out.h5", block=1, progress=stop)
    np.save(tmp_path / "c.npy", 1.01 * np.array(COVARIANCE))
    with pytest.raises(InputError, match=r"out.h5 holds another experiment: data file 'c.npy' has changed"):
        simulate(experiment, tmp_path / "out.h5", resume=True)
    np.save(tmp_path / "c.npy", np.array(COVARIANCE))
    got = simulate(experiment, tmp_path / "out.h5", resume=True)
    np.testing.assert_array_equal(got.metrics["generator_error"], expected)


# Truths.


def test_w0__keywords_give_the_documented_weights():
    assert len(build(RidgeTruth, {"spectrum": [0.1] * 999}).source) < 200
    for values in ({"w0": "constant"}, {"w0": "random", "w0_seed": 3}, {"w0": "source", "r": 0.375}):
        truth = truth_of(dimension=6, beta=1.5, norm=2.0, **values)
        np.testing.assert_allclose(truth.spectrum @ truth.weights**2, 4.0)
        np.testing.assert_allclose(truth.norm, np.linalg.norm(truth.weights))
    source = truth.spectrum * truth.weights**2
    np.testing.assert_allclose(source / source[0], np.arange(1.0, 7) ** -(1 + 2 * 1.5 * 0.375))
    constant = truth_of(dimension=6, beta=1.5).weights
    np.testing.assert_allclose(constant, constant[0])
    assert (truth_of(dimension=6, w0="random").weights != truth_of(dimension=6, w0="random", w0_seed=1).weights).all()
    np.testing.assert_array_equal(truth_of(spectrum=[1.0, 2.0], w0=[3.0, -4.0]).weights, [3.0, -4.0])


def test_covariance__is_read_from_a_list_a_file_or_rows(tmp_path):
    np.save(tmp_path / "c.npy", np.array(COVARIANCE))
    np.savetxt(tmp_path / "c.csv", np.array(COVARIANCE), delimiter=",")
    rows = np.random.default_rng(1).standard_normal((50, 3))
    np.save(tmp_path / "rows.npy", rows)
    for matrix in (COVARIANCE, np.array(COVARIANCE), str(tmp_path / "c.npy"), str(tmp_path / "c.csv")):
        truth = truth_of(covariance=matrix, w0=[1.0, 2.0, 3.0])
        np.testing.assert_allclose(
            truth.rotation @ np.diag(truth.spectrum) @ truth.rotation.T, COVARIANCE, rtol=1e-12, atol=1e-14
        )
        np.testing.assert_allclose(truth.rotate_back(truth.weights), [1.0, 2.0, 3.0], rtol=1e-12)
        assert (np.diff(truth.spectrum) <= 0).all()
    truth = truth_of(rows=str(tmp_path / "rows.npy"), design="rows")
    covariance = rows.T @ rows / 50
    np.testing.assert_allclose(truth.rotation @ np.diag(truth.spectrum) @ truth.rotation.T, covariance, atol=1e-12)
    np.testing.assert_allclose(truth.rows @ truth.rotation.T, rows, atol=1e-12)


TRUTHS = [
    ({}, r"truth.dimension is required: whole number from 1 to 10\*\*6$"),
    ({"dimension": 0}, "truth.dimension must be at least 1, got 0"),
    ({"dimension": 2.0}, "truth.dimension must be a whole number, written without a decimal point, got 2.0"),
    ({"spectrum": [1.0, 0.0]}, r"truth.spectrum\[1\] must be at least 1e-40, got 0.0"),
    ({"spectrum": [1.0, -2.0]}, r"truth.spectrum\[1\] must be at least 1e-40, got -2.0"),
    ({"spectrum": [1.0, float("nan")]}, r"truth.spectrum\[1\] must be a finite number, got nan"),
    ({"spectrum": []}, "truth.spectrum must be a list of at least 1"),
    ({"dimension": 3, "spectrum": [1.0, 2.0]}, "truth.spectrum must have 3 entries, one an input, got 2"),
    ({"dimension": 3, "w0": [1.0, 2.0]}, "truth.w0 must have 3 entries, one an input, got 2"),
    ({"spectrum": [1.0, 2.0], "w0": [1.0]}, "truth.w0 must have 2 entries, one an input, got 1"),
    ({"covariance": COVARIANCE, "w0": [1.0]}, "truth.w0 must have 3 entries, one an input, got 1"),
    ({"dimension": 2, "w0": [0.0, 0.0]}, r"truth.w0 must have an entry of at least 1e-30 in size, got \[0.0, 0.0\]"),
    ({"dimension": 2, "w0": "konstant"}, "truth.w0 must be one of constant, random, source, got 'konstant'.*constant"),
    ({"dimension": 2, "w0": 3.0}, "truth.w0 must be one of constant, random, source, or a list of numbers, got 3.0"),
    ({"dimension": 2, "w0": [1.0, "a"]}, r"truth.w0\[1\] must be a number, got 'a'"),
    ({"dimension": 2, "w0": "source"}, "truth.r must be given if and only if truth.w0 is 'source', got None"),
    ({"dimension": 2, "w0": "source", "r": 0.5}, "truth.w0 must be another one without truth.beta, got 'source'"),
    ({"dimension": 2, "r": 0.5}, "truth.r must be given if and only if truth.w0 is 'source', got 0.5"),
    ({"dimension": 2, "norm": 0}, "truth.norm must be at least 1e-30, got 0"),
    ({"dimension": 2, "beta": -1.0}, "truth.beta must be at least 0, got -1.0"),
    ({"dimension": 10**6, "beta": 20.0}, r"truth.beta must leave at least 1e-40 as the least eigenvalue, got 1000000"),
    (
        {"dimension": 2, "beta": 1.0, "spectrum": [1.0, 2.0]},
        "truth must have at most one of beta, spectrum, .* got beta",
    ),
    ({"covariance": [[1.0, 2.0], [2.0, 1.0]]}, "truth.covariance must have only positive eigenvalues, got .* from -1"),
    ({"covariance": [[1.0, 1.0], [1.0, 1.0]]}, "truth.covariance must have only positive eigenvalues"),
    ({"covariance": [[0.0, 0.0], [0.0, 0.0]]}, "truth.covariance must have only positive eigenvalues"),
    (
        {"covariance": [[1.0, 0.5], [0.4, 1.0]]},
        r"truth.covariance must be symmetric, got \[\[1.0, 0.5\], \[0.4, 1.0\]\]",
    ),
    ({"covariance": [[1.0, 0.5]]}, r"truth.covariance must be square, got \[\[1.0, 0.5\]\]"),
    ({"covariance": [[1.0], [0.5, 1.0]]}, "truth.covariance must be square"),
    (
        {"dimension": 3, "covariance": [[1.0, 0.0], [0.0, 1.0]]},
        "truth.covariance must have 3 entries, one an input, got",
    ),
    ({"covariance": [1.0, 2.0]}, r"truth.covariance\[0\] must be a list, got 1.0"),
    ({"covariance": [[float("inf")]]}, r"truth.covariance\[0\]\[0\] must be a finite number, got inf"),
    ({"covariance": "nowhere.npy"}, "truth.covariance must be a file, got 'nowhere.npy': no such file"),
    ({"dimension": 2, "design": "gausian"}, "truth.design must be one of gaussian, .*did you mean 'gaussian'"),
    (
        {"dimension": 2, "design": "student"},
        "truth.degrees must be given if and only if truth.design is 'student', got",
    ),
    ({"dimension": 2, "design": "student", "degrees": 2.0}, "truth.degrees must be above 2, got 2.0"),
    ({"dimension": 2, "degrees": 5.0}, "truth.degrees must be given if and only if truth.design is 'student', got 5.0"),
    ({"dimension": 2, "design": "rows"}, "truth.rows must be given if and only if truth.design is 'rows', got None"),
    ({"rows": "x.npy"}, "truth.rows must be given if and only if truth.design is 'rows', got 'x.npy'"),
    ({"rows": "nowhere.npy", "design": "rows"}, "truth.rows must be a file, got 'nowhere.npy': no such file"),
    ({"dimension": 2, "shape": 3}, "truth.shape is not a known key"),
]


@pytest.mark.parametrize(("values", "message"), TRUTHS)
def test_truth__invalid_values_give_a_one_line_error(values, message):
    with pytest.raises(InputError, match=f"^{message}") as caught:
        truth_of(**values)
    assert "\n" not in str(caught.value)


def test_matrix_files__invalid_values_give_a_one_line_error(tmp_path):
    given = {
        "wide": (np.ones((2, 3)), "covariance", "truth.covariance must have 2 rows and columns, got 2 x 3"),
        "huge": (np.eye(2) * 1e200, "covariance", "truth.covariance must have entries of at most 1e.40, got 1e.200"),
        "crooked": (np.array([[1.0, 2.0], [0.0, 1.0]]), "covariance", "truth.covariance must be symmetric"),
        "two columns": (np.ones((5, 2)), "rows", "truth.rows must have 3 columns, got 2"),
        "flat": (np.ones((5, 3)), "rows", "truth.rows must have linearly independent columns, got eigenvalues"),
        "few": (np.eye(3)[:2], "rows", "truth.rows must have linearly independent columns"),
    }
    for name, (matrix, key, message) in given.items():
        np.save(tmp_path / f"{name}.npy", matrix)
        more = {"design": "rows", "dimension": 3} if key == "rows" else {}
        with pytest.raises(InputError, match=f"^{message}") as caught:
            truth_of(**{key: str(tmp_path / f"{name}.npy")}, **more)
        assert "\n" not in str(caught.value)


# Models.

DOWN = {"n_samples": 10, "ridge": 0.1}
MODELS = [
    ({"sigma": -0.1}, "model.sigma must be at least 0, got -0.1"),
    ({"sigma0": -1}, "model.sigma0 must be at least 0, got -1"),
    ({"ridge": -0.1}, "model.ridge must be at least 0, got -0.1"),
    ({"designs": "same"}, "model.designs must be one of independent, dependent, got 'same'"),
    ({"sampler": "rough"}, "model.sampler must be one of exact, raw, got 'rough'"),
    ({"follow": "norm"}, "model.follow must be one of weights, overlaps, got 'norm'"),
    ({"downstream": 5}, "model.downstream must be a table"),
    ({"downstream": {"n_samples": 10}}, "model.downstream must have either ridge or exponent, got neither"),
    ({"downstream": {**DOWN, "exponent": 1.0}}, "model.downstream must have either ridge or exponent, got both"),
    ({"downstream": {**DOWN, "n_samples": 0}}, "model.downstream.n_samples must be at least 1, got 0"),
    ({"downstream": {**DOWN, "n_samples": [5, 0]}}, r"model.downstream.n_samples\[1\] must be at least 1, got 0"),
    ({"downstream": {**DOWN, "n_samples": []}}, "model.downstream.n_samples must be a list of at least 1"),
    ({"downstream": {**DOWN, "ridge": -1.0}}, "model.downstream.ridge must be at least 0, got -1.0"),
    ({"downstream": {**DOWN, "ridge": [0.1, -1.0]}}, r"model.downstream.ridge\[1\] must be at least 0, got -1.0"),
    (
        {"downstream": {**DOWN, "ridge": {"start": 0, "stop": 1, "n": 3}}},
        "model.downstream.ridge.start must be above 0, got 0",
    ),
    ({"downstream": {**DOWN, "ridge": {"start": 0.1, "stop": 1}}}, "model.downstream.ridge.n is required"),
    ({"downstream": {"n_samples": 9, "exponent": -0.5}}, "model.downstream.exponent must be at least 0, got -0.5"),
    ({"downstream": {**DOWN, "generations": "some"}}, "model.downstream.generations must be 'all' or a list"),
    ({"downstream": {**DOWN, "generations": [0, 5]}}, "model.downstream.generations must be at most .* = 4, got 5"),
    ({"downstream": {**DOWN, "generations": [-1]}}, r"model.downstream.generations\[0\] must be at least 0, got -1"),
    ({"downstream": {**DOWN, "T": 3}}, "model.downstream.T is not a known key"),
    ({"lambda": 1.0}, "model.lambda is not a known key"),
]


def sections(truth=None, workflow=None, run=None, **parameters):
    return {
        "model": {"family": "ridge", "designs": "independent", "sigma": 0.1, **parameters},
        "truth": {"dimension": 3} if truth is None else truth,
        "workflow": {"name": "replace", "n_samples": 8, **(workflow or {})},
        "run": {"n_generations": 4, "n_replicates": 2, "seed": 1, **(run or {})},
    }


def assert_refused(given, message, base=None):
    with pytest.raises(InputError, match=f"^{message}") as caught:
        simulate(Experiment.from_mapping(given, base=base))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("parameters", "message"), MODELS)
def test_model__invalid_values_give_a_one_line_error(parameters, message):
    assert_refused(sections(**parameters), message)


def test_model__names_missing_keys():
    with pytest.raises(
        InputError, match=r"model.designs is required: independent \| dependent; model.sigma is required"
    ):
        build(RidgeParameters, {})


SMALL = {"name": "mix", "n_samples": 8, "n_real": 2, "real": "fresh"}
RUNS = [
    (sections(workflow={"n_samples": 0}), "workflow.n_samples must be at least 1, got 0"),
    (
        sections(workflow={"n_samples": {"start": 8, "step": 1}}, designs="dependent"),
        "workflow.n_samples must be one number where model",
    ),
    (
        sections({"dimension": 3, "design": "rademacher"}),
        "model.sampler must be 'raw' where truth.design is 'rademacher', got 'exact'",
    ),
    (sections({"dimension": 3, "beta": 1.0}, follow="overlaps"), "model.follow must be 'weights' without isotropic"),
    (sections(follow="overlaps", ridge=0.1), "model.follow must be 'weights' without .* no ridge"),
    (sections(follow="overlaps", designs="dependent"), "model.follow must be 'weights' without .* independent designs"),
    (sections(follow="overlaps", sampler="raw"), "model.follow must be 'weights' without .* the exact sampler"),
    (sections(follow="overlaps", workflow=SMALL), "model.follow must be 'weights' without .* workflow replace"),
    (
        sections(follow="overlaps", workflow={"name": "accumulate", "keep_real": True}),
        "model.follow must be 'weights' without .* workflow replace, got 'overlaps'",
    ),
    (sections(run={"record": ["test_error"]}), "run.record must be of generator_error, .* got 'test_error'"),
    (sections(run={"record": ["test_bias", "generator_error"]}), "run.record must be of .* got 'test_bias'"),
    (sections(run={"record": ["entropy"]}), "run.record"),
    (sections({"dimension": 10**6}, ridge=0.1), "truth.dimension must be at most 30000 where matrices of its square"),
    (
        sections({"dimension": 1}, workflow={"n_samples": 3 * 10**9}, sampler="raw", designs="dependent"),
        "workflow.n_samples must keep the points",
    ),
    (
        sections(workflow={"name": "accumulate_subsample", "n_samples": 10**9, "keep_real": True, "replacement": True}),
        "workflow.n_samples must keep the points",
    ),
]


@pytest.mark.parametrize(("given", "message"), RUNS)
def test_run__invalid_combinations_give_a_one_line_error(given, message):
    assert_refused(given, message)


def test_accumulate__of_one_generation_is_replace_for_overlaps():
    given = sections(follow="overlaps", workflow={"name": "accumulate", "keep_real": True}, run={"n_generations": 1})
    assert "generator_error" in simulate(Experiment.from_mapping(given)).metrics


TOML = """
[model]
family = "ridge"
designs = "independent"
sigma = {sigma}
sampler = "{sampler}"
[truth]
{truth}
[workflow]
name = "replace"
n_samples = {n_samples}
[run]
n_generations = 2
n_replicates = 2
seed = 1
"""
LINES = [
    ({"n_samples": 0}, "workflow.n_samples must be at least 1, got 0"),
    ({"sigma": -1}, "model.sigma must be at least 0, got -1"),
    ({"truth": "spectrum = [1.0, 0.0]"}, "truth.spectrum[1] must be at least 1e-40, got 0.0"),
    ({"truth": 'covariance = "c.npy"'}, "truth.covariance must be a file, got 'c.npy': no such file"),
    (
        {"truth": 'rows = "text.csv"\ndesign = "rows"', "sampler": "raw"},
        "truth.rows must be numbers in an idx, .npy, .npz or .csv file",
    ),
    ({"truth": 'rows = "nan.npy"\ndesign = "rows"', "sampler": "raw"}, "truth.rows must be an array of finite numbers"),
    ({"truth": 'dimension = 3\ndesign = "uniform"'}, "model.sampler must be 'raw' where truth.design is 'uniform'"),
]


@pytest.mark.parametrize(("values", "message"), LINES)
def test_command_line__prints_a_one_line_error(tmp_path, values, message):
    values = {"sigma": 0.1, "n_samples": 8, "truth": "dimension = 3", "sampler": "exact", **values}
    (tmp_path / "ridge.toml").write_text(TOML.format(**values))
    (tmp_path / "text.csv").write_text("1,2,3\n4,five,6\n")
    np.save(tmp_path / "nan.npy", np.array([[1.0, np.nan]]))
    done = CliRunner().invoke(main, ["run", str(tmp_path / "ridge.toml"), "--output", str(tmp_path / "out.h5")])
    assert done.exit_code == 2
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out.h5").exists()


# Moments that are infinite.


def warned(truth, workflow, n_generations=3, **parameters):
    made = build(RidgeParameters, {"designs": "independent", **NOISE, **parameters})
    lines = infinite_moment_warnings(truth_of(**truth), made, workflow.schedule(n_generations, None))
    assert lines == [str(one) for one in model(truth, workflow, n_generations, **parameters).warnings()]
    return lines


@pytest.mark.parametrize("n", range(1, 13))
def test_warnings__are_given_exactly_for_infinite_moments(n):
    d = 6
    few = {1: "mean", 3: "variance"}
    moment = next((word for most, word in few.items() if abs(n - d) <= most), None)
    expected = [] if moment is None else [f"fit to {n} samples of 6 inputs has an infinite {moment} of generator_error"]
    truth, same = {"dimension": d, "beta": 1.0}, {"designs": "dependent"}
    alike = [
        warned(truth, Replace(n_samples=n)),
        warned(truth, Replace(n_samples=n), **same),
        warned(truth, Accumulate(n_samples=n, keep_real=True), **same),
        warned({"dimension": d}, Replace(n_samples=n), follow="overlaps"),
        warned({"dimension": d, "design": "uniform"}, Replace(n_samples=n), sampler="raw"),
        warned(truth, AccumulateSubsample(n_samples=20, n_train=n, keep_real=True, replacement=False)),
    ]
    if n > 1:
        alike.append(warned(truth, Mix(n_samples=n - 1, n_real=1, real="fresh")))
        alike.append(warned(truth, Mix(n_samples=n - 1, n_real=1, real="fixed"), sigma0=0.0, **same))
    for lines in alike:
        assert len(lines) == len(expected)
        assert all(words in line for words, line in zip(expected, lines, strict=True))
    for nothing in (
        warned(truth, Replace(n_samples=n), ridge=0.01),
        warned(truth, Replace(n_samples=n), sigma0=0.0),
        warned({"dimension": d, "design": "rademacher"}, Replace(n_samples=n), sampler="raw"),
    ):
        assert nothing == []
    # Downstream.
    down = {"n_samples": [50, n], "ridge": [0.1, 0.0]}
    lines = warned(truth, Replace(n_samples=50), downstream=down)
    assert [line.replace("test_error", "generator_error") for line in lines] == [
        f"model.downstream.n_samples: the fit to {n} samples without a ridge of 6 inputs has an infinite {moment} of "
        "generator_error: medians and quantiles say more than means"
    ] * (moment is not None)
    assert warned(truth, Replace(n_samples=50), downstream={**down, "ridge": 0.1}) == []
    # Without noise of its own the predictor is a projection of the generator.
    assert warned(truth, Replace(n_samples=50), downstream=down, sigma=0.0) == []


def test_warnings__name_the_size_nearest_to_the_dimension():
    truth = {"dimension": 6}
    for workflow, words in (
        (Replace(n_samples={"start": 2, "step": 2}), "fit to 6 samples of 6 inputs has an infinite mean"),
        (Replace(n_samples=[50, 9, 50]), "fit to 9 samples of 6 inputs has an infinite variance"),
        (Accumulate(n_samples=2, keep_real=True), "fit to 6 samples of 6 inputs has an infinite mean"),
        (Accumulate(n_samples=5, keep_real=True), "fit to 5 samples of 6 inputs has an infinite mean"),
    ):
        (line,) = warned(truth, workflow)
        assert words in line
    assert warned(truth, Accumulate(n_samples=2, keep_real=True), 1) == []
    assert warned(truth, Accumulate(n_samples=10, keep_real=True)) == []


def test_warnings__count_distinct_rows_of_subsamples():
    # Of 13 draws from 13 rows some 8 are different, of 13 draws from 26 that are twice 13 rows some 10.
    words = "workflow.n_samples: the fit to 8 different samples of 8 inputs has an infinite mean of generator_error"
    for replacement, designs in ((True, "independent"), (True, "dependent"), (False, "dependent")):
        workflow = AccumulateSubsample(n_samples=13, keep_real=True, replacement=replacement)
        (line,) = warned({"dimension": 8}, workflow, designs=designs)
        assert line.startswith(words)
    assert warned({"dimension": 8}, workflow) == []
    # Ten deviations away.
    assert warned({"dimension": 8}, AccumulateSubsample(n_samples=50, keep_real=True, replacement=True)) == []


def test_warnings__are_given_for_mixed_labels_without_noise():
    # The first fit cannot see all of the truth, so that its labels and real ones contradict each other.
    mix, noiseless = Mix(n_samples=3, n_real=2, real="fresh"), {"sigma": 0.0, "sigma0": 0.0}
    (line,) = warned({"dimension": 6}, mix, **noiseless)
    assert "fit to 5 samples of 6 inputs has an infinite mean of generator_error" in line
    assert warned({"dimension": 5}, mix, **noiseless) == []
    assert warned({"dimension": 6}, Replace(n_samples=5), **noiseless) == []


def test_simulate__warns_and_continues():
    with pytest.warns(
        InfiniteMomentWarning, match="fit to 4 samples of 3 inputs has an infinite mean of generator_error"
    ):
        results = simulate(Experiment.from_mapping(sections(workflow={"n_samples": 4})))
    assert np.isfinite(results.metrics["generator_error"]).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error", InfiniteMomentWarning)
        simulate(Experiment.from_mapping(sections(workflow={"n_samples": 7})))


def test_command_line__prints_a_one_line_warning(tmp_path):
    (tmp_path / "ridge.toml").write_text(TOML.format(sigma=0.1, n_samples=4, truth="dimension = 3", sampler="exact"))
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        done = CliRunner().invoke(main, ["run", str(tmp_path / "ridge.toml"), "--output", str(tmp_path / "out.h5")])
    assert done.exit_code == 0
    (line,) = [line for line in done.stderr.splitlines() if "warning" in line]
    assert line.startswith("warning: workflow.n_samples: the fit to 4 samples of 3 inputs has an infinite mean")


@pytest.mark.parametrize(
    ("truth", "message"),
    [
        (
            {"spectrum": [1e-40, 1e-40], "norm": 1e30},
            r"^truth\.norm must give true weights of at most 1e\+30 along .*e\+49",
        ),
        (
            {"covariance": [[1e40, 0.99e40], [0.99e40, 1e40]]},
            r"^truth\.covariance must give eigenvalues of the covariance from 1e-40 to 1e\+40, got .* to 1.99e\+40$",
        ),
    ],
)
def test_truth__values_that_are_too_large_together_give_a_one_line_error(truth, message):
    with pytest.raises(InputError, match=message):
        build(RidgeTruth, truth).load()
