"""Univariate and multivariate Gaussian runs: law of raw refits, bits, equivariance, long runs and invalid input."""

import math
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from fastcollapse import open_results, simulate
from fastcollapse.config.section_base import build
from fastcollapse.config.workflows import Accumulate, AccumulateSubsample, Mix, Replace
from fastcollapse.errors import InputError
from fastcollapse.models.gaussian.model import MODEL
from fastcollapse.models.gaussian.multivariate import MultivariateGaussian
from fastcollapse.models.gaussian.parameters import GaussianParameters, GaussianTruth
from fastcollapse.models.gaussian.univariate import UnivariateGaussian
from fastcollapse.simulation.experiment import Experiment
from tests.models._block_runs import IDS, WORKFLOWS, assert_bits_are_reproducible, run
from tests.naive import gaussian as naive

# About 250 goodness-of-fit tests in this file, 4e-7 each: 1e-4 in all.
P_LIMIT = 4e-7
COVARIANCE = [[2.0, 0.5, 0.3], [0.5, 1.0, -0.2], [0.3, -0.2, 0.5]]
UNIVARIATE = {"mean": 3.0, "sigma": 2.0}
MULTIVARIATE = {"dimension": 3, "mean": [1.0, -2.0, 0.5], "covariance": COVARIANCE}


def model(truth, workflow, n_generations, estimator="unbiased"):
    schedule = workflow.schedule(n_generations, None)
    return MODEL.create(build(GaussianTruth, truth), GaussianParameters(estimator=estimator), schedule, ("metrics",))


def raw(truth, schedule, ddof, rng):
    """Return mean (d) and covariance (d, d) after the schedule, from points."""
    truth = build(GaussianTruth, truth)
    d, mean_0, covariance_0 = truth.dimension, truth.means(), truth.factor() @ truth.factor().T

    def draw(mean, covariance, n):
        factor = np.linalg.cholesky(covariance)
        return mean + rng.standard_normal((n, d)) @ factor.T

    mean, covariance, pool = mean_0, covariance_0, np.empty((0, d))
    fixed = draw(mean_0, covariance_0, schedule.n_real[0])
    for t in range(len(schedule.n_synthetic)):
        real = fixed if schedule.real == "fixed" else draw(mean_0, covariance_0, schedule.n_real[t])
        new = draw(mean, covariance, schedule.n_synthetic[t])
        pool = np.concatenate([pool if schedule.keep[t] else pool[:0], new, real])
        fitted = pool
        if schedule.n_train[t]:
            fitted = pool[rng.choice(len(pool), schedule.n_train[t], replace=schedule.replacement)]
        mean, covariance = fitted.mean(axis=0), np.cov(fitted.T, ddof=ddof).reshape(d, d)
    return mean, covariance


def summaries(mean, covariance, truth):
    """Return summaries (R, 7): coordinates, covariances, largest eigenvalue, ln det, squared error of the mean."""
    errors = ((mean - build(GaussianTruth, truth).means()) ** 2).sum(axis=1)
    largest = np.linalg.eigvalsh(covariance)[:, -1]
    log_det = np.linalg.slogdet(covariance)[1]
    return np.column_stack(
        [mean[:, 0], mean[:, -1], covariance[:, 0, 0], covariance[:, -1, 0], largest, log_det, errors]
    )


def simulated(truth, workflow, estimator, n_replicates, n_generations, seed=1):
    states = run(model(truth, workflow, n_generations, estimator), n_replicates, n_generations, seed)
    if "log_sigma" in states:
        return states["mean"][:, -1:], np.exp(2 * states["log_sigma"])[:, -1, None, None]
    factor = states["factor"][:, -1]
    np.testing.assert_allclose(np.log(factor.diagonal(axis1=1, axis2=2)), states["log_diagonal"][:, -1], atol=1e-12)
    return states["mean"][:, -1], factor @ factor.transpose(0, 2, 1)


