"""What is built and installed: wheel, source distribution, recipe of conda, and what the documents say of them."""

import configparser
import filecmp
import os
import re
import shutil
import subprocess
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

import fastcollapse

ROOT = Path(__file__).parents[1]
SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg")
# Folder of the tree -> folder of the installed package.
FOLDERS = {"fastcollapse": "fastcollapse", "data": "fastcollapse/data"}
# What a checkout has and no package needs.
NOT_PACKED = re.compile(r"\.|.*__pycache__|(build|dist|results)/|.*\.egg-info/|docs/(_build|reference/generated)/")
RUN = """
import importlib, pkgutil, sys
import fastcollapse

assert set(fastcollapse.__all__) <= set(dir(fastcollapse))
for name in fastcollapse.__all__:
    getattr(fastcollapse, name)
found = [one.name for one in pkgutil.walk_packages(fastcollapse.__path__, "fastcollapse.")]
for name in found:
    if not name.endswith("__main__"):
        importlib.import_module(name)
results = fastcollapse.open_results("out.h5")
try:
    results.to_dataframe()
except fastcollapse.InputError as error:
    print(error)
print(len(found), sorted({"pandas", "xarray", "pyarrow", "sklearn", "distributed"} & set(sys.modules)))
"""


def packed():
    """Return the files of the tree that a wheel must have, by their path in it."""
    return {
        f"{inside}/{path.relative_to(ROOT / folder).as_posix()}": path
        for folder, inside in FOLDERS.items()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def requirements(text):
    """Return the requirements in lines of text, as {name: oldest version}."""
    return dict(re.fullmatch(r"([\w-]+) ?(?:>=([\d.]+))?", line).groups() for line in text.split("\n") if line)


def unlisted(files, packages, patterns):
    """Return the files that no package and no pattern of package data would install."""
    left = []
    for name in files:
        folder, _, file = name.rpartition("/")
        listed = file.endswith(".py") and folder.replace("/", ".") in packages
        for package, globs in patterns.items():
            inside = package.replace(".", "/") + "/"
            words = [re.escape(one).replace(r"\*", "[^/]*") for one in re.split(r",\s*", globs)]
            listed |= name.startswith(inside) and bool(re.fullmatch("|".join(words), name.removeprefix(inside)))
        left += [] if listed else [name]
    return left


def test_wheel__lists_every_file_of_the_package():
    packages = set(SETUP["options"]["packages"].split())
    assert packages == {".".join(Path(name).parts[:-1]) for name in packed() if name.endswith(".py")} | {
        "fastcollapse.data"
    }
    patterns = dict(SETUP["options.package_data"])
    assert unlisted(packed(), packages, patterns) == []
    assert unlisted(["fastcollapse/new.txt", "fastcollapse/new/a.py"], packages, patterns) == [
        "fastcollapse/new.txt",
        "fastcollapse/new/a.py",
    ]


def from_index(text):
    """Return the commands in a text that install this package by its name, which is on no index."""
    return re.findall(r"(?:pip|uv|conda|mamba)\S* install[^\n`]*[ '\"]fastcollapse(?![\w/.-])[^\n`]*", text)


def test_documents_and_messages__install_from_a_clone():
    wrong = (
        "error: pip install 'fastcollapse[dask]'",
        "`pip install -U fastcollapse`",
        "conda install -c x fastcollapse",
    )
    assert all(from_index(text) for text in wrong)
    assert from_index("fastcollapse: pip install '.[dask]'\npip install wheels/fastcollapse-*.whl") == []
    kinds = ("*.md", "*.py", "*.toml", "*.cfg", "*.yaml", "*.ipynb", "*.html", "Makefile")
    folders = ("fastcollapse", "data", "docs", "bench", "conda")
    files = [path for folder in folders for kind in kinds for path in (ROOT / folder).rglob(kind)]
    files += [path for kind in kinds for path in ROOT.glob(kind)]
    assert len(files) > 400
    assert {path: from_index(path.read_text()) for path in files if from_index(path.read_text())} == {}


def section(text, *names):
    """Return the items of a list in YAML, which nested keys lead to."""
    for depth, name in enumerate(names):
        text = re.search(rf"^ {{{2 * depth}}}{name}:\n((?: {{{2 * depth + 2}}}.*\n|\n)+)", text, re.MULTILINE)[1]
    return "\n".join(re.findall(r"^ *- (.*)", text, re.MULTILINE)) + "\n"


def test_conda_recipe__has_the_same_dependencies():
    recipe = (ROOT / "conda" / "recipe.yaml").read_text()
    run = requirements(section(recipe, "requirements", "run"))
    expected = requirements(SETUP["options"]["install_requires"])
    # matplotlib-base is matplotlib without windows; __linux is the operating system.
    expected |= {"matplotlib-base": expected.pop("matplotlib"), "__linux": None}
    assert run == expected | {"python": SETUP["options"]["python_requires"].removeprefix(">=")}
    build = requirements("\n".join(tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]))
    assert requirements(section(recipe, "requirements", "host")) == build | {"python": run["python"], "pip": None}
    assert f'version: "{SETUP["metadata"]["version"]}"' in recipe
    assert f"summary: {SETUP['metadata']['description']}\n" in recipe
    assert f"license: {SETUP['metadata']['license']}\n" in recipe
    assert SETUP["options.entry_points"]["console_scripts"].strip() in recipe


