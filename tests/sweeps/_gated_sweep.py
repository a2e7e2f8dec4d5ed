"""Sweep in a child process whose points wait until they are allowed, so that tests find workers at work.

The file `allowed` in the current folder has the number of points that may run, in the order of the sweep. Each further
point waits after its claim. The points differ by `workflow.n_samples`, which counts up from `FIRST`.
"""

import functools
import time
from pathlib import Path

from fastcollapse.cli.main import main as cli
from fastcollapse.simulation import interrupts
from fastcollapse.simulation.execute import execute
from fastcollapse.sweeps import worker
from fastcollapse.sweeps.executors import process_pool
from fastcollapse.sweeps.executors.process_pool import ProcessPool
from fastcollapse.sweeps.executors.serial import SerialExecutor

FIRST = 20_000


def execute_if_allowed(plan, **options):
    index = plan.experiment.workflow.n_samples - FIRST
    while index >= int(Path("allowed").read_text()):
        time.sleep(0.01)
    return execute(plan, **options)


def gated(function, task, threads):
    worker.execute = execute_if_allowed
    return function(task, threads)


def gated_map(run):
    return lambda self, function, tasks: run(self, functools.partial(gated, function), tasks)


def main(*arguments):
    for executor in (ProcessPool, SerialExecutor):
        executor.map = gated_map(executor.map)
    # On a busy machine a message or the end of a worker may take seconds.
    interrupts._MESSAGE_SECONDS = interrupts.SAVE_AFTER = interrupts.EXIT_AFTER = 3600.0
    process_pool._STOP_SECONDS = 3600.0
    cli(list(arguments))
