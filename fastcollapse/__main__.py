"""Entry of the command line: `python -m fastcollapse ...` is `fastcollapse ...`."""

import signal

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # a signal that nohup ignores stays ignored
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends the process without a traceback, until
    from fastcollapse.simulation.interrupts import interrupt

    signal.signal(signal.SIGINT, interrupt)

from fastcollapse.cli.main import main

if __name__ == "__main__":
    main(prog_name="fastcollapse")
