"""Fork server for command-line tests: runs each command line in a forked process.

`python -m tests._fork_server` reads one JSON object per line. All modules are imported once and no compiled code runs
in the server, so a fork needs no start-up time and a crash cannot affect the next command. Keys of a request:
`arguments`, `folder`, `kill` (seconds until SIGKILL, "commit" for a process that waits for it after its second commit,
or null), `parts` (true: every commit writes a part), `largest` (maximum bytes of a file, or null). Keys of an answer:
`status` (negative: the signal), `stdout`, `stderr`, `seconds`, `peak` (bytes of memory).
"""

import itertools
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]


class ForkServer:
    """Runs command lines, each in a separate process."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests._fork_server"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, folder, *arguments, kill=None, parts=False, largest=None):
        """Run a command line and return its answer; `largest` limits the bytes of a file."""
        command = [str(one) for one in arguments]
        line = {"arguments": command, "folder": str(folder), "kill": kill, "parts": parts, "largest": largest}
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self):
        self._process.stdin.close()
        self._process.wait()


def run_forked(line):
    """Run a command line in a forked process and return its answer."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.monotonic()
        committed, child_end = os.pipe()
        child = os.fork()
        if not child:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            run_child(line, child_end)
        os.close(child_end)
        if line["kill"] is not None:
            if line["kill"] == "commit":
                os.read(committed, 1)
            else:
                time.sleep(line["kill"])
            os.kill(child, signal.SIGKILL)
        os.close(committed)
        _, status, used = os.wait4(child, 0)
        seconds = time.monotonic() - start
        out.seek(0)
        err.seek(0)
        return {
            "status": os.waitstatus_to_exitcode(status),
            "stdout": out.read().decode(),
            "stderr": err.read().decode(),
            "seconds": seconds,
            "peak": used.ru_maxrss << 10,
        }


def run_child(line, committed):
    from fastcollapse.cli import main as cli
    from fastcollapse.storage.hdf5_store import Hdf5Store

    status = 70
    try:
        os.chdir(line["folder"])
        if line["parts"]:
            Hdf5Store.__init__.__defaults__ = (1, 0.0)
        if line["kill"] == "commit":
            wait_after_second_commit(Hdf5Store, committed)
        if line["largest"] is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (line["largest"], line["largest"]))
        cli.main(line["arguments"], prog_name="fastcollapse")
    except SystemExit as end:
        status = end.code or 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def wait_after_second_commit(store, committed):
    """Report the second commit of this process and wait for the kill; a part may be half written then."""
    commit, n = store.commit, itertools.count(1)

    def waiting(*some, **more):
        commit(*some, **more)
        if next(n) == 2:
            os.write(committed, b"2")
            signal.pause()

    store.commit = waiting


def main():
    # All that the commands import, also when they are called.
    import matplotlib.pyplot  # noqa: F401
    import scipy.stats  # noqa: F401

    import fastcollapse.analysis.comparison
    import fastcollapse.analysis.figures
    import fastcollapse.analysis.inline_figure
    import fastcollapse.analysis.panels.discrete
    import fastcollapse.analysis.report
    import fastcollapse.analysis.sweep_comparison
    import fastcollapse.api.check
    import fastcollapse.cli.main
    import fastcollapse.cli.output_files
    import fastcollapse.models.discrete.model
    import fastcollapse.models.gaussian.model
    import fastcollapse.simulation.execute
    import fastcollapse.simulation.replay
    import fastcollapse.storage.hdf5_store  # noqa: F401

    for line in sys.stdin:
        print(json.dumps(run_forked(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
