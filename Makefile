# Every target makes what it needs; `make demo` and `make test` work on a fresh checkout.
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
FOOTFALL_HOME ?= $(CURDIR)/.footfall
export FOOTFALL_HOME
STAMP := $(VENV)/.installed

.PHONY: setup models demo test test-slow check fix up app docs bench lock clean

setup: $(STAMP)

# Hashes pin what is installed; no address of a package index is written anywhere.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info[:2] != (3, 11))" || { echo "expected Python 3.11; set PYTHON=..." >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

models: setup
	$(BIN)/footfall models pull

demo: models
	$(BIN)/footfall simulate --locations 3 --days 3 --visitors 60 --seed 7
	$(BIN)/footfall run
	$(BIN)/footfall report --from 2024-01-01 --to 2024-01-03
	$(BIN)/footfall evaluate --truth $(FOOTFALL_HOME)/truth.parquet
	@echo "Open the Dagster UI, the report explorer and the dbt docs with: make up"

test: setup
	-@$(BIN)/footfall models pull
	$(BIN)/python -m pytest

# Minutes each: the soak of the edge agent, power cuts, whole runs beside each other.
test-slow: setup
	$(BIN)/python -m pytest -m slow

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfmt --check --quiet dbt_project

fix: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/sqlfmt --quiet dbt_project

up: setup
	$(BIN)/footfall up

app: setup
	$(BIN)/footfall up --no-dagster --no-docs

docs: setup
	$(BIN)/footfall docs

bench: models
	$(BIN)/python benchmarks/vision.py

# Needs uv. Hashes from every platform's wheels, no index address.
lock:
	uv pip compile --python-version 3.11 --all-extras --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) .footfall .mypy_cache .ruff_cache .pytest_cache .hypothesis
