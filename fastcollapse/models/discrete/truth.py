"""The truth of the discrete family: words of a text, a table of counts, or a law."""

import dataclasses
import math
from pathlib import Path
from typing import Any, ClassVar

from fastcollapse.config.fields import FloatField, IntField, ListField, StringField, parameter
from fastcollapse.config.section_base import Section, TableField
from fastcollapse.config.text_truth import TextTruth
from fastcollapse.datasets.categorical import CategoricalDistribution
from fastcollapse.datasets.corpus import count_words
from fastcollapse.datasets.count_spectrum import SymbolTruth, ZipfMandelbrotLaw
from fastcollapse.datasets.count_table import read_counts, read_counts_of_counts
from fastcollapse.datasets.data_files import DataFiles, split_name
from fastcollapse.datasets.frequencies import read_frequencies
from fastcollapse.datasets.text_file import text_paths


@dataclasses.dataclass(frozen=True)
class ZipfMandelbrot(Section):
    """Zipf-Mandelbrot law: probabilities proportional to `(i + b)**-a` for i = 1..size."""

    a: float = parameter(FloatField(0, 1000, above=True), "exponent")
    b: float = parameter(FloatField(-1, 1e15, above=True), "offset")
    size: int = parameter(IntField(2, 10**12), "number of symbols", unit="symbols")


@dataclasses.dataclass(frozen=True)
class _Probabilities:
    """Check of probabilities: a list, or the path of a file of frequencies."""

    text: ClassVar[str] = "list of numbers from 0, at most 1, or a file of frequencies (.npy, .npz, .csv, .tsv)"

    def __call__(self, value: Any) -> Any:
        """Return the checked value."""
        return StringField()(value) if isinstance(value, str) else ListField(FloatField(0, 1), shortest=2)(value)


@dataclasses.dataclass(frozen=True)
class DiscreteTruth(TextTruth):
    """The distribution of generation 0, given by exactly one of the keys."""

    alternatives: ClassVar[dict[str, tuple[str, ...]]] = {
        "text": TextTruth.text_keys,
        "counts": (),
        "counts_of_counts": (),
        "zipf_mandelbrot": (),
        "uniform": (),
        "probabilities": (),
    }

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
    probabilities: Any = parameter(
        _Probabilities(),
        "probabilities that sum to 1 within 1e-9; or a file of frequencies with any sum, also beside words",
        default=None,
    )

    @property
    def files(self) -> tuple[str, ...]:
        """Paths of the text or of the table."""
        tables = (path for path in (self.counts, self.counts_of_counts) if path is not None)
        frequencies = [split_name(self.probabilities)[0]] if isinstance(self.probabilities, str) else []
        return (*self.texts, *tables, *frequencies)

    def load(self, base: Path | None = None) -> SymbolTruth:
        """Return the distribution of generation 0.

        Symbols of a text or a table of counts are sorted by descending count, then by label. Symbols of a law and of
        frequencies keep their order.
        Counts of counts and the Zipf-Mandelbrot law have no array over symbols.

        Raises
        ------
        InputError
            A file is missing, empty, binary or damaged, or has fewer than two words.
        """
        files = DataFiles(base)
        if self.text is not None:
            words = count_words(
                files, text_paths(files, "truth.text", self.texts), self.token_pattern, self.case, self.unit
            )
            source = f"{self.unit or 'word'}s of {', '.join(self.texts)}"
            truth = CategoricalDistribution.from_counts(words, source, "truth.text", self.text)
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
        if isinstance(self.probabilities, str):
            return read_frequencies(files, self.probabilities)
        return CategoricalDistribution.from_probabilities(self.probabilities)

    def relations(self) -> list[tuple[str, str]]:
        """Return the contradictions between parameters, as (key, message)."""
        given = [name for name in self.alternatives if getattr(self, name) is not None]
        if len(given) != 1:
            return [
                ("", f"must have exactly one of {', '.join(self.alternatives)}, got {' and '.join(given) or 'none'}")
            ]
        for key in self.text_keys:
            if getattr(self, key) is not None and self.text is None:
                return [(key, f"must be given with truth.text, got it with truth.{given[0]}")]
        if not isinstance(self.probabilities, tuple):
            return super().relations()
        total = math.fsum(self.probabilities)
        if abs(total - 1) > 1e-9:
            return [("probabilities", f"must sum to 1 within 1e-9, got a sum of {total:.12g}")]
        n_positive = sum(p > 0 for p in self.probabilities)
        if n_positive < 2:
            return [("probabilities", f"must have at least two entries above 0, got {n_positive}")]
        return []
