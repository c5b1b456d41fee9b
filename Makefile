# `make certify` and `make test` need only git, make and Python 3.11 or newer with venv.

SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
PYTEST := $(BIN)/python -m pytest
# Tests that neither share a sandbox nor need a processor for themselves run two at a time.
PARALLEL := tests/capabilities tests/scoring tests/refstack_client
PROGRAMME ?= storage
# The sandbox with the services of the programme. Add-on programmes require the platform.
SANDBOX ?= $(if $(filter storage compute,$(PROGRAMME)),$(PROGRAMME),platform)
GUIDELINE ?=
# Sandboxes are kept in the checkout, so that `make clean` finds all of them.
export REFSTACK_SANDBOX_ROOT ?= .sandbox

.PHONY: help certify test test-all test-platform lint format docs constraints clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 16
	@echo
	@echo 'PROGRAMME=, SANDBOX=, GUIDELINE=   what "make certify" certifies'
	@echo 'PYTEST_ARGS="..."                  more options and tests for the test targets'

certify: $(READY) ## Start a small real cloud, certify it, stop it
	$(BIN)/refstack-client certify --sandbox $(SANDBOX) --programme $(PROGRAMME) \
		$(if $(GUIDELINE),--guideline "$(GUIDELINE)")

test: $(READY) ## Run the tests for a change, one certification and some kills included: minutes
	$(PYTEST) -m "not long and not platform" $(PYTEST_ARGS)

test-all: $(READY) ## Run every test except those of the whole platform: up to an hour
ifeq ($(PYTEST_ARGS),)
	$(PYTEST) -m "not platform" -n 2 $(PARALLEL)
	$(PYTEST) -m "not platform" $(addprefix --ignore=,$(PARALLEL))
else
	$(PYTEST) -m "not platform" $(PYTEST_ARGS)
endif

test-platform: $(READY) ## Certify a sandbox with every service, and break each service: 15 minutes
	$(PYTEST) -m platform $(PYTEST_ARGS)

lint: $(READY) ## Check format, style, types and the direction of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## Format the code and fix what ruff can fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(READY) ## Build the documentation into build/docs; a warning is an error
	$(BIN)/python -m sphinx -W --keep-going -q docs build/docs

constraints: $(READY) ## Resolve all pinned versions again
	$(BIN)/python tools/constraints.py "$(BIN)/uv" .

clean: ## Stop all sandboxes, remove them and the virtual environment
	if [ -x $(BIN)/refstack-client ]; then \
		for settings in "$$REFSTACK_SANDBOX_ROOT"/*/sandbox.json; do \
			[ ! -e "$$settings" ] || $(BIN)/refstack-client sandbox down --wipe \
				--name "$$(basename "$$(dirname "$$settings")")" || exit; \
		done; \
	fi
	rm -rf $(VENV) .sandbox

# uv installs ten times as fast as pip. Without uv, pip installs the same versions.
$(READY): setup.cfg constraints.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { \
		echo "Python is missing: install the package python3 (3.11 or newer)" >&2; exit 5; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed: this is $$($(PYTHON) -V); name another with" \
		"make PYTHON=python3.12" >&2; exit 5; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "Python's venv is missing: install the package python3-venv" >&2; exit 5; }
	$(PYTHON) -m venv $(VENV)
	@if command -v uv >/dev/null; then uv=uv; \
	elif $(BIN)/python -m pip install --quiet -c constraints.txt uv; then uv=$(BIN)/uv; fi; \
	if [ -n "$$uv" ]; then \
		install="$$uv pip install --python $(BIN)/python --compile-bytecode"; \
	else install="$(BIN)/python -m pip install"; fi; \
	echo "installing with $${uv:-pip}"; \
	$$install --quiet -c constraints.txt -e '.[dev]'
	@touch $(READY)
