"""Docstrings of the package as reStructuredText: sections "name : meaning" become lists, formulas stay as they are.

A section is a heading underlined with hyphens. `name : meaning` has no type, since annotations have the types.
"""

import re
import textwrap

LISTS = {"Parameters", "Attributes", "Notation", "Raises", "Warns"}
_HEADING = re.compile(r"^([A-Z][a-z]+)\n-{3,}\n", re.MULTILINE)
_LITERAL = re.compile(r"(`[^`]*`)")


def as_rst(docstring: str) -> str:
    """Return a docstring without indentation as reStructuredText."""
    head, *rest = _HEADING.split(docstring)
    parts = [_body(head)]
    for name, text in zip(rest[::2], rest[1::2], strict=True):
        if name == "Examples":
            parts.append(f".. rubric:: Examples\n\n{_body(text)}")
        else:
            content = _items(text, exceptions=name in {"Raises", "Warns"}) if name in LISTS else _body(text)
            parts.append(f":{name}:\n{textwrap.indent(content, '    ')}")
    return "\n\n".join(part.rstrip("\n") for part in parts)


def _items(text: str, exceptions: bool) -> str:
    """Return "name : meaning", or an exception and its indented meaning, as items of a list."""
    items: list[str] = []
    for line in text.strip("\n").splitlines():
        name, colon, meaning = line.partition(" : ")
        if line and not line.startswith(" ") and (colon or exceptions):
            items.append(f"- ``{name}``: {escape(meaning)}".rstrip())
        elif line:
            items.append(("  " if items else "") + escape(line.strip()))
    return "\n".join(items)


def _body(text: str) -> str:
    """Return prose with its markup escaped, indented paragraphs as literal blocks, and examples untouched."""
    blocks = re.split(r"\n\s*\n", text.strip("\n"))
    return "\n\n".join(_block(block) for block in blocks if block.strip())


def _block(block: str) -> str:
    if block.lstrip().startswith(">>>"):
        return block
    if block.startswith(" "):
        return "::\n\n" + textwrap.indent(textwrap.dedent(block), "    ")
    term, *indented = re.split(r"(?m)^(?=\S)", block)[1:] if "\n " in block else (block,)
    if not indented and "\n " not in block:
        return escape(block)
    # A line that ends in a colon, and what it introduces below it, indented.
    groups = [term, *indented]
    return "\n\n".join(_group(group) for group in groups)


def _group(group: str) -> str:
    lines = group.rstrip("\n").splitlines()
    if group.startswith(("- ", "* ")):
        return lines[0][:2] + escape("\n".join([lines[0][2:], *lines[1:]]))
    return escape(lines[0]) + "".join(f"\n    {escape(line.strip())}" for line in lines[1:])


def escape(text: str) -> str:
    """Return text in which only backticks and the numbers of arXiv are markup."""
    parts = _LITERAL.split(text)
    for i, part in enumerate(parts):
        if i % 2:
            parts[i] = f"``{' '.join(part[1:-1].split())}``" if part.strip("`").strip() else part
        else:
            part = re.sub(r"([\\*|])|(?<=\w)(_)(?!\w)", lambda match: "\\" + match[0], part)
            part = re.sub(r"arXiv:(\d{4}\.\d{4,5})", r"`arXiv:\1 <https://arxiv.org/abs/\1>`__", part)
            parts[i] = part
    return "".join(parts)
