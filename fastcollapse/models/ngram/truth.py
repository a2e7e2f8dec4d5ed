"""The truth of the n-gram family: the sentences of a text."""

import dataclasses
from pathlib import Path
from typing import Any, ClassVar

from fastcollapse.config.fields import parameter
from fastcollapse.config.text_truth import TEXT_FILES, TEXT_HELP, TextTruth
from fastcollapse.datasets.data_files import DataFiles
from fastcollapse.datasets.sentences import Sentences, read_sentences
from fastcollapse.datasets.text_file import text_paths


@dataclasses.dataclass(frozen=True)
class NgramTruth(TextTruth):
    """The text of generation 0."""

    has_sentences: ClassVar[bool] = True

    text: Any = parameter(TEXT_FILES, f"{TEXT_HELP}; its sentences are the real data")

    def load(self, base: Path | None = None) -> Sentences:
        """Return the sentences of the text.

        Raises
        ------
        InputError
            A file is missing, empty, binary or damaged, or the text has no words.
        """
        files = DataFiles(base)
        paths = text_paths(files, "truth.text", self.texts)
        sentences = read_sentences(files, paths, self.token_pattern, self.case, self.unit)
        return dataclasses.replace(sentences, source=f"sentences of {', '.join(self.texts)}")
