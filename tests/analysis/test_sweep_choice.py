"""Options of a figure of a sweep: those of its recipe, unless others are given."""

import pytest

from fastcollapse.analysis.sweep_axes import choose_sides, fixed_entries
from fastcollapse.analysis.sweep_choice import Choice, chosen, fixed_values
from fastcollapse.analysis.sweep_figures import draw_with_caption
from fastcollapse.datasets.shipped import sweeps as shipped_sweeps
from fastcollapse.errors import InputError
from fastcollapse.sweeps.axes import named_axes
from fastcollapse.sweeps.folder import SweepFolder
from fastcollapse.sweeps.points import Sweep
from fastcollapse.sweeps.run import run_sweep


def test_choice__without_options_is_that_of_the_recipe(tmp_path):
    text = shipped_sweeps()["cot-gau"].read_text().replace("[1, 3, 10, 31, 100]", "[1, 2]")
    text = text.replace("[10, 32, 100, 316, 1000]", "[5, 6]").replace("= 100\n", "= 3\n")
    (tmp_path / "s.toml").write_text(text)
    run_sweep(Sweep.from_toml(tmp_path / "s.toml"), tmp_path / "s")
    folder = SweepFolder(tmp_path / "s")
    expected = Choice(("n_samples", "dimension"), {"workflow": "accumulate_subsample"}, 2, None)
    assert chosen(folder, Choice(generation=2)) == (expected, True)
    assert chosen(folder, Choice(heat_map=True)) == (Choice(heat_map=True), False)
    # Another choice may not show what the title of the recipe claims.
    title = folder.results(0).recipe.title
    same, other = Choice(expected.over, expected.fixed), Choice(expected.over, {"workflow": "replace"})
    for choice, shown in ((Choice(), title), (same, title), (other, "Sweep: Gaussian")):
        figure, caption = draw_with_caption(folder, choice)
        assert figure.get_suptitle() == shown
        assert caption.startswith(f"{shown}.\nSource: after arXiv:2410.16713")


@pytest.mark.parametrize("name", shipped_sweeps())
def test_choice__of_a_shipped_sweep_names_its_parameters(name):
    """What is refused by a sweep of other parameters is the negative control."""
    sweep = Sweep.from_toml(shipped_sweeps()[name])
    recipe, axes = sweep[0].experiment.recipe, named_axes(sweep)
    sides = choose_sides(axes, recipe.over or (), {})
    fixed = fixed_values(recipe.fixed or ())
    assert len(fixed_entries(axes, fixed, {side.axis for side in sides if recipe.over})) == len(axes)
    with pytest.raises(InputError):
        choose_sides(axes, ["nothing"], {})


def test_fixed_values__are_refused_without_a_value():
    with pytest.raises(InputError, match=r"a fixed value must be PARAMETER=VALUE, got 'workflow'"):
        fixed_values(["workflow"])