def test_oldest_python__is_the_same_everywhere():
    oldest = SETUP["options"]["python_requires"].removeprefix(">=")
    assert SETUP["mypy"]["python_version"] == oldest
    assert f"py{oldest.replace('.', '')}" in (ROOT / "ruff.toml").read_text()
    as_tuple = f"sys.version_info < ({oldest.replace('.', ', ')})"
    for name in ("Makefile", "cli.py"):
        assert as_tuple in (ROOT / name).read_text()
    classifiers = re.findall(r"Python :: (3\.\d+)", SETUP["metadata"]["classifiers"])
    assert classifiers[0] == oldest
    assert f"Python {oldest} or newer" in (ROOT / "README.md").read_text()


def ran(*command, cwd, **settings):
    """Run a command outside the checkout; return what it printed."""
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=env | settings, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def python_of(folder):
    """Make an empty environment in a folder; return its Python."""
    venv.create(folder, with_pip=True, symlinks=True)
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder with a copy of the checkout, `tree`, and what `python -m build` makes of it, in `dist`."""
    folder = tmp_path_factory.mktemp("packages")
    python = python_of(folder / "builder")
    install = [python, "-m", "pip", "install", "--quiet", "--retries", "1", "build"]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if "(from versions: none)" in done.stderr:
        pytest.skip("the package index cannot be reached")
    assert done.returncode == 0, done.stderr
    names = (path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*") if path.is_file())
    for name in names:
        if not NOT_PACKED.match(name):
            (folder / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / "tree" / name)
    ran(python, "-m", "build", "--outdir", folder / "dist", folder / "tree", cwd=folder)
    left = folder / "tree" / "build" / "lib" / "fastcollapse" / "of_an_older_version.py"
    left.parent.mkdir(parents=True, exist_ok=True)
    left.touch()
    ran(python, "-m", "build", "--wheel", "--outdir", folder / "direct", folder / "tree", cwd=folder)
    return folder


def contents(wheel):
    """Return the checksum of each file in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {entry.filename: entry.CRC for entry in archive.infolist()}


@pytest.mark.slow
def test_wheel__has_every_file_of_the_package(built, tmp_path):
    (wheel,) = (built / "dist").glob("*.whl")
    (direct,) = (built / "direct").glob("*.whl")
    assert contents(wheel) == contents(direct)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
        files = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert files == set(packed())
    assert [name for name, path in packed().items() if not filecmp.cmp(path, tmp_path / name, shallow=False)] == []
    assert wheel.stat().st_size < 6e6


@pytest.mark.slow
def test_source_distribution__is_the_checkout(built):
    (path,) = (built / "dist").glob("*.tar.gz")
    with tarfile.open(path) as archive:
        files = {member.name.partition("/")[2] for member in archive if member.isfile()}
    tree = {path.relative_to(built / "tree").as_posix() for path in (built / "tree").rglob("*") if path.is_file()}
    made = {name for name in files | tree if re.match(r"PKG-INFO$|build/|fastcollapse\.egg-info/", name)}
    assert files - made == tree - made


@pytest.mark.slow
def test_installed_wheel__works_alone(built, tmp_path):
    """In an environment with nothing but the wheel and what it requires, away from the checkout."""
    python = python_of(tmp_path / "environment")
    (wheel,) = (built / "dist").glob("*.whl")
    ran(python, "-m", "pip", "install", "--quiet", "--no-compile", wheel, cwd=tmp_path)
    ran(python, "-m", "pip", "check", cwd=tmp_path)
    folder = tmp_path / "study"
    folder.mkdir()

    def command(*words):
        return ran(python.with_name("fastcollapse"), *words, cwd=folder)

    assert command("--version") == f"fastcollapse, version {fastcollapse.__version__}\n"
    listed = command("recipes")
    assert [path.stem for path in (ROOT / "data" / "recipes").glob("*.toml") if path.stem not in listed] == []
    short = ("--set", "run.n_replicates=50", "--set", "run.n_generations=10")
    assert "Files: out.h5\n       out.png" in command("run", "bernoulli-forgetting", *short, "-o", "out.h5")
    assert (folder / "out.png").read_bytes().startswith(b"\x89PNG")
    assert "agree" in command("compare", "out.h5")
    command("report", "out.h5")
    assert (folder / "out.html").read_text().startswith("<!DOCTYPE html>")
    assert command("replay", "out.h5").startswith("identical, bit for bit")
    # Its text is shipped.
    short = ("--set", "run.n_replicates=2", "--set", "run.n_generations=2")
    assert "symbols alive" in command("run", "wikitext2-unigram", *short, "-o", "text.h5")
    last = ran(python, "-c", RUN, cwd=folder).splitlines()
    assert last[0] == "to_dataframe must have pandas: pip install pandas"
    assert last[1] == f"{len([name for name in packed() if name.endswith('.py')]) - 1} []"
