# `make certify` and `make test` need git, make and Python 3.11 or newer with venv; nothing else.

SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
PROGRAMME ?= storage
# The sandbox that has what the programme asks for; add-ons stand on the platform.
SANDBOX ?= $(if $(filter storage compute,$(PROGRAMME)),$(PROGRAMME),platform)
GUIDELINE ?=
# Sandboxes live beside the code here, so that a checkout is self-contained.
export REFSTACK_SANDBOX_ROOT ?= .sandbox

.PHONY: help certify test test-platform lint format constraints clean

help: ## show this
	@grep -hE '^[a-z-]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 14

certify: $(READY) ## start a small real cloud, certify it, stop it
	$(BIN)/refstack-client certify --sandbox $(SANDBOX) --programme $(PROGRAMME) \
		$(if $(GUIDELINE),--guideline "$(GUIDELINE)")

test: $(READY) ## run every test, those against a real cloud included
	$(BIN)/python -m pytest $(PYTEST_ARGS)

test-platform: $(READY) ## certify a sandbox with every service, which takes minutes
	$(BIN)/python -m pytest -m platform $(PYTEST_ARGS)

lint: $(READY) ## check style, types and the direction of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## put the code into the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

constraints: $(READY) ## choose all versions anew
	$(BIN)/python tools/constraints.py "$(BIN)/uv" constraints.txt

clean: ## stop the sandbox and remove what the targets above made
	if [ -x $(BIN)/refstack-client ]; then $(BIN)/refstack-client sandbox down --wipe; fi
	rm -rf $(VENV) .sandbox

# uv installs in a tenth of pip's time; where it cannot be had pip does the same.
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
