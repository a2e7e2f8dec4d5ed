"""Command line from a checkout: `python cli.py ...` is the same as `.venv/bin/fastcollapse ...`."""

import os
import sys
from pathlib import Path


def run_in_environment(reason):
    """Run the command in the environment that `make` created; without one, exit with the reason."""
    python = Path(__file__).resolve().parent / ".venv" / "bin" / "python"
    if Path(sys.prefix).resolve() == python.parents[1] or not python.exists():
        sys.exit(f"error: {reason}")
    os.execv(python, [str(python), *sys.argv])


if sys.version_info < (3, 11):  # noqa: UP036  (a system may have an older Python)
    run_in_environment(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}")
try:
    from fastcollapse.__main__ import main
except ModuleNotFoundError as error:
    run_in_environment(f"Python module {error.name} is missing: run `make run` first, it installs all")

if __name__ == "__main__":
    main(prog_name="fastcollapse")
