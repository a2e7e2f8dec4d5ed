"""The copy of the state that a signal saves while a long block runs."""

import numpy as np
import pytest

from fastcollapse.simulation import block_loop
from fastcollapse.simulation.block_loop import _recovery_commit


class OneArray:
    def __init__(self, n_bytes):
        self.values = np.ones(n_bytes // 8)

    def arrays(self):
        return {"values": self.values}


class Recorder:
    def commit(self, state, force):
        assert force
        self.state = state


@pytest.mark.parametrize(("n_bytes", "seconds", "copies"), [(800, 1.0, True), (800, 0.1, False), (1608, 1.0, False)])
def test_recovery__copies_the_state_after_a_long_block_unless_it_is_large(monkeypatch, n_bytes, seconds, copies):
    """A state above the limit of a commit has no copy either, however long the block was."""
    monkeypatch.setattr(block_loop, "STATE_BYTES", 1600)
    state, store = OneArray(n_bytes), Recorder()
    save = _recovery_commit(state, seconds, store)
    assert (save is not None) is copies
    if save is not None:
        state.values[:] = 2.0
        save()
        assert (store.state["values"] == 1.0).all()
