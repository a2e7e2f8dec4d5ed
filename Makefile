# Needs make and python3 (3.11 or newer, with venv). Everything else is installed into .venv.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
LINT_STAMP := .venv/.installed-lint
DOCS_STAMP := .venv/.installed-docs
.PHONY: run test test-slow torture gallery bench bench-avx2 lint docs clean

# The main job: a unigram model retrained on its own output (WikiText-2 sample).
run: $(STAMP)
	$(BIN)/python cli.py run

test: $(STAMP)
	$(BIN)/python -m pytest

test-slow: $(STAMP)
	$(BIN)/python -m pytest -m "slow or not slow"

# Crash safety: hundreds of trials with kills, full disks and damaged files.
torture: $(STAMP)
	$(BIN)/python -m pytest -m "slow or not slow" tests/storage -s

# The figures of docs/gallery and their page, half an hour at first. Results are kept: later calls redraw them.
KEPT := results/gallery
SWEEPS := golden-ratio heat-death partly-synthetic contaminated cot-disc forgetting tale-of-tails cot-lin cot-gau
gallery: $(STAMP)
	mkdir -p $(KEPT)
	@set -e; for name in $(SWEEPS); do $(BIN)/python cli.py sweep $$name -o $(KEPT)/sweep-$$name; done
	$(BIN)/python cli.py reproduce --all --keep $(KEPT) -o docs/gallery --overwrite

bench: $(STAMP)
	@set -e; for file in bench/bench_*.py; do echo "== $$file"; $(BIN)/python "$$file"; done

# The same without AVX-512; kernels are compiled again, into their own entries of the cache.
bench-avx2: $(STAMP)
	@NUMBA_CPU_FEATURES="$$($(BIN)/python bench/harness.py)" $(MAKE) bench

lint: $(LINT_STAMP)
	$(BIN)/ruff check .
	$(BIN)/mypy

# The site, in docs/_build/html. Examples of docstrings, notebooks and links are checked; it needs no network to be read.
docs: $(DOCS_STAMP)
	$(BIN)/python -m pytest tests/test_docs_pages.py fastcollapse/theory fastcollapse/api
	$(BIN)/python -m sphinx -b html -W --keep-going -q docs docs/_build/html
	@echo "docs/_build/html/index.html"

clean:
	rm -rf docs/_build docs/reference/generated .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, $(PYTHON) is " + sys.version.split()[0])'
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv || { rm -rf .venv; echo "error: $(PYTHON) has no venv: install python3-venv" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $@

$(LINT_STAMP): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[lint]'
	@touch $@

$(DOCS_STAMP): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[docs]'
	@touch $@
