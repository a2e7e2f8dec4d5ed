"""Styles: letters and lines at the width of columns and pages."""

import pytest

from fastcollapse.analysis.figure_style import WIDTHS, inches_of, style_of
from fastcollapse.errors import InputError


def test_style__of_paper_has_letters_of_8_and_9_points_and_fonts_of_journals():
    settings = style_of("paper").settings
    assert {settings[key] for key in ("axes.labelsize", "axes.titlesize", "figure.titlesize")} == {9}
    assert {settings[key] for key in ("xtick.labelsize", "ytick.labelsize", "legend.fontsize", "font.size")} == {8}
    assert 1 <= settings["lines.linewidth"] <= 1.5
    assert (settings["pdf.fonttype"], settings["ps.fonttype"], settings["svg.fonttype"]) == (42, 42, "none")


def test_style__of_screens_follows_the_font_size_of_the_user():
    assert style_of("screen", 20).settings["axes.labelsize"] == 2 * style_of("screen").settings["axes.labelsize"]
    assert style_of("paper", 20) == style_of("paper")


def test_width__is_one_or_two_columns_or_inches():
    assert [inches_of(width) for width in ("one", "two", 5, "4.5")] == [WIDTHS["one"], WIDTHS["two"], 5, 4.5]
    for width in ("three", "1", -3, True, 1000, [2]):
        with pytest.raises(InputError, match="width must be one, two, or from 2 to 40 inches, got "):
            inches_of(width)
    with pytest.raises(InputError, match="style must be paper or screen, got 'slides'"):
        style_of("slides")
