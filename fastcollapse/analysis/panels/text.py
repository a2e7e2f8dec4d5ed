"""Text of tables: columns, and numbers with their noun."""

from collections.abc import Sequence


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table with right-aligned columns, two spaces apart.

    Examples
    --------
    >>> print(table(["k", "value"], [["1", "0.5"], ["10", "0.25"]]))
       k  value
       1    0.5
      10   0.25
    """
    lines = [header, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    return "\n".join(
        "  " + "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines
    )


def counted(n: int, noun: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> counted(1, "replicate"), counted(2000, "replicate")
    ('1 replicate', '2,000 replicates')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
