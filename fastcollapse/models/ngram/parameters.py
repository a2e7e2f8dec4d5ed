"""Parameters of the n-gram family."""

import dataclasses

from fastcollapse.config.fields import ChoiceField, IntField, parameter, refuse
from fastcollapse.config.sections import ModelSection

TOTALS = ("walk", "fixed")
BUDGETS = ("sentences", "words")


@dataclasses.dataclass(frozen=True)
class OrderField(IntField):
    """Accept an order of n-grams; that of single words is another family."""

    def __call__(self, value: object) -> int:
        """Return the checked value."""
        if isinstance(value, int) and not isinstance(value, bool) and value == 1:
            raise refuse("at least 2 (the family discrete has order 1)", value)
        return super().__call__(value)


@dataclasses.dataclass(frozen=True)
class NgramParameters(ModelSection):
    """Order of the n-grams, and the data that a generation draws."""

    order: int = parameter(
        OrderField(2, 64), "length of the n-grams: order - 1 symbols of context and the next one; for 1 see discrete"
    )
    totals: str = parameter(
        ChoiceField(lambda: TOTALS),
        "walk: sentences are generated word by word; fixed: each context draws a fixed number of next words",
        default="walk",
    )
    budget: str = parameter(
        ChoiceField(lambda: BUDGETS),
        "unit of n_samples of walks: sentences, or words, reached by whole sentences",
        default="sentences",
    )

    @property
    def is_fixed(self) -> bool:
        """Whether each context draws a fixed number of words."""
        return self.totals == "fixed"

    @property
    def by_words(self) -> bool:
        """Whether a walk has a budget of words."""
        return self.budget == "words"

    def relations(self) -> list[tuple[str, str]]:
        """Return what is wrong with the keys together: (key, problem) pairs."""
        if self.is_fixed and self.by_words:
            return [("budget", "must be absent with model.totals = 'fixed', got 'words'")]
        return []
