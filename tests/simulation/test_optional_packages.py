"""Import of packages that are extras."""

import pytest

from fastcollapse.errors import InputError
from fastcollapse.simulation.optional_packages import extra


def test_extra__names_a_missing_package():
    with pytest.raises(InputError, match=r"panels must have xarray: pip install xarray"):
        with extra("xarray", "panels"):
            import a_package_that_is_not_installed  # noqa: F401


def test_extra__keeps_other_errors():
    with pytest.raises(ZeroDivisionError), extra("xarray", "panels"):
        _ = 1 / 0
