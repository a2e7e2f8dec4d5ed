"""Extension of every family under every workflow that it serves: the bits of a run of that size."""

import warnings

import pytest

from fastcollapse import InputError, open_results, simulate
from fastcollapse.models.registry import families
from fastcollapse.models.registry import family as family_class
from tests import test_conformance as conformance
from tests.test_conformance import assert_same, everything, experiment_of

# What a run is extended from and to.
SHORT, LONG = {"n_generations": 3, "n_replicates": 2}, {"n_generations": 5, "n_replicates": 3}
GROWING = [
    {"name": name, **keys, "n_samples": size}
    for name, keys in (("replace", {}), ("accumulate", {"keep_real": True}), ("accumulate", {"keep_real": False}))
    for size in ({"start": 12, "step": 12}, {"start": 12, "power": 1.5})
]


def marked():
    """Return the cases of conformance, all but the first of each family and workflow marked as slow."""
    known = set()
    for param in conformance.CASES:
        one = param.values[0], param.values[2]["name"]
        yield pytest.param(*param.values, id=param.id, marks=[pytest.mark.slow] if one in known else [])
        known.add(one)


def extended(path, short, long):
    """Return the results of a run that is extended, and why it was computed again, if it was."""
    simulate(short, path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = simulate(long, path, resume=True)
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    assert_same(everything(open_results(path)), everything(found))
    return found, [str(one.message) for one in caught if "computed again from generation 0" in str(one.message)]


def check_extension(path, short, long, may_start_again):
    """Check that a run that is extended has the bits of a run of that size."""
    whole = simulate(long)
    found, again = extended(path, short, long)
    assert may_start_again or not again
    assert_same(everything(found), everything(whole))
    assert found.digest == whole.digest
    if "trajectory" in long.run.record:  # negative control: the added replicates are not copies
        assert any(not (a == b).all() for a, b in zip(*map(dict.values, everything(found)[-2:]), strict=True))


@pytest.mark.parametrize(("family", "case", "workflow"), list(marked()))
def test_extension__has_the_bits_of_a_run_of_that_size(tmp_path, tables, family, case, workflow):
    short, long = (experiment_of(family, case, workflow, tables, **size) for size in (SHORT, LONG))
    # The nodes of characteristic functions of the family kde depend on all bandwidths.
    check_extension(tmp_path / "out.h5", short, long, family == "kde")


@pytest.mark.parametrize("workflow", GROWING, ids=lambda workflow: " ".join(map(str, workflow.values())))
@pytest.mark.parametrize("family", families())
def test_extension__with_growing_sizes(tmp_path, tables, family, workflow):
    if not conformance.needs_of(workflow) <= family_class(family).CAPABILITIES:
        pytest.skip("the family does not serve the workflow")
    case = next(iter(conformance.twin(family).CASES))
    short, long = (experiment_of(family, case, workflow, tables, **size) for size in (SHORT, LONG))
    try:
        simulate(long)
    except InputError as error:
        pytest.skip(f"the family refuses the sizes: {error}")
    check_extension(tmp_path / "out.h5", short, long, may_start_again=True)
