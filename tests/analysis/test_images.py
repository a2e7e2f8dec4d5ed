"""Values over images as coloured cells."""

import dataclasses

import numpy as np
from matplotlib.figure import Figure

from fastcollapse.analysis.images import draw_images
from fastcollapse.analysis.panels.panel import Panel
from fastcollapse.analysis.panels.scores import unscored_curve


def test_draw_images__has_a_cell_for_each_image_and_generation():
    at = np.array([0, 1, 5])
    curves = [unscored_curve(at, np.full((2, 3), float(k))) for k in range(4)]
    plot = [Panel("t", "l", "h", curve, image=np.eye(3), digits=2) for curve in curves]
    axes = Figure().subplots()
    draw_images(axes, [dataclasses.replace(panel, group=str(k)) for k, panel in enumerate(plot)])
    [cells] = axes.get_images()
    np.testing.assert_array_equal(cells.get_array(), np.tile(np.arange(4.0), (3, 1)))
    assert [text.get_text() for text in axes.texts][:4] == ["0.00", "1.00", "2.00", "3.00"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["0", "1", "5"]
    insets = [inset for inset in axes.child_axes if inset.get_images()]
    assert len(insets) == 4
