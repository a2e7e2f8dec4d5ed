"""The truth of the discrete family: words of a text, a table of counts, or a law."""

import dataclasses
import math
import re
import warnings
from pathlib import Path
from typing import ClassVar

from fastcollapse.config.fields import (
    FloatField,
    IntField,
    ListField,
    StringField,
    ValidationErrors,
    parameter,
    refuse,
    show,
)
from fastcollapse.config.nested_text import no_collection
from fastcollapse.config.section_base import Section, TableField
from fastcollapse.config.sections import TruthSection
from fastcollapse.datasets.categorical import CategoricalDistribution
from fastcollapse.datasets.corpus import count_words
from fastcollapse.datasets.count_spectrum import SymbolTruth, ZipfMandelbrotLaw
from fastcollapse.datasets.count_table import read_counts, read_counts_of_counts
from fastcollapse.datasets.data_files import DataFiles


@dataclasses.dataclass(frozen=True)
class ZipfMandelbrot(Section):
    """Zipf-Mandelbrot law: probabilities proportional to `(i + b)**-a` for i = 1..size."""

    a: float = parameter(FloatField(0, 1000, above=True), "exponent")
    b: float = parameter(FloatField(-1, 1e15, above=True), "offset")
    size: int = parameter(IntField(2, 10**12), "number of symbols", unit="symbols")


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
class DiscreteTruth(TruthSection):
    """The distribution of generation 0, given by exactly one of the keys."""

    alternatives: ClassVar[dict[str, tuple[str, ...]]] = {
        "text": ("token_pattern",),
        "counts": (),
        "counts_of_counts": (),
        "zipf_mandelbrot": (),
        "uniform": (),
        "probabilities": (),
    }

    text: str | None = parameter(StringField(), "text file (.txt, .txt.gz); its words are counted", default=None)
    token_pattern: str | None = parameter(
        TokenPattern(),
        "regular expression of a word of the lower-cased text; by default runs of letters, digits, _ and their marks",
        default=None,
    )
    counts: str | None = parameter(
        StringField(), "table with columns word and count (.csv, .tsv, also .gz)", default=None
    )
    counts_of_counts: str | None = parameter(
        StringField(), "table with columns count and number of symbols (.csv, .tsv, also .gz)", default=None
    )
    zipf_mandelbrot: ZipfMandelbrot | None = parameter(
        TableField(ZipfMandelbrot), "probabilities proportional to (i + b)**-a, i = 1..size", default=None
    )
    uniform: int | None = parameter(
        IntField(2, 10**8), "number of equally likely symbols", default=None, unit="symbols"
    )
    probabilities: tuple[float, ...] | None = parameter(
        ListField(FloatField(0, 1), shortest=2), "probabilities that sum to 1 within 1e-9", default=None
    )

    @property
    def files(self) -> tuple[str, ...]:
        """Path of the text or of the table."""
        return tuple(path for path in (self.text, self.counts, self.counts_of_counts) if path is not None)

    def load(self, base: Path | None = None) -> SymbolTruth:
        """Return the distribution of generation 0.

        Symbols of a text or a table are sorted by descending count, then by label. Symbols of a law keep its order.
        Counts of counts and the Zipf-Mandelbrot law have no array over symbols.

        Raises
        ------
        InputError
            A file is missing, empty, binary or damaged, or has fewer than two words.
        """
        files = DataFiles(base)
        if self.text is not None:
            words = count_words(files, self.text, self.token_pattern)
            truth = CategoricalDistribution.from_counts(words, f"words of {self.text}", "truth.text", self.text)
            return dataclasses.replace(truth, inputs=files.hashes)
        if self.counts is not None:
            words = read_counts(files, self.counts)
            truth = CategoricalDistribution.from_counts(words, f"counts of {self.counts}", "truth.counts", self.counts)
            return dataclasses.replace(truth, inputs=files.hashes)
        if self.counts_of_counts is not None:
            return read_counts_of_counts(files, self.counts_of_counts)
        if self.zipf_mandelbrot is not None:
            law = self.zipf_mandelbrot
            return ZipfMandelbrotLaw(law.a, law.b, law.size)
        if self.uniform is not None:
            return CategoricalDistribution.uniform(self.uniform)
        assert self.probabilities is not None
        return CategoricalDistribution.from_probabilities(self.probabilities)

    def relations(self) -> list[tuple[str, str]]:
        """Return the contradictions between parameters, as (key, message)."""
        given = [name for name in self.alternatives if getattr(self, name) is not None]
        if len(given) != 1:
            return [
                ("", f"must have exactly one of {', '.join(self.alternatives)}, got {' and '.join(given) or 'none'}")
            ]
        if self.token_pattern is not None and self.text is None:
            return [("token_pattern", f"must be given with truth.text, got it with truth.{given[0]}")]
        if self.probabilities is None:
            return []
        total = math.fsum(self.probabilities)
        if abs(total - 1) > 1e-9:
            return [("probabilities", f"must sum to 1 within 1e-9, got a sum of {total:.12g}")]
        n_positive = sum(p > 0 for p in self.probabilities)
        if n_positive < 2:
            return [("probabilities", f"must have at least two entries above 0, got {n_positive}")]
        return []
