"""Registry of model families: shipped families, and families registered from a folder."""

import pytest

from fastcollapse.errors import InputError
from fastcollapse.models import families, family, register
from fastcollapse.models.base import Model
from fastcollapse.models.gaussian.family import GaussianModel
from fastcollapse.models.registry import unregister


@pytest.mark.parametrize("name", families())
def test_family__is_a_model_with_metrics_and_known_capabilities(name):
    from fastcollapse.config import CAPABILITIES

    model = family(name)
    assert issubclass(model, Model)
    assert model.METRICS
    assert all(key == metric.name for key, metric in model.METRICS.items())
    assert set(CAPABILITIES) >= model.CAPABILITIES


def test_family__gaussian_is_one_class_for_all_dimensions():
    assert issubclass(family("gaussian"), GaussianModel)


def test_family__unknown_name_gives_the_nearest_match():
    with pytest.raises(InputError, match=r"got 'poison' \(did you mean 'poisson'\?\)"):
        family("poison")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("empty", None, "must be a folder with a file model.py"),
        ("poisson", "MODEL = 1\n", "must have a new name that is an identifier, got 'poisson'"),
        ("not-a-name", "MODEL = 1\n", "must have a new name that is an identifier, got 'not-a-name'"),
        ("toy", "MODEL = 1\n", "must have MODEL, a class that extends Model, got 1"),
        (
            "toy",
            "from fastcollapse.models.base import Model\nclass MODEL(Model):\n    pass\n",
            "must define __init__, advance, block_length, initial, restore, TRUTH, METRICS",
        ),
    ],
)
def test_register__rejects_invalid_families(tmp_path, name, text, message):
    folder = tmp_path / name
    folder.mkdir()
    if text is not None:
        (folder / "model.py").write_text(text)
    before = families()
    with pytest.raises(InputError, match=message):
        register(folder)
    assert families() == before


def test_unregister__removes_a_family(tmp_path):
    folder = tmp_path / "toy"
    folder.mkdir()
    (folder / "model.py").write_text("from fastcollapse.models.poisson.model import Poisson as MODEL\n")
    assert register(folder) == "toy"
    try:
        assert "toy" in families()
        assert family("toy").__name__ == "Poisson"
        assert register(folder) == "toy"  # again, after an edit
    finally:
        unregister("toy")
    assert "toy" not in families()
