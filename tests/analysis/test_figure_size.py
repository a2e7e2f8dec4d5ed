"""Size of a figure: everything is within it, and its height follows from its plots."""

import io

import matplotlib as mpl
import pytest

from fastcollapse.analysis.figure_axes import new_axes
from fastcollapse.analysis.figure_size import finish
from fastcollapse.analysis.figure_style import style_of


def made(width, n_plots, n_columns, title="Title", remark="", lines=2):
    with mpl.rc_context(dict(style_of("paper").settings)):
        figure, used, _ = new_axes(n_plots, n_columns, width)
        for axes in used:
            for i in range(lines):
                axes.plot([0, 1], color=f"C{i}", label=f"a long name of the curve of number {i}")
            axes.set_title("Expected squared distance between the estimate and the truth")
            axes.set_xlabel("generation $t$")
            axes.set_ylabel("squared distance of the estimate, over that of the first fit")
        finish(figure, used, n_columns, title, remark)
        figure.savefig(io.BytesIO(), format="png")
    return figure, used


@pytest.mark.parametrize(("width", "n_plots", "n_columns"), [(3.3, 1, 1), (3.3, 3, 1), (6.9, 2, 2), (6.9, 6, 3)])
def test_finish__everything_is_within_the_figure(width, n_plots, n_columns):
    figure, used = made(width, n_plots, n_columns, "A title that is longer than one column is wide, " * 2, "after this")
    assert figure.get_figwidth() == width
    parts = [*used, *figure.legends, *figure.texts, *(axes.title for axes in used)]
    renderer = figure._get_renderer()
    boxes = [part.get_tightbbox(renderer) for part in parts]
    assert all(box.x0 >= -1 and box.x1 <= figure.bbox.x1 + 1 for box in boxes)
    assert all(box.y0 >= -1 and box.y1 <= figure.bbox.y1 + 1 for box in boxes)
    [legend] = figure.legends if n_plots > 1 else [used[0].get_legend()]
    if n_plots > 1:
        lowest = min(axes.get_tightbbox(renderer).y0 for axes in used)
        assert legend.get_window_extent().y1 <= lowest + 1


def test_finish__height_follows_from_the_plots():
    one, two = made(6.9, 2, 2)[0], made(6.9, 4, 2)[0]
    assert one.get_figheight() < two.get_figheight() < 2 * one.get_figheight()
    assert made(6.9, 2, 2, title="")[0].get_figheight() < one.get_figheight()
    shape = [axes.get_position().height * two.get_figheight() for axes in two.axes]
    assert max(shape) < 1.1 * min(shape)
