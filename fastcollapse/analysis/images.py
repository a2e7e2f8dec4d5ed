"""Values over images and generations as a heat map whose columns have the images above them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcollapse.analysis.panels.panel import Panel
from fastcollapse.analysis.panels.style import MAP

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Height of the images, as a share of the axes, and numbers on colours below this share of the scale are white.
IMAGES, _DARK = 0.24, 0.6


def draw_images(axes: "Axes", plot: Sequence[Panel]) -> None:
    """Draw a column for each image: the image, and the values of its curve as coloured cells with their numbers."""
    import matplotlib as mpl  # start-up time

    at = plot[0].curve.at
    values = np.array([panel.curve.mean * panel.factor for panel in plot]).T
    width = 1 / len(plot)
    drawn: Any = axes.imshow(values, cmap=MAP, aspect="auto")
    for k, panel in enumerate(plot):
        assert panel.image is not None
        inset = axes.inset_axes((k * width, 1.02, width, IMAGES))
        inset.imshow(panel.image, cmap="gray_r", vmin=0, vmax=1)
        inset.set_axis_off()
    for (i, k), value in np.ndenumerate(values):
        shade = "white" if drawn.norm(value) < _DARK else "black"
        text = f"{value:.{plot[k].digits}f}"
        axes.text(k, i, text, ha="center", va="center", color=shade, fontsize=mpl.rcParams["legend.fontsize"])
    axes.set_xticks([])
    axes.set_yticks(range(len(at)), [f"{generation:,}" for generation in at])
    axes.tick_params(length=0)
    axes.grid(False)
    axes.set_ylabel("generation $t$")
    axes.figure.colorbar(drawn, cax=axes.inset_axes((1.02, 0, 0.03, 1)), label=plot[0].label)
    axes.set_title(plot[0].title, y=1.06 + IMAGES, pad=0)
