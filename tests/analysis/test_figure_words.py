"""Title of a figure, and what differs from a recipe."""

import pytest

from fastcollapse import reproduce
from fastcollapse.analysis.figure_words import remark_of, title_of

SHORT = {"run.n_replicates": 3, "run.n_generations": 3}


def test_remark__is_there_for_changed_recipes_alone():
    published = reproduce("sur-gau", SHORT)
    assert title_of(published.cases) == published.cases[0].recipe.title
    assert remark_of(published.cases) == ""
    changed = reproduce("sur-gau", SHORT | {"workflow.n_samples": 20})
    assert remark_of(changed.cases).startswith("after arXiv")
    figure = changed.plot(style="paper")
    assert remark_of(changed.cases) in [" ".join(text.get_text().split()) for text in figure.texts]


@pytest.mark.parametrize("width", ["one", "two"])
def test_remark__is_in_small_letters(width):
    changed = reproduce("sur-gau", SHORT | {"workflow.n_samples": 20})
    figure = changed.plot(style="paper", width=width)
    [remark] = [text for text in figure.texts if text.get_text().startswith("after")]
    assert remark.get_fontsize() == 8
    assert remark.get_window_extent().x0 >= 0
