"""Cases of a recipe in the same axes: their names and theory."""

from matplotlib.figure import Figure

from fastcollapse import simulate
from fastcollapse.analysis.figures import draw
from fastcollapse.simulation.load_experiment import load_experiment


def test_draw_overlay__draws_cases_into_given_axes():
    experiment = load_experiment("cot-disc").with_values({"run.n_generations": 5, "run.n_replicates": 20})
    cases = [simulate(case) for case in experiment.cases()]
    figure = Figure()
    axes = list(figure.subplots(1, 3))
    assert draw(cases, "heterozygosity", axes) is figure
    for place, n_symbols in zip(axes, (10, 100, 1000), strict=True):
        labels = place.get_legend_handles_labels()[1]
        assert labels[:3] == ["$n$ = 10", "$n$ = 100", "$n$ = 1,000"]
        assert labels[3] == "theory: exact"
        assert place.get_title() == f"$K$ = {n_symbols:,}"
