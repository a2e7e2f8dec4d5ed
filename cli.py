"""Run the commands from a checkout: `python cli.py ...` is `fastcollapse ...`."""

from fastcollapse.cli import main

if __name__ == "__main__":
    main(prog_name="fastcollapse")
