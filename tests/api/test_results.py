"""Results as a user has them."""

from fastcollapse.api.results import Results, open_results
from tests.simulation._small_results import make_results


def test_open_results__returns_results_that_draw_on_the_recorded_run(tmp_path):
    make_results(tmp_path / "out.h5")
    results = open_results(tmp_path / "out.h5")
    assert isinstance(results, Results)
    assert repr(results).startswith("<Results ")
