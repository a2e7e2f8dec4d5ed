"""The command `cite`."""

import fastcollapse
from tests.cli._commands import call


def test_cite__prints_bibtex(ran, here):
    assert call("cite").stdout == f"{fastcollapse.cite()}\n"
    assert call("cite", "sur-gau").stdout == f"{fastcollapse.cite('sur-gau')}\n"
    result = call("cite", ran[0] / "small.h5")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{fastcollapse.open_results(ran[0] / 'small.h5').cite()}\n"
    assert "% theory: bounds of the number of symbols, Corollary 1\n@misc{suresh2024," in result.stdout


def test_cite__refuses_other_files(here):
    (here / "a.txt").write_text("x")
    for what, message in (("sur-gua", "(did you mean 'sur-gau'?)"), ("a.txt", "a.txt"), ("no.h5", "no such file")):
        result = call("cite", what)
        assert result.exit_code == 2
        assert result.stderr.startswith("error: ")
        assert message in result.stderr
