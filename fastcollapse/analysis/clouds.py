"""The points of a generation as a picture."""

from typing import TYPE_CHECKING

import numpy as np

from fastcollapse.analysis.panels.panel import Panel
from fastcollapse.analysis.panels.style import EDGE, SIMULATED

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Share of the range of the points that is free on each side of them.
_MARGIN = 0.05


def draw_cloud(axes: "Axes", panel: Panel) -> None:
    """Draw the cloud of a panel to its own scale, with another one behind it in grey."""
    clouds = [cloud for cloud in (panel.behind, panel.cloud) if cloud is not None]
    for cloud, colour in zip(clouds[::-1], (SIMULATED, EDGE), strict=False):
        # Few points need large marks, many small ones.
        size = float(np.clip(4000 / max(len(cloud), 1), 2, 16))
        is_behind = colour == EDGE
        axes.scatter(
            cloud[:, 0], cloud[:, 1], s=size, color=colour, alpha=0.35 if is_behind else 1.0, linewidths=0,
            zorder=1 if is_behind else 2,
        )  # fmt: skip
    if panel.behind is not None:
        axes.scatter([], [], s=24, color=EDGE, alpha=0.6, linewidths=0, label="generation 1")
    seen = np.concatenate(clouds)
    middle, half = (seen.max(axis=0) + seen.min(axis=0)) / 2, np.ptp(seen, axis=0).max() * (0.5 + _MARGIN)
    if half > 0:
        axes.set_xlim(middle[0] - half, middle[0] + half)
        axes.set_ylim(middle[1] - half, middle[1] + half)
    axes.set_aspect("equal")
    axes.set_title(panel.title)
