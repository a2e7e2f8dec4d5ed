"""Table of the experiments and sweeps that are shipped with fastcollapse."""

import html
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from fastcollapse.datasets.recipe_files import Shipped, find_shipped, shipped
from fastcollapse.errors import InputError
from fastcollapse.simulation.optional_packages import extra

if TYPE_CHECKING:
    import pandas

_COLUMNS = ("name", "kind", "family", "title", "source")


class RecipeTable(Sequence[Shipped]):
    """Shipped experiments and sweeps: a sequence of rows with `name`, `kind`, `family`, `title`, `source` and `text`.

    `table["sur-gau"]` is the row of a name; a recipe is preferred to a sweep.
    """

    def __init__(self, rows: Sequence[Shipped]) -> None:
        self._rows = tuple(rows)

    def __getitem__(self, index: int | str) -> Shipped:  # type: ignore[override]
        """Return a row by its number or by its name.

        Raises
        ------
        InputError
            No row has this name.
        """
        if isinstance(index, str):
            return next((row for row in self._rows if row.name == index), None) or find_shipped(index)
        return self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Shipped]:
        return iter(self._rows)

    def _cells(self) -> list[tuple[str, ...]]:
        return [tuple(str(getattr(row, name) or "") for name in _COLUMNS) for row in self._rows]

    def __repr__(self) -> str:
        lines = [_COLUMNS, *self._cells()]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)

    def _repr_html_(self) -> str:
        rows = ["".join(f"<td>{html.escape(cell)}</td>" for cell in cells) for cells in self._cells()]
        head = "".join(f"<th>{name}</th>" for name in _COLUMNS)
        return f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"

    def to_dataframe(self) -> "pandas.DataFrame":
        """Return a row for each recipe.

        Raises
        ------
        InputError
            The package pandas is not installed.
        """
        with extra("pandas", "to_dataframe"):
            import pandas
        return pandas.DataFrame([{name: getattr(row, name) for name in _COLUMNS} for row in self._rows])


def recipes(source: str = "") -> RecipeTable:
    """Return the experiments and sweeps that are shipped with fastcollapse.

    `simulate` and `reproduce` take the name of a recipe, `run_sweep` that of a sweep.

    Parameters
    ----------
    source : a part of the source, such as "2402.07712"; "" for all.

    Raises
    ------
    InputError
        No source has this part.

    Examples
    --------
    >>> recipes()["sur-gau"].source
    'arXiv:2412.17646, figure of Theorem 3'
    """
    if not isinstance(source, str):
        raise InputError(f"source must be a part of the source as text, got {source!r}")
    return RecipeTable(shipped(source))
