"""Command line from a checkout: `python cli.py ...` is the same as `.venv/bin/fastcollapse ...`."""

import os
import sys
from pathlib import Path

try:
    from fastcollapse.__main__ import main
except ModuleNotFoundError as error:
    python = Path(__file__).resolve().parent / ".venv" / "bin" / "python"
    if Path(sys.prefix).resolve() == python.parents[1] or not python.exists():
        sys.exit(f"error: Python module {error.name} is missing: run `make run` first, it installs all")
    os.execv(python, [str(python), *sys.argv])  # the environment that `make` created

if __name__ == "__main__":
    main(prog_name="fastcollapse")