@pytest.mark.parametrize("truth", [UNIVARIATE, MULTIVARIATE], ids=["univariate", "multivariate"])
@pytest.mark.parametrize("estimator", ["unbiased", "mle"])
@pytest.mark.parametrize("workflow", WORKFLOWS, ids=IDS)
def test_law__equals_raw_refits(truth, workflow, estimator):
    n_generations, rng = 3, np.random.default_rng(5)
    schedule = workflow.schedule(n_generations, None)
    pairs = [raw(truth, schedule, estimator == "unbiased", rng) for _ in range(1000)]
    expected = summaries(*(np.array(part) for part in zip(*pairs, strict=True)), truth)
    got = summaries(*simulated(truth, workflow, estimator, 4000, n_generations), truth)
    p = [stats.ks_2samp(got[:, i], expected[:, i]).pvalue for i in range(got.shape[1])]
    assert min(p) > P_LIMIT
    # Negative control: the truth a tenth wider, against the variance itself.
    other = {
        **truth,
        **({"sigma": 2.5} if truth is UNIVARIATE else {"covariance": (1.5 * np.array(COVARIANCE)).tolist()}),
    }
    wrong = summaries(*simulated(other, workflow, estimator, 4000, n_generations), truth)
    assert stats.ks_2samp(wrong[:, 5], expected[:, 5]).pvalue < P_LIMIT


@pytest.mark.parametrize("truth", [UNIVARIATE, MULTIVARIATE], ids=["univariate", "multivariate"])
@pytest.mark.parametrize("workflow", WORKFLOWS, ids=IDS)
def test_bits__do_not_depend_on_blocks_or_threads(truth, workflow):
    made = model(truth, workflow, 9)
    assert isinstance(made, UnivariateGaussian if truth is UNIVARIATE else MultivariateGaussian)
    assert_bits_are_reproducible(lambda: model(truth, workflow, 9))


@pytest.mark.parametrize("n_samples", [2, 3, 100, 10**6])
def test_increments__have_a_chi_square_law(n_samples):
    states = run(model({}, Replace(n_samples=n_samples), 50, "mle"), 4000, 50)
    steps = np.diff(states["log_sigma"], axis=1).ravel()
    chi = n_samples * np.exp(2 * steps)
    assert stats.kstest(chi, stats.chi2(n_samples - 1).cdf).pvalue > P_LIMIT
    wrong = n_samples if n_samples <= 100 else 1.0003 * n_samples
    assert stats.kstest(chi, stats.chi2(wrong).cdf).pvalue < P_LIMIT


FEW = [
    Replace(n_samples=4),
    Accumulate(n_samples=4, keep_real=True),
    AccumulateSubsample(n_samples=4, keep_real=True, replacement=False),
    AccumulateSubsample(n_samples=4, keep_real=False, replacement=False),
]


@pytest.mark.parametrize("workflow", FEW, ids=["replace", "accumulate", "subsample real too", "subsample"])
def test_low_rank__equals_raw_refits(workflow):
    # 4 points in 6 dimensions: covariances of rank 3, their spectrum, and the mean, beyond their span too.
    n_generations = 3
    states = run(model({"dimension": 6, "sigma": 2.0}, workflow, n_generations, "mle"), 6000, n_generations)
    assert states["factor"].shape == (6000, n_generations, 3, 3)
    assert states["mean"].shape == (6000, n_generations, 6)
    rng, expected = np.random.default_rng(3), []
    for _ in range(1500):
        fitted = pool = 2 * rng.standard_normal((4, 6))
        for generation in range(2, n_generations + 1):
            # Combinations of what was fitted, with its mean and its covariance over n.
            centred = fitted - fitted.mean(axis=0)
            new = fitted.mean(axis=0) + rng.standard_normal((4, len(fitted))) @ centred / np.sqrt(len(fitted))
            starts_anew = generation == 2 and not getattr(workflow, "keep_real", False)
            pool = new if workflow.name == "replace" or starts_anew else np.concatenate([pool, new])
            fitted = rng.permutation(pool)[:4] if workflow.name == "accumulate_subsample" else pool
        values = np.linalg.eigvalsh(np.cov(fitted.T, ddof=0))[-3:]
        expected.append([*values, (fitted.mean(axis=0) ** 2).sum()])
    factor = states["factor"][:, -1]
    values = np.linalg.eigvalsh(factor @ factor.transpose(0, 2, 1))
    got = np.column_stack([values, (states["mean"][:, -1] ** 2).sum(axis=1)])
    for i, column in enumerate(np.array(expected).T):
        assert stats.ks_2samp(got[:, i], column).pvalue > P_LIMIT
        assert stats.ks_2samp(3 * got[:, i], column).pvalue < P_LIMIT


