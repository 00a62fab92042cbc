PYTHON ?= python3
UV ?= uv
BIN := .venv/bin
# Tests run in this many processes, each with database servers of its own. They wait more than they work.
WORKERS ?= 4
# How many times as many examples `make sweep` looks at.
SWEEP ?= 10
# They start hundreds of processes, each of which would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install lock demo test unit check format bench breaker-cost crash-sweep sweep storm outage breaker-fleet coverage clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: .venv/installed ## install everything, pinned, into .venv

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "calsaga needs Python 3.11 or newer; try: make PYTHON=python3.11" >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# With their extras: pip looks for the newest `coverage[toml]` when only `coverage` is pinned, and then misses its hash.
lock: ## pin what pyproject.toml asks for, keeping the pins that still fit (needs uv)
	$(UV) pip compile --group dev pyproject.toml --generate-hashes --no-strip-extras --no-header --no-emit-index-url --python-version 3.11 --universal --quiet --output-file requirements.lock

demo: install ## book against a faulty sandbox and check that both places agree
	$(BIN)/calsaga demo

test: install ## run every test
	$(BIN)/pytest --numprocesses $(WORKERS) --dist worksteal

# These work more than they wait, and none of them needs a plugin that takes long to load.
unit: install ## run the unit tests
	$(BIN)/pytest tests/unit --numprocesses auto --maxprocesses 4 -p no:schemathesis

check: install ## run the linters, the type checker and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install ## format the code and mend what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: install ## measure, and print the figures
	$(BIN)/python -m benchmarks

breaker-cost: install ## measure what a breaker costs a call, beside pybreaker and interlock-cb
	$(BIN)/python -m benchmarks.breaker_cost

crash-sweep: install ## kill a booking at every step and check that it heals
	$(BIN)/python -m tests.crash.sweep

sweep: install ## look at SWEEP times as many examples of every law as the tests do (10)
	CALSAGA_SWEEP=$(SWEEP) $(BIN)/pytest tests/unit tests/properties tests/machine tests/breakers/test_alike.py tests/integration/redis/test_rate_limits.py tests/integration/system/test_invariants.py --numprocesses $(WORKERS) --dist worksteal

storm: install ## let everything go wrong at once and check that both places agree
	$(BIN)/python -m tests.storm

breaker-fleet: install ## let 16 processes race for the probes of a breaker 1,000 times; fail if one gets too many
	$(BIN)/python -m tests.breakers.fleet

outage: install ## let Cal.com be down under a steady load, and count what becomes of the bookings
	$(BIN)/python -m tests.outage

coverage: install ## run every test; fail under 90 % of all, and under 100 % of domain/ and sagas/
	$(BIN)/pytest --numprocesses $(WORKERS) --dist worksteal --cov --cov-report=
	$(BIN)/coverage report --fail-under=90
	$(BIN)/coverage report --include='domain/*,sagas/*' --fail-under=100

clean: ## delete what was made, the environment included
	rm -rf .venv build dist .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
