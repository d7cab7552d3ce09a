# Two commands do everything: `make up` runs it, `make test` proves it. Both set up .venv first.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

.PHONY: up test sim fuzz e2e fmt lint types docs bench check clean setup tools lock models

up: .venv/run.stamp          ## Kubernetes in one process; ARGS="--memory" and the like are passed on
	@exec $(BIN)/kajitori up $(ARGS)

setup: .venv/dev.stamp       ## everything that development needs

.venv/run.stamp: pyproject.toml requirements.lock tools/setup.sh
	@PYTHON=$(PYTHON) sh tools/setup.sh run

.venv/dev.stamp: pyproject.toml requirements.lock requirements-dev.lock tools/setup.sh
	@PYTHON=$(PYTHON) sh tools/setup.sh dev

tools: .venv/dev.stamp       ## the real kubectl and a browser, where none is installed
	@sh tools/kubectl.sh
	@sh tools/chromium.sh

test: .venv/dev.stamp tools  ## all tests, the real kubectl included
	$(BIN)/python -m pytest $(ARGS)

sim: .venv/dev.stamp         ## the long forms of the property and fault tests
	KAJITORI_LONG=1 $(BIN)/python -m pytest tests -m "not e2e or slow" $(ARGS)

fuzz: .venv/dev.stamp        ## a million inputs for what reads clients' bytes
	KAJITORI_LONG=1 $(BIN)/python -m pytest tests/fuzz $(ARGS)

e2e: .venv/dev.stamp tools   ## only what drives real parts
	$(BIN)/python -m pytest -m e2e $(ARGS)

fmt: .venv/dev.stamp
	$(BIN)/ruff format src tests tools bench
	$(BIN)/ruff check --fix src tests tools bench

lint: .venv/dev.stamp        ## style, layers, sizes
	$(BIN)/ruff format --check src tests tools bench
	$(BIN)/ruff check src tests tools bench
	$(BIN)/lint-imports
	$(BIN)/python tools/sizes.py

types: .venv/dev.stamp
	$(BIN)/mypy
	$(BIN)/pyright

docs: .venv/dev.stamp tools  ## every snippet of the README and of docs/ is run
	$(BIN)/python -m pytest tests/docs $(ARGS)

bench: .venv/dev.stamp       ## the figures of the README's table, measured here
	$(BIN)/python bench/run.py $(ARGS)

check: lint types test       ## what CI runs; the tests run the docs too

models: .venv/dev.stamp       ## writes the typed models of the built-in kinds from the facts
	$(BIN)/python tools/gen_models.py

lock: .venv/dev.stamp        ## writes the lock files anew
	$(BIN)/uv pip compile -q --no-header --no-annotate --no-emit-index-url --universal --generate-hashes \
		pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --no-header --no-annotate --no-emit-index-url --universal --generate-hashes \
		pyproject.toml --group dev -o requirements-dev.lock

clean:
	rm -rf .venv .cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache
