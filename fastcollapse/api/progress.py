"""Progress bars of runs in scripts and notebooks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fastcollapse.config.arguments import check_function


@contextmanager
def progress_bar(
    progress: bool | Callable[[int], None] | None, n_generations: int
) -> Iterator[Callable[[int], None] | None]:
    """Yield a callback that is called with the number of generations since its last call; None for no progress.

    Parameters
    ----------
    progress : true for a bar of tqdm, in the form for a notebook or a terminal; or a callback.
    n_generations : number of generations that are left; a finished run has no bar.
    """
    if not isinstance(progress, bool):
        yield check_function("progress", progress, "True, False or a function")
    elif not progress or not n_generations:
        yield None
    else:
        from tqdm.auto import tqdm  # start-up time

        with tqdm(total=n_generations, unit=" generations", dynamic_ncols=True) as bar:

            def advance(n: int) -> None:
                bar.update(n)

            yield advance
