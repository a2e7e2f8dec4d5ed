"""Figures that notebooks show."""

import pickle

from fastcollapse.analysis.inline_figure import InlineAxes, InlineFigure, png_of


def test_inline_figure__shows_itself_and_pickles():
    figure = InlineFigure(figsize=(1, 1))
    axes = figure.add_subplot(axes_class=InlineAxes)
    assert figure._repr_png_() == axes._repr_png_()
    assert len(png_of(figure, 20)) < len(png_of(figure))
    assert isinstance(pickle.loads(pickle.dumps(figure)), InlineFigure)
