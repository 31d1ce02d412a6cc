# Everything here makes its own virtual environments inside the checkout; nothing outside it is touched.
# `make help` lists the targets.

PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' && echo $$p && break; done)

DEMO := .venv
TEST := .venv-test
PIP := -m pip install --quiet --disable-pip-version-check
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo test test-core lint fuzz bench docs clean

help: ## list these targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

demo: $(DEMO)/.ready ## compile, run and verify real models on every target that can run here; writes out/demo.png
	$(DEMO)/bin/python examples/demo.py

test: $(TEST)/.ready ## run all tests
	$(TEST)/bin/python -m pytest -q -n $(WORKERS)

test-core: $(TEST)/.ready ## run the quick tests
	$(TEST)/bin/python -m pytest -q -n $(WORKERS) -m "not slow"

lint: $(TEST)/.ready ## style and types
	$(TEST)/bin/ruff check .
	$(TEST)/bin/ruff format --check .
	$(TEST)/bin/mypy

fuzz: $(TEST)/.ready ## compare random models on interpreter, passes and targets, until stopped
	$(TEST)/bin/python -m tests.fuzz

bench: $(TEST)/.ready ## measure this checkout
	$(TEST)/bin/birc bench

docs: $(TEST)/.ready ## write the pages that are made from the code
	$(TEST)/bin/python docs/generate.py

clean: ## remove the environments and everything built
	rm -rf $(DEMO) $(TEST) .ci-venv build dist out *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(DEMO)/.ready: pyproject.toml constraints/test.txt
	@test -n "$(PYTHON)" || { echo "birc needs Python 3.11 or newer; name one with \`make PYTHON=...\`" >&2; exit 3; }
	@$(PYTHON) -m venv $(DEMO) || { echo "no virtual environment could be made; on Debian or Ubuntu: apt install python3-venv" >&2; exit 3; }
	$(DEMO)/bin/python $(PIP) -c constraints/test.txt -e ".[plot]"
	@touch $@

$(TEST)/.ready: pyproject.toml constraints/test.txt
	@test -n "$(PYTHON)" || { echo "birc needs Python 3.11 or newer; name one with \`make PYTHON=...\`" >&2; exit 3; }
	@$(PYTHON) -m venv $(TEST) || { echo "no virtual environment could be made; on Debian or Ubuntu: apt install python3-venv" >&2; exit 3; }
	$(TEST)/bin/python $(PIP) -c constraints/test.txt -e ".[dev]"
	@touch $@