def test_subsample__near_a_plane_has_the_determinant_of_its_points():
    # Of this replicate the points of generation 67 are 32 in 31 dimensions, 1e-8 wide in one direction.
    made = model({"dimension": 31}, AccumulateSubsample(n_samples=32, keep_real=True, replacement=False), 67, "mle")
    state = made.initial(1, 1432242357745325088, 86)
    got = 2 * made.advance(state, 1, 67, 1432242357745325088, 86).states["log_diagonal"][0, -1].sum()
    points = state.points[0][state.order[0][:32]]
    values = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)[:31]
    assert values[-1] < 1e-7
    assert got == pytest.approx(np.log(values**2 / 32).sum(), abs=1e-6)
    # Negative control: the squares alone.
    assert abs(np.linalg.slogdet(np.cov(points.T, ddof=0))[1] - got) > 0.1


REPEATS = AccumulateSubsample(n_samples=5, keep_real=True, replacement=True, n_train=4)


def test_subsample__of_few_different_points_equals_raw_refits():
    # Most subsamples of 4 of 5 to 15 points repeat one, so that their covariance has a rank of 0 to 2 in 3 dimensions.
    truth, n_generations = build(GaussianTruth, MULTIVARIATE), 3
    states = run(model(MULTIVARIATE, REPEATS, n_generations, "mle"), 6000, n_generations)
    rng, schedule = np.random.default_rng(8), REPEATS.schedule(n_generations, None)
    covariance = truth.factor() @ truth.factor().T
    chains = [
        naive.multivariate_chain(truth.means(), covariance, schedule, n_generations, rng, estimator="mle")
        for _ in range(1500)
    ]
    for t in range(1, n_generations + 1):
        expected = np.array([covariances[t] for _, covariances in chains])
        factor = states["factor"][:, t - 1]
        np.testing.assert_allclose(factor.diagonal(axis1=1, axis2=2), np.exp(states["log_diagonal"][:, t - 1]), 1e-15)
        got = factor @ factor.transpose(0, 2, 1)
        # The zeros of a factor are exact.
        ranks = (states["log_diagonal"][:, t - 1] > -np.inf).sum(axis=1)
        wanted = np.linalg.matrix_rank(expected, tol=1e-12, hermitian=True)
        table = np.array([np.bincount(ranks, minlength=4), np.bincount(wanted, minlength=4)])
        assert (table > 0).all()
        assert stats.chi2_contingency(table).pvalue > P_LIMIT
        # No rounding error is taken for a direction: the points of a law in a plane stay in it.
        assert states["log_diagonal"][:, t - 1][states["log_diagonal"][:, t - 1] > -np.inf].min() > -20
        means = states["mean"][:, t - 1], np.array([mean[t] for mean, _ in chains])
        for i in range(3):
            assert stats.ks_2samp(means[0][:, i], means[1][:, i]).pvalue > P_LIMIT
            assert stats.ks_2samp(got[:, -1, i], expected[:, -1, i]).pvalue > P_LIMIT
        # Negative control: a subsample without repeats.
        other = np.full_like(table[0], 0)
        other[3] = len(ranks)
        assert stats.chi2_contingency([other + 1, table[1]]).pvalue < P_LIMIT


@pytest.mark.parametrize("dimension", [1, 2, 3, 6])
def test_subsample__of_few_different_points_has_its_metrics(dimension):
    run = {"n_generations": 6, "n_replicates": 500, "seed": 1, "record": ["metrics", "trajectory"]}
    workflow = {"name": "accumulate_subsample", "n_samples": 7, "n_train": 7, "keep_real": True, "replacement": True}
    mapping = {
        "model": {"family": "gaussian", "estimator": "mle"},
        "truth": {"dimension": dimension, "sigma": 2.0},
        "workflow": workflow,
        "run": run,
    }
    results = simulate(Experiment.from_mapping(mapping))
    logs = results.states["log_sigma"][..., None] if dimension == 1 else results.states["log_diagonal"]
    short = (logs == -np.inf).any(axis=-1)
    assert short.any() == (dimension > 1)  # seven equal points are too rare
    for name, values in results.metrics.items():
        limit = {"log_det": -np.inf, "log_sigma": -np.inf, "kl_divergence": np.inf}.get(name)
        if limit is not None:
            assert (values[short] == limit).all(), name
            values = values[~short]
        assert np.isfinite(values).all(), name
    assert (results.metrics["effective_rank"] <= np.maximum(1, (logs > -np.inf).sum(axis=-1)) + 1e-9).all()


def test_subsample__of_few_different_points_has_the_same_bits_in_blocks_and_threads():
    assert_bits_are_reproducible(lambda: model(MULTIVARIATE, REPEATS, 9))


