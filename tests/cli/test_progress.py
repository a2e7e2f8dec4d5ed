"""The clock of a run on the command line: what it says, and when."""

from fastcollapse.cli.progress import Clock


def test_clock__speaks_once_counts_all_and_times_the_first_block(capsys):
    clock, seen = Clock(), []
    clock.progress, clock.words = seen.append, "resumed"
    for n in (1, 4, 5):
        clock(n)
    assert capsys.readouterr().err == "resumed\n"
    assert seen == [1, 4, 5]
    assert "the first 1 of 10 generations" in clock.first_block()
