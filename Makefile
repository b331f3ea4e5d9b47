# One command set for laptop and CI. `make` alone lists it.
.DEFAULT_GOAL := help
.PHONY: help demo up down test test-slow lint format lock clean install install-dev docs
SHELL := /bin/bash

PYTHON ?= python3
# Airflow is 2,000 modules: without cached bytecode every one of its processes compiles them again.
unexport PYTHONDONTWRITEBYTECODE
VENV := .venv
BIN := $(VENV)/bin

# uv does not read pip's configuration: where pip is told of a mirror, uv is told of the same one.
ifeq ($(UV_DEFAULT_INDEX)$(UV_INDEX_URL),)
  PIP_MIRROR := $(shell $(PYTHON) -m pip config get global.index-url 2>/dev/null)
  ifneq ($(PIP_MIRROR),)
    export UV_DEFAULT_INDEX := $(PIP_MIRROR)
  endif
endif

# Trust the certificates that the machine trusts, where it has any: companies add their own.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt),)
  export UV_SYSTEM_CERTS ?= true
endif

help: ## List the commands
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: install ## Run the whole path on real sales, from the source system to the inbox (a few minutes)
	@$(BIN)/winback demo

up: install ## Start the warehouse and Airflow, and print URL and login
	@$(BIN)/winback up

down: ## Stop everything that `make up` or `make demo` left running
	@if [ -x $(BIN)/winback ]; then $(BIN)/winback down; fi

# In the order of the folders, not by their number of tests: small unit tests then even out the end.
test: install-dev ## Run the fast test suite
	@$(BIN)/python -m pytest -m "not slow" -n auto --dist loadfile --no-loadscope-reorder

test-slow: install-dev ## Run the slow tests
	@$(BIN)/python -m pytest -m slow -n auto --dist loadfile

lint: install-dev ## Check style, types and SQL
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/sqlfluff lint --nocolor dbt_project/models

format: install-dev ## Format Python and SQL
	@$(BIN)/ruff check --fix-only -q .
	@$(BIN)/ruff format -q .
	@$(BIN)/sqlfluff fix -q dbt_project/models

docs: install-dev ## Write docs/definitions.md from the docs blocks of the models
	@$(BIN)/python -m winback.docs

lock: install-dev ## Resolve requirements/*.in into hash-locked requirements/*.txt
	@for name in uv runtime demo dev bench; do \
	  $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    requirements/$$name.in -o requirements/$$name.txt || exit 1; \
	done

clean: down ## Remove what setting up and running left behind, the demo's warehouse included
	@if [ -x $(BIN)/winback ]; then $(BIN)/winback warehouse remove --yes; fi
	@rm -rf $(VENV) .winback

install: $(VENV)/.installed-demo
install-dev: $(VENV)/.installed-dev

$(BIN)/uv: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Winback needs Python 3.11 or newer; name one with: make PYTHON=python3.12 demo" >&2; exit 1; }
	@echo "Setting up $(VENV) (once)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

$(VENV)/.installed-%: requirements/%.txt pyproject.toml $(BIN)/uv
	@echo "Installing requirements/$*.txt"
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements/$*.txt
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@
