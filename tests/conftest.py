"""Makes `tests.naive` and `tests.laws` importable and fixes what Hypothesis does."""

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parents[1]))

# No deadline: the first example compiles. The same examples every time: a failure is a change of the code.
settings.register_profile("fastcollapse", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("fastcollapse")
