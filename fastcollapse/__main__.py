"""`python -m fastcollapse ...` is `fastcollapse ...`."""

from fastcollapse.cli.main import main

if __name__ == "__main__":
    main(prog_name="fastcollapse")
