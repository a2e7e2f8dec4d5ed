"""Theory of n-gram models and of many contexts that are refitted to their own samples.

Means of all counts at every generation, and the variance of the number of words:
    ngram_expected_counts, ngram_length_variance
One refit: words, cells and contexts that are alive, variances, and the exact law of the counts:
    ngram_alive_one_refit, ngram_alive_one_refit_poisson, ngram_word_probabilities, ngram_cell_probabilities,
    ngram_word_variances, whittle_log_probability
Resampling of whole sentences, the limit of high orders:
    sentences_alive_bounds
Fixed totals, independent multinomials in each context:
    fixed_totals_alive_bounds, fixed_totals_alive_one_refit
Contexts with real data in every fit:
    contexts_squared_distance, contexts_squared_distance_limit, contexts_sampled_distance, contexts_fresh_distance,
    contexts_random_distance, contexts_total_variation, context_l1, context_l1_bound, context_l1_limit,
    largest_synthetic
Contexts without real data:
    contexts_replace_distance
The time until all contexts have collapsed:
    contexts_collapse_time, contexts_collapse_time_gumbel

`help` of a function explains its own arguments; those that a module shares are in the `Notation` of the module.
"""

from fastcollapse.theory.language.collapse_time import contexts_collapse_time, contexts_collapse_time_gumbel
from fastcollapse.theory.language.fixed_totals import fixed_totals_alive_bounds, fixed_totals_alive_one_refit
from fastcollapse.theory.language.flow import ngram_expected_counts
from fastcollapse.theory.language.one_refit import (
    ngram_alive_one_refit,
    ngram_alive_one_refit_poisson,
    ngram_cell_probabilities,
    ngram_length_variance,
    ngram_word_probabilities,
    ngram_word_variances,
)
from fastcollapse.theory.language.real_data import (
    contexts_fresh_distance,
    contexts_random_distance,
    contexts_replace_distance,
    contexts_sampled_distance,
    contexts_squared_distance,
    contexts_squared_distance_limit,
    largest_synthetic,
)
from fastcollapse.theory.language.total_variation import (
    context_l1,
    context_l1_bound,
    context_l1_limit,
    contexts_total_variation,
)
from fastcollapse.theory.language.whittle import whittle_log_probability
from fastcollapse.theory.language.whole_sentences import sentences_alive_bounds

__all__ = [
    "context_l1",
    "context_l1_bound",
    "context_l1_limit",
    "contexts_collapse_time",
    "contexts_collapse_time_gumbel",
    "contexts_fresh_distance",
    "contexts_random_distance",
    "contexts_replace_distance",
    "contexts_sampled_distance",
    "contexts_squared_distance",
    "contexts_squared_distance_limit",
    "contexts_total_variation",
    "fixed_totals_alive_bounds",
    "fixed_totals_alive_one_refit",
    "largest_synthetic",
    "ngram_alive_one_refit",
    "ngram_alive_one_refit_poisson",
    "ngram_cell_probabilities",
    "ngram_expected_counts",
    "ngram_length_variance",
    "ngram_word_probabilities",
    "ngram_word_variances",
    "sentences_alive_bounds",
    "whittle_log_probability",
]
