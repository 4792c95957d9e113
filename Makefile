# The one door for developers, for CI and for a first look.
#
#   make demo     the whole line on a bundled example, from tickets to a report
#   make test     everything: format, lint, types, contracts, tests with an engine and end to end
#   make check    the fast part of it, without an engine
#   make bench    how fast the harness itself is
#   make yield    how many pairs of issue and fix of public repositories become tasks (an hour or two)
#   make reference    rewrite the pages under docs/reference that come from the code
#   make clean    remove what make made

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
BASE := $(VENV)/.base
DEV := $(VENV)/.dev
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: demo test check fast-checks bench yield reference clean
.DELETE_ON_ERROR:

demo: $(BASE)
	@bash docker/engine.sh || echo "demo: no engine, using the local sandbox" >&2
	@$(BIN)/micro-bench demo

test: $(DEV)
	@bash docker/engine.sh || { [ -z "$$CI" ] || exit 1; }
	@bash tests/tools.sh
	@$(MAKE) --no-print-directory fast-checks
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m "not alone"
	$(BIN)/python -m pytest -m alone

# A worker for each processor takes whole files, so that what a file prepares is prepared once.
SIDE_BY_SIDE := -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

check: fast-checks
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m "not docker and not network and not browser" --ignore tests/e2e

fast-checks: $(DEV)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(DEV)
	$(BIN)/python -m tests.bench

yield: $(DEV)
	@bash docker/engine.sh
	$(BIN)/python -m tests.yields $(YIELD)

reference: $(DEV)
	$(BIN)/python docs/generate.py

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist

# The stamps make warm runs skip the set-up; a change of pyproject.toml repeats it.
$(BASE): pyproject.toml | $(BIN)/python
	@echo "installing micro-bench into $(VENV)" >&2
	@$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(DEV): $(BASE)
	@echo "installing the development tools into $(VENV)" >&2
	@$(BIN)/python -c '$(DEV_GROUP)' > $(VENV)/dev.txt
	@$(BIN)/python -m pip install --quiet --requirement $(VENV)/dev.txt
	@touch $@

# pip learned `--group` in 25.1; Debian 12 has 23.0.
DEV_GROUP := import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["dev"], sep="\n")

# Debian splits venv off from python3; without root, uv or virtualenv may be there instead.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 \
	  || { rm -rf $(VENV); [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	       && echo "installing python3-venv with apt-get" >&2 && apt-get update -qq \
	       && apt-get install -y -qq python3-venv >/dev/null && $(PYTHON) -m venv $(VENV); } \
	  || { rm -rf $(VENV); uv venv --quiet --seed --python $(PYTHON) $(VENV); } 2>/dev/null \
	  || { rm -rf $(VENV); virtualenv --quiet --python $(PYTHON) $(VENV); } 2>/dev/null \
	  || { rm -rf $(VENV); echo "cannot make $(VENV): install python3-venv" >&2; exit 1; }
