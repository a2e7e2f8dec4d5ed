"""Figures in files, each with its caption beside it."""

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fastcollapse.analysis.captions import caption_of
from fastcollapse.analysis.figure_plots import plots_of_figure
from fastcollapse.analysis.figures import Look, draw_plots
from fastcollapse.analysis.matplotlib_settings import drawing
from fastcollapse.config.output_paths import FIGURES, caption_path, check_output_file, make_output_parent
from fastcollapse.errors import InputError, StoreError
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.storage.atomic_write import Rename, remove_abandoned, write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Dots an inch of an image.
_DPI = 200


def save_figure(
    results: RecordedRun | Sequence[RecordedRun],
    path: str | Path,
    replace: bool = False,
    look: Look | None = None,
    panels: Sequence[str] = (),
) -> None:
    """Draw the figure of a run, of the cases of a recipe, or of several runs, into a new file.

    Parameters
    ----------
    path : a new file that ends in .png, .pdf or .svg; the caption is beside it, NAME.caption.txt.
    replace : whether an existing figure and its caption are replaced; they stay until the new ones are drawn.
    look : how it is drawn, by default for paper.
    panels : names of the only panels that are drawn; none for those of the recipe or the family.

    Raises
    ------
    InputError
        The path has another ending, exists, or its folder does not exist or cannot be written.
    StoreError
        The file cannot be written.
    """
    path = Path(path)
    check_output_file(path, FIGURES, "figure")
    plots = plots_of_figure([results] if isinstance(results, RecordedRun) else list(results), panels)
    write_figure(draw_plots(plots, look or Look())[0], caption_of(plots), path, replace)


@drawing
def write_figure(figure: "Figure", caption: str, path: Path, replace: bool = False) -> None:
    """Write a figure and its caption into files; see `save_figure`. A caption that is there with this text stays."""
    beside = caption_path(path)
    content = f"{caption}\n".encode()
    if not replace:
        if os.path.lexists(path):
            raise InputError(f"figure must be a new file, got {path}: it exists")
        if os.path.lexists(beside) and not _has(beside, content):
            raise InputError(f"figure must be a new file, got {path}: its caption {beside} exists")
    make_output_parent(path, "figure")
    drawn = io.BytesIO()
    figure.savefig(drawn, format=path.suffix[1:].lower(), dpi=_DPI)
    for one in (path, beside):
        remove_abandoned(path.parent, one.name)
    if replace or not os.path.lexists(beside):
        try:
            write_bytes(beside, content, Rename(replace=replace))
        except StoreError:
            if not _has(beside, content):  # another process may have written it meanwhile
                raise
    write_bytes(path, drawn.getvalue(), Rename(replace=replace))


def _has(path: Path, content: bytes) -> bool:
    """Whether a file has this content."""
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except OSError:
        return False
