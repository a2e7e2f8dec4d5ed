"""Width and lines of text in figures."""

from fastcollapse.analysis.text_layout import text_inches, wrapped


def test_wrapped__lines_fit_and_formulas_stay_whole():
    text = r"squared error of the mean $\Vert\mu_t - \mu_0\Vert^2 / \mathrm{tr} \Sigma_0$ of a run"
    lines = wrapped(text, 1.5, 9).split("\n")
    assert " ".join(lines) == text
    assert all(line.count("$") in (0, 2) for line in lines)
    assert all(text_inches(line, 9) <= 1.5 for line in lines if " " in line and "$" not in line)


def test_wrapped__keeps_line_breaks_and_long_words():
    assert wrapped("one\ntwo", 3, 9) == "one\ntwo"
    assert wrapped("incomprehensibilities of it", 0.5, 9) == "incomprehensibilities\nof it"
