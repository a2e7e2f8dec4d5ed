"""The command `report`."""

from tests.cli._commands import call


def test_report__is_written_beside_the_results(ran, here):
    (here / "small.h5").write_bytes((ran[0] / "small.h5").read_bytes())
    result = call("report", "small.h5")
    assert (result.exit_code, result.stdout) == (0, "small.html\n")
    assert "<svg" in (here / "small.html").read_text()
    assert call("report", "small.h5").stdout == "small-2.html\n"
    assert call("report", ".").stdout == "report.html\n"


def test_report__refuses_other_files_and_other_endings(ran, here):
    (here / "small.h5").write_bytes((ran[0] / "small.h5").read_bytes())
    (here / "table.csv").write_text("a,b\n1,2\n")
    for arguments, message in (
        (("small.h5", "-o", "a.pdf"), "report must end in .html or .htm, got a.pdf"),
        (("nothing.h5",), "no such file"),
        (("nothing",), "nothing: no such file"),
        (("table.csv",), "table.csv: is not an HDF5 file"),
        ((".", "-o", "nowhere/a.html"), "report must be in a folder that exists"),
    ):
        result = call("report", *arguments)
        assert result.exit_code == 2
        assert message in result.stderr
