"""Progress messages of a run on the command line, and their order."""

from fastcollapse.cli.progress import Clock


def test_clock__prints_once_and_times_first_block(capsys):
    clock, seen = Clock(), []
    clock.progress, clock.message = seen.append, "resumed"
    for n in (1, 4, 5):
        clock(n)
    assert capsys.readouterr().err == "resumed\n"
    assert seen == [1, 4, 5]
    assert clock.first_block().startswith("Time includes loading compiled code; the first generation took ")


def test_clock__counts_generations_of_longer_first_block():
    clock = Clock()
    for n in (4, 6):
        clock(n)
    assert "the first 4 generations took" in clock.first_block()
