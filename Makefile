# `make run` starts the portal, `make test` proves it. Both need Python 3.11 or newer and nothing else.

.DEFAULT_GOAL := help
.NOTPARALLEL:

PYTHON ?= $(firstword $(foreach v,python3 python3.11 python3.12 python3.13 python3.14,$(shell $(v) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $(v))))
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
WORKERS ?= 2

export HOST ?= 127.0.0.1
export PORT ?= 8000

# the checks read the settings too: they get a room and a secret of their own
CHECKING := DATA_DIR=$(VENV)/checking SECRET_KEY=only-for-the-checks-which-serve-nobody DATABASE_URL= REDIS_URL=

help: ## what there is to do
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer (with venv) is needed: install it, or say PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Making the virtual environment with $(PYTHON) …"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock | $(BIN)/python
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	@echo "Installing what the portal runs on (locked, hashes checked) …"
	@$(PIP) install --require-hashes --only-binary :all: -r requirements.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "Installing what the tests need (locked, hashes checked) …"
	@$(PIP) install --require-hashes --only-binary :all: -r requirements-dev.lock
	@touch $@

run: $(VENV)/.runtime ## the portal, with demo content (PORT, HOST, DATA_DIR, DEMO=0)
	@exec $(BIN)/python -m config.supervising

check: $(VENV)/.dev ## style, types, arrows, migrations, API schema
	@mkdir -p $(VENV)/checking
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(CHECKING) $(BIN)/mypy
	$(CHECKING) $(BIN)/lint-imports
	$(CHECKING) $(BIN)/python manage.py check --fail-level WARNING
	$(CHECKING) $(BIN)/python manage.py makemigrations --check --dry-run
	$(CHECKING) $(BIN)/python manage.py spectacular --validate --fail-on-warn --file $(VENV)/checking/schema.yml

test: check ## everything, on SQLite and on a real PostgreSQL with a real Valkey, which the command brings
	$(BIN)/python -m tests.tools
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup
	$(BIN)/python -m tests.servers $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

bench: $(VENV)/.dev ## requests per second with 1,000 and with 100,000 packages (ARGS="--seconds 5")
	@$(BIN)/python -m benchmarks $(ARGS)

format: $(VENV)/.dev ## put the code in form
	@$(BIN)/ruff check --fix-only . ; $(BIN)/ruff format .

lock: ## resolve requirements*.in into requirements*.lock (needs uv)
	uv pip compile --quiet --generate-hashes --universal --python-version 3.11 requirements.in -o requirements.lock
	uv pip compile --quiet --generate-hashes --universal --python-version 3.11 requirements-dev.in -o requirements-dev.lock

clean: ## forget the virtual environment; the data in var/ stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

.PHONY: help run check test bench format lock clean
