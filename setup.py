"""Build of the package; setup.cfg has its metadata and its files."""

import shutil
from pathlib import Path

from setuptools import setup

# setuptools also installs what an earlier build left here, such as a module that a newer version does not have.
shutil.rmtree(Path(__file__).parent / "build" / "lib", ignore_errors=True)
setup()
