# Two commands do all the set-up: `make demo` (a prompt becomes a picture) and `make test` (every test).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
NPM := frontend/npm
MODULES := frontend/node_modules/.installed
EDITOR := nodegraph/server/static/index.html
# Waiting threads sleep instead of spinning: small networks on busy cores are far faster so.
export OMP_WAIT_POLICY ?= PASSIVE
# Two files of tests at once, each with one thread for its numbers (three are hardly faster: the cores are busy). A browser
# wants both cores for itself.
TWO_AT_ONCE := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist loadfile --ignore tests/editor
BROWSER := $(BIN)/python -m pytest tests/editor

.PHONY: help setup demo serve dev editor browser test test-full check check-editor format bench clean

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

serve: $(EDITOR) ## run the server with the visual editor
	$(BIN)/nodegraph serve

dev: $(MODULES) ## the editor with reload, beside a server: NODEGRAPH_TOKEN=… make dev
	$(NPM) run -s dev

editor: $(EDITOR) ## build the editor into the package

$(MODULES): frontend/package-lock.json frontend/npm | $(STAMP)
	$(NPM) ci --silent
	@touch $@

$(EDITOR): $(MODULES) frontend/index.html frontend/vite.config.ts $(shell find frontend/src -type f)
	$(NPM) run -s build

check-editor: $(MODULES) ## types, linter and tests of the editor, and whether its API types are those of the server
	$(NPM) run -s check

browser: ## a Chromium for the tests of the editor, the small one before any other, where root can get one
	@command -v chromium-headless-shell >/dev/null && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  (apt-get update -qq && { apt-get install -y -qq chromium-headless-shell || command -v chromium || \
	    apt-get install -y -qq chromium; }) >/dev/null 2>&1; fi; true

check: $(STAMP) check-editor ## linters, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check $(EDITOR) browser ## linters and every test
	$(TWO_AT_ONCE)
	$(BROWSER)

test-full: check $(EDITOR) browser ## `make test` and the long suites
	$(TWO_AT_ONCE) --full
	$(BROWSER) --full

format: $(STAMP) ## sort imports and format
	$(BIN)/ruff check --fix --select I .
	$(BIN)/ruff format .

bench: $(STAMP) ## engine and sampling benchmarks: ratios and counters
	$(BIN)/python -m benchmarks

clean: ## remove the environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist \
	  frontend/node_modules nodegraph/server/static
