# Everything a newcomer needs: `make demo` shows the product, `make test` proves it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
DURATION ?=
CAMERAS ?= 1
VIDEO ?=
MINUTES ?= 30
SEED ?=
export PYTHONUNBUFFERED = 1

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(STAMP): requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "CrimeOps needs Python 3.11 or newer; name one with PYTHON=python3.12")'
	@echo "Installing into .venv (about 6 GB the first time: PyTorch comes with its CUDA libraries) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^uv==' requirements/dev.txt)"
	@VIRTUAL_ENV=.venv $(BIN)/uv pip install -r requirements/dev.txt
	@touch $@

.PHONY: setup
setup: $(STAMP) ## Make .venv with the pinned packages
	@$(BIN)/python -m crimeops.envfile .env

.PHONY: demo
demo: setup ## The whole cluster on simulated cameras [DURATION=60] [CAMERAS=4] [VIDEO=clip.mp4]
	@$(BIN)/python -m simulators.demo $(if $(DURATION),--duration $(DURATION)) --cameras $(CAMERAS) $(if $(VIDEO),--video "$(VIDEO)")

.PHONY: browser
browser: setup ## A Chromium for the tests of the pages, where there is none
	@$(BIN)/python -m tests.browser.chromium

.PHONY: test
test: setup check browser ## Checks, then every test: two at a time, and the end-to-end ones one by one
	@$(BIN)/python -m pytest -n 2 -m "not e2e"
	@$(BIN)/python -m pytest -m e2e --durations=15

.PHONY: soak
soak: CAMERAS = 10
soak: setup ## The cluster under random faults; fails where a promise broke [MINUTES=30] [CAMERAS=10] [SEED=7]
	@$(BIN)/python -m tests.soak --minutes $(MINUTES) --cameras $(CAMERAS) $(if $(SEED),--seed $(SEED))

.PHONY: unit
unit: setup ## The tests that need seconds
	@$(BIN)/python -m pytest tests/unit

.PHONY: check
check: setup ## Format, lint, types, imports, migrations
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy .
	@$(BIN)/lint-imports
	@$(BIN)/python manage.py makemigrations --check --dry-run
	@$(BIN)/python -m crimeops.envfile --example | diff - .env.example

.PHONY: format
format: setup ## Put the code into its form
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

.PHONY: pins
pins: setup ## Compile requirements/*.in into pinned *.txt
	@for name in base dev; do $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header requirements/$$name.in -o requirements/$$name.txt; done

.PHONY: env-example
env-example: setup ## Write .env.example from crimeops/environment.py
	@$(BIN)/python -m crimeops.envfile --example > .env.example

.PHONY: messages
messages: setup ## Bring the catalogues of translations up to date and compile them
	@$(BIN)/python -m crimeops.catalogue

.PHONY: clean
clean: ## Remove what the demo and the tests left behind (not .venv, not .env)
	@rm -rf var/demo var/test var/soak .mypy_cache .ruff_cache .pytest_cache
