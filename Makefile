# Everything a person or CI does here. Needs python3.11 and make; `make help` lists the targets.
# The stamps in .venv say which locked requirements are in: a warm run installs nothing.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check install --quiet
WORKERS ?= 2
ARGS ?=
CHECKS := "ruff format --check" "ruff check" "mypy" "lint-imports --no-cache" "pytest -q tests/house"

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo run test check prove model coverage bench lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/run.stamp ## build .venv with the broker in it

demo: $(VENV)/run.stamp ## play the whole story with real processes, and say whether every promise held
	@$(BIN)/broker demo $(ARGS)

run: $(VENV)/run.stamp ## the demo's world, left running to explore; prints URLs and demo passwords
	@$(BIN)/broker demo --stay $(ARGS)

test: $(VENV)/test.stamp ## run the test suite (ARGS="-k shutdown" for a part of it)
	@$(BIN)/pytest -n $(WORKERS) --dist loadfile $(ARGS)

check: $(VENV)/dev.stamp ## format, lint, types, imports, the rules of the house, links in the docs
	@status=0; for step in $(CHECKS); do \
		echo "== $$step"; $(BIN)/$$step || status=1; done; exit $$status

prove: $(VENV)/test.stamp ## the longer suites: faults, broken builds, many seeds
	@$(BIN)/pytest -n $(WORKERS) --dist loadfile -m prove --hypothesis-profile=prove $(ARGS) || { \
		status=$$?; [ $$status -eq 5 ] && echo "nothing is marked prove" || exit $$status; }

model: ## check the models of the protocol and their breakages, where spin is installed (ARGS=fill for a part)
	@docs/model/run $(ARGS)

coverage: $(VENV)/test.stamp ## branch coverage of the suite; domain/ and operations/ must be at 100 %
	@$(BIN)/pytest -q -n $(WORKERS) --dist loadfile --cov --cov-report= $(ARGS)
	@$(BIN)/coverage report
	@$(BIN)/coverage report --fail-under=100 --include='broker/domain/*,broker/operations/*'

bench: $(VENV)/test.stamp ## measure speed and memory; writes bench/results/latest.json
	@$(BIN)/python -m bench $(ARGS)

lock: $(VENV)/dev.stamp ## compile requirements/*.txt from pyproject.toml (ARGS=--upgrade for newer versions)
	@requirements/lock $(BIN)/uv $(ARGS)

clean: ## remove what was built and cached, .venv included
	@rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage .coverage.* htmlcov
	@find broker demo_partners bench tests -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

$(VENV)/made.stamp:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not on the PATH" >&2; exit 1; }
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/run.stamp: $(VENV)/made.stamp requirements/run.txt pyproject.toml
	@echo "installing the broker"
	@$(PIP) --require-hashes --requirement requirements/run.txt
	@$(PIP) --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/test.stamp: $(VENV)/run.stamp requirements/test.txt
	@echo "installing what the tests need"
	@$(PIP) --require-hashes --requirement requirements/test.txt
	@touch $@

$(VENV)/dev.stamp: $(VENV)/test.stamp requirements/dev.txt
	@echo "installing what the checks need"
	@$(PIP) --require-hashes --requirement requirements/dev.txt
	@touch $@
