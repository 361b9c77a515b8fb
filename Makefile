# Two commands do all the set-up: `make demo` (a prompt becomes a picture) and `make test` (every test).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Waiting threads sleep instead of spinning: small networks on busy cores are far faster so.
export OMP_WAIT_POLICY ?= PASSIVE

.PHONY: help setup demo test test-full check format bench clean

help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(STAMP) ## make the virtual environment with everything in it

$(STAMP): pyproject.toml constraints.txt plugins/nodegraph-example/pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[test,check]" -e plugins/nodegraph-example
	@touch $@

demo: $(STAMP) ## turn a prompt into a picture with the embedded model
	$(BIN)/nodegraph run template:text-to-image --prompt "a red circle on a blue background" --seed 7 -o demo.png

check: $(STAMP) ## linters, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check ## linters and every test
	$(BIN)/python -m pytest

test-full: check ## `make test` and the long suites
	$(BIN)/python -m pytest --full

format: $(STAMP) ## sort imports and format
	$(BIN)/ruff check --fix --select I .
	$(BIN)/ruff format .

bench: $(STAMP) ## engine and sampling benchmarks: ratios and counters
	$(BIN)/python -m benchmarks

clean: ## remove the environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
