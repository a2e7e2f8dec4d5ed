"""Keys of texts: the files, what a word is, and the unit."""

import dataclasses
import re
import warnings
from typing import Any, ClassVar

from fastcollapse.config.fields import (
    ChoiceField,
    OneOrMoreField,
    StringField,
    ValidationErrors,
    parameter,
    refuse,
    show,
)
from fastcollapse.config.nested_text import no_collection
from fastcollapse.config.sections import TruthSection

CASES = ("lower", "keep")
UNITS = ("word", "character")
TEXT_FILES = OneOrMoreField(StringField())
TEXT_HELP = "text file (.txt, .txt.gz), a pattern of files as 'texts/*.txt', or a list of both"


@dataclasses.dataclass(frozen=True)
class TokenPattern:
    """Accept a regular expression without capturing groups whose matches have a character and no white space."""

    text: ClassVar[str] = "regular expression"

    def __call__(self, value: object) -> str:
        """Return the checked value."""
        pattern = StringField()(value)
        try:
            with warnings.catch_warnings(), no_collection():
                warnings.simplefilter("ignore", FutureWarning)  # constructs that a later Python may read otherwise
                expression = re.compile(pattern)
        except (re.error, ValueError, OverflowError, RecursionError) as error:
            given = f"{show(pattern)}: {' '.join(str(error).split())}"
            raise ValidationErrors([("", f"must be a regular expression, got {given}")]) from None
        if expression.groups:
            raise refuse("a regular expression without capturing groups, written (?:...)", pattern)
        # A pattern with an empty match elsewhere is refused when the text is read.
        matches = [match.group() for match in expression.finditer("a 1\tb\n")]
        if "" in matches:
            raise refuse("a regular expression that matches at least one character", pattern)
        if any(character.isspace() for match in matches for character in match):
            raise refuse("a regular expression that matches no white space, at which the text is split", pattern)
        return pattern


@dataclasses.dataclass(frozen=True)
class TextTruth(TruthSection):
    """The keys of a text; families whose real data may be one extend this class."""

    # The keys that go with a text.
    text_keys: ClassVar[tuple[str, ...]] = ("token_pattern", "case", "unit")

    text: Any = parameter(TEXT_FILES, f"{TEXT_HELP}; its words are counted", default=None)
    token_pattern: str | None = parameter(
        TokenPattern(),
        "regular expression of a word of the text, see case; by default runs of letters, digits, _ and their marks",
        default=None,
    )
    case: str | None = parameter(
        ChoiceField(lambda: CASES), "whether the text is in lower case, the default, or as it is", default=None
    )
    unit: str | None = parameter(
        ChoiceField(lambda: UNITS), "symbols of a text: its words, the default, or its characters", default=None
    )

    @property
    def texts(self) -> tuple[str, ...]:
        """Paths and patterns of the text, as written by the user."""
        return (self.text,) if isinstance(self.text, str) else self.text or ()

    @property
    def files(self) -> tuple[str, ...]:
        """Paths and patterns of the text."""
        return self.texts

    def relations(self) -> list[tuple[str, str]]:
        """Return the contradictions between parameters, as (key, message)."""
        if self.token_pattern is not None and self.unit == "character":
            return [("token_pattern", "must be given with truth.unit = 'word', got it with 'character'")]
        return []
