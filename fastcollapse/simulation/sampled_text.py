"""Text that can be read, sampled from the generations of a run."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from fastcollapse.config.fields import MAX_COUNT, check_index
from fastcollapse.config.schedule import Schedule
from fastcollapse.datasets.sentences import Sentences
from fastcollapse.errors import InputError, UnreadableResults
from fastcollapse.kernels.compile_log import kernels_of
from fastcollapse.kernels.random.numpy_streams import numpy_stream
from fastcollapse.kernels.random.streams import PURPOSE_TEXT
from fastcollapse.models.registry import family
from fastcollapse.models.text_sampler import TextSampler
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.memory_budget import memory_of_kernels
from fastcollapse.simulation.schedules import real_size, schedule_of
from fastcollapse.storage.base import Reader

_MOST_SENTENCES = 10**6
# A summary computes a generation again if this takes at most this share of the run, or this number of draws.
_SHARE = 0.1
_FEW_DRAWS = 2_000_000


def sample_text(
    experiment: Experiment,
    reader: Reader,
    generation: int | None = None,
    replicate: int = 0,
    *,
    n: int = 5,
    seed: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[str]:
    """Return sentences of a generation of a run.

    Parameters
    ----------
    experiment, reader : the recorded experiment with its seed, and the reader of its results.
    generation, replicate, n, seed : see `Results.text`.
    progress : called with the number of generations that were computed again since the last call.

    Raises
    ------
    InputError, UnreadableResults
        See `Results.text`.
    """
    sampler = _sampler(experiment, reader)
    if sampler is None:
        raise InputError(f"text must be that of a family with sentences, got a run of the {experiment.family} family")
    replicate = check_index("replicate", replicate, reader.header.n_replicates - 1)
    if reader.n_committed < 0:
        raise InputError(f"generation must be finished, got {generation!r}: none is finished yet")
    generation = reader.n_committed if generation is None else check_index("generation", generation, reader.n_committed)
    n = check_index("n", n, _MOST_SENTENCES)
    seed = None if seed is None else check_index("seed", seed, 2**64 - 1)
    text = _RunText(experiment, reader, sampler, replicate)
    (counts,) = text.counts([generation], progress)
    return text.sentences(counts, generation, n, seed)


def summary_text(experiment: Experiment, reader: Reader, generations: Sequence[int], n: int) -> dict[int, list[str]]:
    """Return sentences of replicate 0 at those of some generations that are recorded or take a short time to compute.

    A run of a family without text has none.

    Parameters
    ----------
    experiment, reader : see `sample_text`.
    generations : in ascending order; those beyond the end of the run are left out.
    n : number of sentences of each.
    """
    sampler = _sampler(experiment, reader)
    if sampler is None:
        return {}
    text, wanted = _RunText(experiment, reader, sampler, 0), [t for t in generations if t <= reader.n_committed]
    if not reader.header.trajectory and wanted:
        draws = np.concatenate(([0.0], np.cumsum(text.schedule().n_synthetic, dtype=np.float64)))
        most = max(_FEW_DRAWS, _SHARE * reader.header.n_replicates * draws[reader.n_committed])
        wanted = [t for t in wanted if draws[t] <= most]
    found = text.counts(wanted)
    return {t: text.sentences(counts, t, n, None) for t, counts in zip(wanted, found, strict=True)}


def _sampler(experiment: Experiment, reader: Reader) -> TextSampler | None:
    """Return the sampler of a run; None for a family without text.

    Raises
    ------
    UnreadableResults
        The counts of the file are not those of its text.
    """
    header = reader.header
    if not isinstance(header.truth, Sentences):
        return None
    sampler = family(experiment.family).text_sampler(header.truth, experiment.model, experiment.sampling)
    if sampler is not None and header.trajectory and header.n_columns != len(sampler.counts):
        has = f"its trajectory has {header.n_columns} cells, its text {len(sampler.counts)}"
        raise UnreadableResults(f"{reader.path}: is damaged: {has}")
    return sampler


class _RunText:
    """The text of one replicate of a run.

    Parameters
    ----------
    experiment, reader : see `sample_text`.
    sampler : turns counts into sentences.
    replicate : 0 to R - 1.
    """

    def __init__(self, experiment: Experiment, reader: Reader, sampler: TextSampler, replicate: int) -> None:
        self._experiment, self._reader, self._sampler, self._replicate = experiment, reader, sampler, replicate
        self._first = reader.header.first_replicate + replicate
        self._seed = experiment.run.seed or 0

    def schedule(self) -> Schedule:
        """Return the schedule of the whole run."""
        return schedule_of(self._experiment, real_size(self._experiment, self._reader.header.truth))

    def counts(self, generations: Sequence[int], progress: Callable[[int], None] | None = None) -> list[np.ndarray]:
        """Return the counts of ascending generations, int64 (D) each: recorded, or computed again."""
        later = [t for t in generations if t > 0]
        found = [self._sampler.counts] * (len(generations) - len(later))
        if self._reader.header.trajectory:
            rows: Iterator[tuple[np.ndarray, np.ndarray]] = (self._reader.counts(self._replicate, t) for t in later)
        else:
            rows = self._computed_again(later, progress)
        for t, (cells, counts) in zip(later, rows, strict=True):
            if counts.min(initial=0) < 0 or counts.sum(dtype=np.float64) > MAX_COUNT:
                raise UnreadableResults(
                    f"{self._reader.path}: is damaged: generation {t} has counts that are too large"
                )
            found.append(np.zeros_like(self._sampler.counts))
            found[-1][cells] = counts
        return found

    def _computed_again(
        self, generations: Sequence[int], progress: Callable[[int], None] | None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the cells and the counts of ascending generations, at least 1."""
        if not generations:
            return
        experiment, done = self._experiment, 0
        with kernels_of(experiment.family):
            truth, record = self._reader.header.truth, ("trajectory",)
            model = family(experiment.family).create(truth, experiment.model, self.schedule(), record)
            state = model.initial(1, self._seed, self._first)
            for generation in generations:
                while done < generation:
                    length = model.block_length(state, generation - done)
                    with memory_of_kernels():
                        block = model.advance(state, done + 1, length, self._seed, self._first)
                    done += length
                    if progress is not None:
                        progress(length)
                assert block.counts is not None
                low, high = block.counts.indptr[-2:]
                yield block.counts.indices[low:high], block.counts.data[low:high]

    def sentences(self, counts: np.ndarray, generation: int, n: int, seed: int | None) -> list[str]:
        """Return sentences of the counts of a generation."""
        stream = numpy_stream(self._seed if seed is None else seed, self._first, generation, PURPOSE_TEXT)
        return self._sampler.sentences(counts, n, stream)
