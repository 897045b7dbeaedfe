# Everything that a person or a CI job starts. `make up` and `make test` are all that a new machine needs.

VENV := .venv
UV := $(VENV)/bin/uv
FLEET := $(VENV)/bin/fleet
LAB := eval "$$($(FLEET) lab env)" &&

.PHONY: up down test unit check bench setup lock packages

up: setup packages ## three real clusters, the dev stack in them, and what the hub says of them
	$(FLEET) lab up
	$(LAB) pulumi stack select --create dev && pulumi up --stack dev --yes --skip-preview
	$(LAB) $(FLEET) status --stack dev

down: setup ## all of it away again
	$(FLEET) lab down

test: check packages ## everything but the benchmarks; uses the lab and its dev stack
	$(FLEET) lab up
	$(VENV)/bin/pytest tests/unit tests/render tests/lab

unit: ## what one runs at every save
	$(VENV)/bin/pytest -q tests/unit

check: setup
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ty check
	$(FLEET) check

bench: up ## figures, no verdicts
	$(VENV)/bin/python -m tests.bench

setup: $(VENV)/synced

$(VENV)/synced: requirements.lock pyproject.toml
	python3 -c 'import sys; sys.exit(sys.version_info < (3, 11) and "promfleet needs Python 3.11 or later: apt-get install python3")'
	test -x $(VENV)/bin/python || python3 -m venv $(VENV)
	test -x $(UV) || $(VENV)/bin/pip install --quiet uv
	$(UV) pip sync --quiet --require-hashes --python $(VENV)/bin/python requirements.lock
	$(UV) pip install --quiet --no-deps --no-build-isolation --python $(VENV)/bin/python --editable .
	touch $@

lock: ## after a change of the dependencies in pyproject.toml
	$(UV) pip compile --quiet --universal --group dev --generate-hashes --no-emit-index-url --no-header \
		--output-file requirements.lock pyproject.toml

packages: setup ## what the lab needs of the system
	@missing="$$($(VENV)/bin/python -m lab.tools)"; test -z "$$missing" || { echo "installing $$missing"; \
		apt-get update -qq && apt-get install -y -qq $$missing >/dev/null; }
