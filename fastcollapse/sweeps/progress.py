"""Progress of a sweep in scripts and notebooks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fastcollapse.config.arguments import check_function
from fastcollapse.sweeps.task_queue import Outcome

Progress = Callable[[Outcome], None]


@contextmanager
def shown_progress(progress: bool | Progress | None) -> Iterator[Progress]:
    """Yield a function that is called with the outcome so far.

    Parameters
    ----------
    progress : true for a bar of tqdm, in the form for a notebook or a terminal; or the function itself.
    """
    if not isinstance(progress, bool):
        yield check_function("progress", progress, "True, False or a function") or (lambda outcome: None)
    elif not progress:
        yield lambda outcome: None
    else:
        from tqdm.auto import tqdm  # start-up time

        with tqdm(unit=" points", dynamic_ncols=True) as bar:

            def update(outcome: Outcome) -> None:
                if bar.total != outcome.total:  # a long point may be split
                    bar.total = outcome.total
                    bar.initial = bar.initial or outcome.settled - outcome.done - outcome.failed
                if outcome.failed:
                    bar.set_postfix(failed=outcome.failed)
                bar.update(outcome.settled - bar.n)
                bar.refresh()

            yield update
