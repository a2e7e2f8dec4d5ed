"""A change of frame leaves the law and the batches as they are."""

import math

import numpy as np
import pytest

from fastcollapse.kernels.gaussian.multivariate_frames import (
    MultivariateLaws,
    is_far,
    move_to_law,
    move_to_truth,
    new_staged_workspace,
    real_to_frame,
    update_law,
)

D = 3
TRUTH = np.array([[2.0, 0.0, 0.0], [0.5, 1.0, 0.0], [-0.3, 0.2, 0.7]])


def lower(rng, scale=1.0):
    return scale * (np.tril(rng.normal(size=(D, D)), -1) + np.diag(rng.uniform(0.5, 2, D)))


def laws(seed=1):
    """Return one law in a frame, with two batches."""
    rng = np.random.default_rng(seed)
    frame, squares = lower(rng, 0.1), rng.normal(size=(1, 2, D, 2 * D))
    state = MultivariateLaws(
        mean=np.zeros((1, D)),
        unit=np.zeros((1, D, D)),
        log_diagonal=np.zeros((1, D)),
        origin=rng.normal(size=(1, D)),
        frame_unit=(frame / frame.diagonal())[None],
        frame_log=np.log(frame.diagonal())[None],
        is_truth=np.zeros(1, np.int64),
        local_mean=rng.normal(size=(1, D)),
        local_factor=lower(rng)[None],
        counts=np.array([[5.0, 2.0]]),
        means=rng.normal(size=(1, 2, D)),
        squares=squares @ squares.swapaxes(-1, -2),
        real_mean=np.zeros((0, D)),
        real_upper=np.zeros((0, D, D)),
    )
    workspace = new_staged_workspace(D)
    update_law(state, 0, workspace)
    return state, workspace


def frame_of(state):
    return np.tril(state.frame_unit[0]) * np.exp(state.frame_log[0])


def absolute(state):
    """Return mean and covariance of the law, and means and squares of the batches, in units of the data."""
    frame, origin = frame_of(state), state.origin[0]
    root = frame @ np.tril(state.local_factor[0])
    found = [origin + frame @ state.local_mean[0], root @ root.T]
    for place in range(2):
        upper = np.triu(state.squares[0, place])
        squares = upper + np.triu(upper, 1).T
        found += [origin + frame @ state.means[0, place], frame @ squares @ frame.T]
    return found


def assert_close(got, expected):
    for mine, other in zip(got, expected, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-10, atol=1e-12)


def test_update_law__is_the_law_in_units_of_the_data():
    state, _ = laws()
    root = np.tril(state.unit[0]) * np.exp(state.log_diagonal[0])
    assert_close([state.mean[0], root @ root.T], absolute(state)[:2])


@pytest.mark.parametrize("to_truth", [False, True])
def test_moves__change_no_law_and_no_batch(to_truth):
    state, workspace = laws()
    expected, places = absolute(state), (state.counts[0], state.means[0], state.squares[0])
    if to_truth:
        move_to_truth(state, 0, TRUTH, places, workspace)
        assert_close([frame_of(state), state.origin[0]], [TRUTH, np.zeros(D)])
    else:
        move_to_law(state, 0, places, workspace)
        assert_close([np.tril(state.local_factor[0]), state.local_mean[0]], [np.eye(D), np.zeros(D)])
    assert state.is_truth[0] == to_truth
    assert_close(absolute(state), expected)


def test_real_to_frame__is_the_same_batch():
    state, workspace = laws()
    rng = np.random.default_rng(2)
    mean, factor = rng.normal(size=D), lower(rng)
    workspace.real_mean[:], workspace.real_upper[:] = mean, factor.T
    real_to_frame(state, 0, TRUTH, workspace)
    frame = frame_of(state)
    got = frame @ np.triu(workspace.real_upper).T
    assert_close([state.origin[0] + frame @ workspace.real_mean, got], [TRUTH @ mean, TRUTH @ factor])


def test_is_far__sees_each_coordinate():
    near = (np.zeros(D), np.eye(D))
    assert not is_far(*near)
    far = math.exp(3.1)
    for factor in (np.diag([1, far, 1.0]), np.diag([1, 1, 1 / far]), np.eye(D) + far * np.eye(D, k=-1)):
        assert is_far(near[0], factor)
    assert is_far(np.array([0, -(far**2), 0]), near[1])
    assert is_far(np.full(D, np.nan), near[1])
