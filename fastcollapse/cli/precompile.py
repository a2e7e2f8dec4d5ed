"""Command `precompile`; modules that import NumPy or Numba are imported inside the command, for a fast start."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from fastcollapse.simulation.precompile import Precompiled


@click.command()
@click.argument("families", nargs=-1, metavar="[FAMILY]...")
def precompile(families: Sequence[str]) -> None:
    """Compile all kernels of families ahead of their runs, by default of all families.

    The code is kept in ~/.cache/fastcollapse ($XDG_CACHE_HOME/fastcollapse), or in the folder that FASTCOLLAPSE_CACHE
    names, for this type of processor.

    \b
    fastcollapse precompile discrete gaussian
    FASTCOLLAPSE_CACHE=/opt/fastcollapse fastcollapse precompile
    """
    from fastcollapse.errors import StoreError
    from fastcollapse.kernels.code_cache import NotKeptWarning, writable_folder

    try:
        folder = writable_folder()  # before the kernels are imported, which warn of it
    except NotKeptWarning as error:
        raise StoreError(str(error)) from None
    from fastcollapse.simulation.precompile import precompile as compile_kernels

    compile_kernels(families, progress=lambda done: click.echo(_line(done)))
    click.echo(f"compiled code: {folder}")


def _line(done: "Precompiled") -> str:
    if not done.n_compiled:
        return f"{done.family}: all was compiled already, {done.seconds:.1f} s"
    return f"{done.family}: {done.n_compiled} kernel{'s'[: done.n_compiled != 1]} compiled, {done.seconds:.1f} s"
