"""Figure and axes that notebooks show without pyplot, which would keep state and open windows."""

import io
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fastcollapse.analysis.figure_style import FONTS


class InlineFigure(Figure):
    """Figure that shows itself as the value of a cell, whatever the backend is."""

    def savefig(self, fname: Any, **kwargs: Any) -> None:
        """Write the figure with fonts that journals accept; see `Figure.savefig`."""
        import matplotlib as mpl  # start-up time

        with mpl.rc_context(dict(FONTS)):
            super().savefig(fname, **kwargs)

    def _repr_png_(self) -> bytes:
        return png_of(self)


class InlineAxes(Axes):
    """Axes that shows its figure as the value of a cell."""

    def _repr_png_(self) -> bytes:
        figure = self.get_figure(root=True)
        assert figure is not None
        return png_of(figure)


def png_of(figure: Figure, dpi: float | str = "figure") -> bytes:
    """Return a figure as a PNG image."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=dpi)
    return drawn.getvalue()
