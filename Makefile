# Everything here makes its own virtual environments inside the checkout; nothing outside it is touched.
# `make help` lists the targets.

PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' && echo $$p && break; done)

DEMO := .venv
TEST := .venv-test
PIP := -m pip install --quiet --disable-pip-version-check
WORKERS ?= 2
comma := ,

.DEFAULT_GOAL := help
ALL := .venv-all
SEED := .venv-seed
.PHONY: help demo demo-all test test-torch test-seed test-core lint fuzz fuzz-networks bench bench-peers peers ulp docs clean

help: ## list these targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

demo: $(DEMO)/.ready ## compile, run and verify real models on every target that can run here; writes out/demo.png
	$(DEMO)/bin/python examples/demo.py

demo-all: $(ALL)/.ready ## the same with every target installed, and the whole library verified (minutes)
	$(ALL)/bin/python examples/demo.py --library

test: $(TEST)/.ready ## run all tests but those that need torch
	$(TEST)/bin/python -m pytest -q -n $(WORKERS)

test-torch: $(TEST)/.torch ## run the tests that need torch: readers of NIR graphs, layers on torch
	$(TEST)/bin/python -m pytest -q tests/backends/test_nir_readers.py
	KERAS_BACKEND=torch $(TEST)/bin/python -m pytest -q -m "not slow" tests/backends/test_fused.py tests/nn/test_bad_input.py

test-seed: $(SEED)/.ready ## run the tests of the layers with the oldest Keras and TensorFlow that are supported
	$(SEED)/bin/python -m pytest -q -n $(WORKERS) -m "not slow" tests/backends/test_keras.py tests/backends/test_keras_layer.py tests/backends/test_keras_sweep.py tests/nn

test-core: $(TEST)/.ready ## run the quick tests
	$(TEST)/bin/python -m pytest -q -n $(WORKERS) -m "not slow"

lint: $(TEST)/.ready ## style and types
	$(TEST)/bin/ruff check .
	$(TEST)/bin/ruff format --check .
	$(TEST)/bin/mypy

fuzz: $(TEST)/.ready ## compare random models on interpreter, passes and targets, until stopped
	$(TEST)/bin/python -m tests.fuzz

fuzz-networks: $(TEST)/.ready ## compare random networks on interpreter and targets, until stopped
	$(TEST)/bin/python -m tests.fuzz networks

bench: $(TEST)/.ready ## measure this checkout
	$(TEST)/bin/birc bench

bench-peers: $(TEST)/.ready ## install other simulators and compare this checkout with them
	$(TEST)/bin/python -m tests.bench.peers make
	$(TEST)/bin/birc bench simulate --peers
	$(TEST)/bin/birc bench network --peers

peers: $(TEST)/.ready ## install other simulators and compare the library with their neurons; writes docs/conventions.md
	$(TEST)/bin/python -m tests.bench.peers make nest brian2 neuron
	$(TEST)/bin/python -m tests.peers --write

ulp: $(TEST)/.ready ## measure how near and how fast the C family's functions are; writes docs/ulp.md
	$(TEST)/bin/python -m tests.ulp --write

docs: $(TEST)/.ready ## write the pages that are made from the code
	$(TEST)/bin/python docs/generate.py
	$(TEST)/bin/python docs/generate.py cards

clean: ## remove the environments and everything built
	rm -rf $(DEMO) $(ALL) $(TEST) $(SEED) .venv-peers build dist out *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache

# An environment with an extra: `$(call environment,folder,extra)`.
define environment
	@test -n "$(PYTHON)" || { echo "birc needs Python 3.11 or newer; name one with \`make PYTHON=...\`" >&2; exit 3; }
	@$(PYTHON) -m venv $(1) || { echo "no virtual environment could be made; on Debian or Ubuntu: apt install python3-venv" >&2; exit 3; }
	$(1)/bin/python $(PIP) -c constraints/test.txt -e ".[$(2)]"
endef

$(DEMO)/.ready: pyproject.toml constraints/test.txt
	$(call environment,$(DEMO),plot$(comma)onnx$(comma)nir)
	@touch $@

$(ALL)/.ready: pyproject.toml constraints/test.txt
	$(call environment,$(ALL),all)
	@touch $@

$(TEST)/.ready: pyproject.toml constraints/test.txt
	$(call environment,$(TEST),dev)
	@touch $@

$(SEED)/.ready: pyproject.toml constraints/seed.txt
	@test -n "$(PYTHON)" || { echo "birc needs Python 3.11 or newer; name one with \`make PYTHON=...\`" >&2; exit 3; }
	@$(PYTHON) -m venv $(SEED)
	$(SEED)/bin/python $(PIP) -c constraints/seed.txt -e ".[keras,exact]" hypothesis pytest pytest-xdist
	@touch $@

$(TEST)/.torch: $(TEST)/.ready
	$(TEST)/bin/python $(PIP) -c constraints/test.txt -e ".[verify-nir]"
	@touch $@
