"""Values over images and generations as a heat map whose columns have the images above them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcollapse.analysis.figure_axes import width_of
from fastcollapse.analysis.panels.panel import Panel
from fastcollapse.analysis.panels.style import MAP
from fastcollapse.analysis.text_layout import points_of, text_inches

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Height of the images, as a share of the axes, and numbers on colours below this share of the scale are white.
IMAGES, _DARK, _CELLS = 0.24, 0.6, 0.68


def draw_images(axes: "Axes", plot: Sequence[Panel]) -> None:
    """Draw a column for each image: the image, and the values of its curve as coloured cells with their numbers."""
    at = plot[0].curve.at
    values = np.array([panel.curve.mean * panel.factor for panel in plot]).T
    width = 1 / len(plot)
    drawn: Any = axes.imshow(values, cmap=MAP, aspect="auto")
    for k, panel in enumerate(plot):
        assert panel.image is not None
        inset = axes.inset_axes((k * width, 1.02, width, IMAGES))
        inset.imshow(panel.image, cmap="gray_r", vmin=0, vmax=1)
        inset.set_axis_off()
    small = points_of("legend.fontsize")
    texts = {(i, k): f"{value:.{plot[k].digits}f}" for (i, k), value in np.ndenumerate(values)}
    # A cell has about this share of a column of the figure.
    room = _CELLS * width_of(axes) * width
    small *= min(1.0, room / max(text_inches(text, small) for text in texts.values()))
    for (i, k), value in np.ndenumerate(values):
        shade = "white" if drawn.norm(value) < _DARK else "black"
        axes.text(k, i, texts[i, k], ha="center", va="center", color=shade, fontsize=small)
    axes.set_xticks([])
    axes.set_yticks(range(len(at)), [f"{generation:,}" for generation in at])
    axes.tick_params(length=0)
    axes.grid(False)
    axes.set_ylabel("generation $t$")
    axes.figure.colorbar(drawn, cax=axes.inset_axes((1.02, 0, 0.03, 1)), label=plot[0].label)
    axes.set_title(plot[0].title, y=1.06 + IMAGES, pad=0)
