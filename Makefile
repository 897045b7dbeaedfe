# Everything that a person or a CI job starts. `make up` and `make test` are all that a new machine needs.

VENV := .venv
UV := $(VENV)/bin/uv
FLEET := $(VENV)/bin/fleet
PYTEST := $(VENV)/bin/pytest
LAB := eval "$$($(FLEET) lab env)" &&

.DEFAULT_GOAL := help
.PHONY: help up down test unit render lab-test faults check bench setup lock packages

help: ## these lines
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "make %-9s %s\n", $$1, $$2 }'

up: setup packages ## three real clusters, the dev stack in them, and what the hub says of them
	$(FLEET) lab up
	$(LAB) pulumi stack select --create dev && pulumi up --stack dev --yes --skip-preview
	$(LAB) $(FLEET) status --stack dev

down: setup ## take the clusters away again
	$(FLEET) lab down

test: check packages ## all that a change needs: make check, tests/unit, render, processes and lab; about twenty minutes
	$(PYTEST) --numprocesses=2 --dist=loadscope --no-loadscope-reorder --durations=20 -m "not long" \
		tests/unit tests/render tests/processes tests/lab

faults: setup packages ## outages, losses, failed updates, all that takes long; new figures in docs/reliability.md
	$(PYTEST) --durations=20 -m "faults or long" tests/processes tests/lab tests/faults

unit: setup ## unit tests: neither Go nor root
	$(PYTEST) -q tests/unit

render: setup ## rendered files before promtool and amtool, from the path or the cache
	$(PYTEST) -q tests/render

lab-test: setup packages ## tests/processes and tests/lab alone: real processes, and the lab's clusters
	$(PYTEST) tests/processes tests/lab

check: setup ## format, lint and types of the code, and every stack file; changes nothing
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ty check
	$(FLEET) check

bench: up ## figures, no verdicts
	$(VENV)/bin/python -m tests.bench

setup: $(VENV)/synced ## the Python packages of developers, by the lock file

$(VENV)/synced: requirements-dev.txt pyproject.toml
	python3 -c 'import sys; sys.exit(sys.version_info < (3, 11) and "promfleet needs Python 3.11 or later: apt-get install python3")'
	test -x $(VENV)/bin/python || python3 -m venv $(VENV)
	test -x $(UV) || { sed -n '/^uv==/,/^    #/p' requirements-dev.txt >$(VENV)/uv.txt && \
		$(VENV)/bin/pip install --quiet --require-hashes --requirement $(VENV)/uv.txt; }
	$(UV) pip sync --quiet --require-hashes --python $(VENV)/bin/python requirements-dev.txt
	$(UV) pip install --quiet --no-deps --no-build-isolation --python $(VENV)/bin/python --editable .
	touch $@

LOCK := $(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header

lock: ## after a change of the dependencies in pyproject.toml, or of a row in lab/binaries.py
	$(LOCK) --output-file requirements.txt pyproject.toml
	$(LOCK) --group dev --extra snapshot --constraints requirements.txt --output-file requirements-dev.txt pyproject.toml
	$(LOCK) --group scan --output-file requirements-scan.txt
	$(LOCK) --group go --output-file requirements-go.txt
	$(LOCK) --group node --output-file requirements-node.txt
	$(LOCK) --group envoy --output-file requirements-envoy.txt
	$(VENV)/bin/python -m lab.lock

test: TOOLS_OF := --tests
lab-test faults: TOOLS_OF := --tests --long
packages: setup ## what the lab needs of the system; for `make test` a browser too
	@missing="$$($(VENV)/bin/python -m lab.tools $(TOOLS_OF))"; test -z "$$missing" || { echo "installing $$missing"; \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends $$missing >/dev/null; }