def test_low_rank__subsample_bits_do_not_depend_on_blocks_or_threads():
    assert_bits_are_reproducible(lambda: model({"dimension": 6}, FEW[2], 9))


@settings(max_examples=15)
@given(
    st.floats(-1e6, 1e6), st.floats(1e-100, 1e100), st.sampled_from(range(len(WORKFLOWS))), st.integers(0, 2**64 - 1)
)
def test_univariate__is_affine_in_the_truth(shift, scale, which, seed):
    standard = run(model({}, WORKFLOWS[which], 6), 2, 6, seed)
    moved = run(model({"mean": shift, "sigma": scale}, WORKFLOWS[which], 6), 2, 6, seed)
    np.testing.assert_array_equal(moved["mean"], shift + scale * standard["mean"])
    np.testing.assert_array_equal(moved["log_sigma"], math.log(scale) + standard["log_sigma"])


@settings(max_examples=15)
@given(st.floats(1e-3, 1e3), st.sampled_from(range(len(WORKFLOWS))), st.integers(0, 2**64 - 1))
def test_multivariate__scales_with_the_truth(scale, which, seed):
    wide = {**MULTIVARIATE, "mean": 0.0, "covariance": (scale**2 * np.array(COVARIANCE)).tolist()}
    standard = run(model({**MULTIVARIATE, "mean": 0.0}, WORKFLOWS[which], 5), 2, 5, seed)
    moved = run(model(wide, WORKFLOWS[which], 5), 2, 5, seed)
    for name in ("mean", "factor"):
        np.testing.assert_allclose(moved[name], scale * standard[name], rtol=1e-8, atol=1e-10 * scale)


def test_univariate__stays_finite_for_a_million_generations():
    n_generations = 10**6
    univariate = model({}, Replace(n_samples=10), n_generations)
    state, first = univariate.initial(3, 1), 1
    while first <= n_generations:
        length = univariate.block_length(state, n_generations - first + 1)
        states = univariate.advance(state, first, length, 1).states
        assert np.isfinite(states["mean"]).all()
        assert np.isfinite(states["log_sigma"]).all()
        first += length
    # The drift per generation is (psi(nu / 2) - ln(nu / 2)) / 2 = -0.0565, with a standard deviation of 0.24.
    assert (np.abs(states["log_sigma"][:, -1] / n_generations + 0.0565) < 0.002).all()


class _Watch:
    """Peak growth of the anonymous memory of this process, sampled every 5 ms; pages of mapped files do not count."""

    def __enter__(self):
        self._over, self._start, self.growth = threading.Event(), self._now(), 0
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    @staticmethod
    def _now():
        status = Path("/proc/self/status").read_text()
        return 1024 * int(status.partition("RssAnon:")[2].split()[0])

    def _look(self):
        while not self._over.wait(0.005):
            self.growth = max(self.growth, self._now() - self._start)

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_univariate__streams_a_long_run_to_a_file_in_bounded_memory(tmp_path):
    """The run writes 7.2 GB of metrics and states, and needs twice as much while the file is merged."""
    if shutil.disk_usage(tmp_path).free < 20e9:
        pytest.skip("20 GB of disk are needed")
    n_generations, n_replicates = 10**6, 100
    experiment = Experiment.from_mapping(
        {
            "model": {"family": "gaussian", "estimator": "unbiased"},
            "truth": {},
            "workflow": {"name": "replace", "n_samples": 10},
            "run": {
                "n_generations": n_generations,
                "n_replicates": n_replicates,
                "seed": 1,
                "record": ["metrics", "trajectory"],
            },
        }
    )
    simulate(experiment.with_values({"run.n_generations": 10}), tmp_path / "short.h5")
    try:
        with _Watch() as memory:
            simulate(experiment, tmp_path / "out.h5")
        # Two parts of 256 MiB, one being written while the next fills, and room for a block and its metrics.
        assert memory.growth < 3 * 2**28
        results = open_results(tmp_path / "out.h5")
        assert results.complete
        for values in (*results.metrics.values(), *results.states.values()):
            assert all(np.isfinite(row).all() for row in values)
        last = np.array(results.states["log_sigma"][:, -1])
    finally:
        (tmp_path / "out.h5").unlink(missing_ok=True)
    # Increments are ln(chi2_9 / 9) / 2, and exp(-57,000) is far below the smallest float.
    half = 4.5
    drift = (special.digamma(half) - math.log(half)) / 2
    error = math.sqrt(special.polygamma(1, half) / 4 * n_generations / n_replicates)
    assert abs(last.mean() - drift * n_generations) < 5 * error
    assert last.max() < -50_000


