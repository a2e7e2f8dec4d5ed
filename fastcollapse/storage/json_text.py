"""JSON of bounded depth."""

import json
from typing import Any

from fastcollapse.config.nested_text import no_collection
from fastcollapse.config.toml_text import position

# Our own JSON has about six levels. Deeper values exhaust the stack of whatever reads them later.
MAX_DEPTH = 50


def parse_json(text: str | bytes) -> Any:
    """Return the value of a JSON text.

    Raises
    ------
    ValueError
        The text is not JSON, is nested more than `MAX_DEPTH` levels deep, or has text that cannot be encoded.

    Examples
    --------
    >>> parse_json('{"run": {"seed": 1}}')
    {'run': {'seed': 1}}
    >>> parse_json("[" * 30000 + "]" * 30000)
    Traceback (most recent call last):
    ...
    ValueError: is nested too deeply
    """
    try:
        with no_collection():
            value = json.loads(text)
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    except json.JSONDecodeError as error:
        where = position(error.doc, error.lineno, error.colno)
        raise ValueError(f"is not JSON: {where}: {error.msg}") from None
    except ValueError:
        raise ValueError("is not JSON") from None
    level = [value]
    for _ in range(MAX_DEPTH):
        inner = []
        for one in level:
            if isinstance(one, dict):
                inner += [*one, *one.values()]
            elif isinstance(one, list):
                inner += one
            elif isinstance(one, str) and not one.isascii():
                one.encode()  # half of a surrogate pair raises UnicodeEncodeError, which is a ValueError
        if not inner:
            return value
        level = inner
    raise ValueError("is nested too deeply")
