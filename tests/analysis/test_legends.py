"""Legends: one for plots that share series, each entry once, within the figure."""

import io

from matplotlib.figure import Figure

from fastcollapse.analysis.legends import entries_of, place_legend, share_entries, shared_legend


def plots(*labelled):
    figure = Figure(figsize=(3.3, 3), layout="constrained")
    places = list(figure.subplots(1, len(labelled), squeeze=False).ravel())
    for axes, lines in zip(places, labelled, strict=True):
        for label, colour in lines.items():
            axes.plot([0, 1], color=colour, label=label)
    return figure, places


def test_entries__are_named_once_and_look_the_same_everywhere():
    _, same = plots({"a": "r", "b": "g"}, {"b": "g", "c": "k"})
    assert list(entries_of(same)) == ["a", "b", "c"]
    assert share_entries(same)
    _, other = plots({"a": "r"}, {"a": "b"})
    assert entries_of(other) is None
    assert not share_entries(other)
    _, apart = plots({"a": "r"}, {"b": "r"})
    assert share_entries(apart)
    for axes in apart:
        axes.get_lines()[0].set_marker("o")
    assert not share_entries(apart)
    assert not share_entries(plots({"a": "r"})[1])


def test_shared_legend__of_long_labels_stays_within_the_figure():
    figure, places = plots({f"samples per generation $n$ = {n}": "k" for n in (10, 32, 100)}, {"b": "r"})
    legend = shared_legend(figure, entries_of(places))
    figure.savefig(io.BytesIO(), format="png")
    extent = legend.get_window_extent()
    assert extent.x0 >= 0
    assert extent.x1 <= figure.bbox.x1


def test_place_legend__needs_entries():
    figure, [axes] = plots({})
    assert place_legend(axes, 3.3) is None
    assert not figure.legends