def test_multivariate__stays_finite_for_thousands_of_generations():
    for truth in (MULTIVARIATE, {"dimension": 6}):
        states = run(model(truth, Replace(n_samples=5), 50_000, "mle"), 1, 50_000)
        assert all(np.isfinite(values).all() for values in states.values())
        assert states["log_diagonal"][0, -1].max() < -5000


TRUTHS = [
    ({"dimension": 0}, "truth.dimension must be at least 1, got 0"),
    ({"sigma": -1.0}, "truth.sigma must be above 0, got -1.0"),
    ({"sigma": 0}, "truth.sigma must be above 0, got 0"),
    ({"mean": math.nan}, "truth.mean must be a finite number, got nan"),
    ({"dimension": 2, "mean": [0.0, math.nan]}, r"truth.mean\[1\] must be a finite number, got nan"),
    ({"dimension": 2, "sigma": [1.0, -1.0]}, r"truth.sigma\[1\] must be above 0, got -1.0"),
    ({"dimension": 2, "mean": [1.0]}, "truth.mean must be a number or a list of truth.dimension = 2 numbers, got 1"),
    ({"dimension": 2, "covariance": [[1.0, 2.0], [2.0, 1.0]]}, "truth.covariance must be positive definite"),
    ({"dimension": 2, "covariance": [[1.0, 0.5], [0.4, 1.0]]}, "truth.covariance must be symmetric"),
    (
        {"dimension": 2, "covariance": [[1.0, math.inf], [0.4, 1.0]]},
        r"truth.covariance\[0\]\[1\] must be a finite number",
    ),
    ({"dimension": 2, "covariance": [[1.0]]}, "truth.covariance must have truth.dimension = 2 rows and columns"),
    ({"dimension": 1, "covariance": [[1.0]], "sigma": 1.0}, "truth must have sigma or covariance, got both"),
]


@pytest.mark.parametrize(("values", "message"), TRUTHS)
def test_truth__invalid_values_give_a_one_line_error(values, message):
    with pytest.raises(InputError, match=f"^{message}") as caught:
        build(GaussianTruth, values)
    assert "\n" not in str(caught.value)


def test_estimator__is_required():
    with pytest.raises(InputError, match=r"^model.estimator is required: unbiased \| mle$"):
        build(GaussianParameters, {})
    with pytest.raises(InputError, match=r"did you mean 'unbiased'"):
        GaussianParameters(estimator="unbiassed")


REFUSED = [
    ({}, Replace(n_samples=1), "workflow.n_samples must give at least 2 points .* got 1 at generation 1$"),
    ({}, Accumulate(n_samples=1, keep_real=True), "workflow.n_samples must give at least 2 points"),
    (
        {},
        AccumulateSubsample(n_samples=4, keep_real=True, replacement=False, n_train=1),
        "workflow.n_train must give at least 2 points",
    ),
    (
        {},
        AccumulateSubsample(n_samples=1, keep_real=True, replacement=False),
        "workflow.n_samples must give at least 2 points",
    ),
    (MULTIVARIATE, Replace(n_samples=3), "workflow.n_samples must give more than truth.dimension = 3 points, got 3"),
    ({"dimension": 3}, Replace(n_samples=[3, 2]), "workflow.n_samples must give more than truth.dimension = 3 points"),
    ({"dimension": 3}, Replace(n_samples=[9, 3]), "workflow.n_samples must give more than truth.dimension = 3 points"),
    ({"dimension": 3}, Mix(n_samples=2, n_real=1, real="fresh"), "workflow.n_samples must give more than"),
    (
        {"dimension": 3},
        AccumulateSubsample(n_samples=4, keep_real=True, replacement=False, n_train=3),
        "workflow.n_train must give more than",
    ),
]


@pytest.mark.parametrize("estimator", ["unbiased", "mle"])
@pytest.mark.parametrize(("truth", "workflow", "message"), REFUSED)
def test_sizes__too_few_points_give_a_one_line_error(truth, workflow, message, estimator):
    with pytest.raises(InputError, match=f"^{message}"):
        model(truth, workflow, 2, estimator)


def test_pool__larger_than_memory_is_rejected():
    huge = model({}, AccumulateSubsample(n_samples=10**6, keep_real=True, replacement=False), 10**4)
    with pytest.raises(InputError, match=r"workflow\.n_samples must keep the points"):
        huge.initial(1, 1)
