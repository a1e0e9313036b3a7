# Every target is one command; `make` alone lists them.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TESTBED := $(BIN)/python -m testbed
KIND := $(BIN)/python -m testbed.kind

.DEFAULT_GOAL := help
.PHONY: help demo up down status batch export play ledger maintain erase tables sql test unit faults lint format bench notebook requirements contract images kind kind-demo kind-down kind-bench clean

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

demo: $(VENV)/run ## Show the whole road once: servers, players, the batch job, SQL (KEEP=1 leaves it running)
	@$(TESTBED) demo $(if $(filter-out 0 no false,$(KEEP)),--keep)

up: $(VENV)/run ## Start the servers and make the topic and the tables
	@$(TESTBED) up

down: $(VENV)/run ## Stop the servers; their data stays
	@$(TESTBED) down

status: $(VENV)/run ## Say which servers run
	@$(TESTBED) status

batch: $(VENV)/run ## Bring what is in the topic into the table (ARGS='--offsets 0:0-100')
	@$(TESTBED) job batch.py load $(ARGS)

export: $(VENV)/run ## Replace the plain Parquet directories and their tables in schema export
	@$(TESTBED) job batch.py export $(ARGS)

play: $(VENV)/run ## Let simulated players send events (ARGS='--players 20 --rate 50 --seconds 60 --seed 1')
	@$(TESTBED) play $(ARGS)

ledger: $(VENV)/run ## Compare what players were told with Kafka, the table and its views
	@$(TESTBED) ledger $(ARGS)

maintain: $(VENV)/run ## Bring small files together, forget old snapshots, delete what is past retention
	@$(TESTBED) job maintain.py $(ARGS)

erase: $(VENV)/run ## Erase a player from rows, files, exports and the world (PLAYER=knight1.comcast.com)
	@$(TESTBED) erase -- '$(subst ','\'',$(PLAYER))' $(ARGS)

tables: $(VENV)/run ## Make the table and its views, as `up` does
	@$(TESTBED) job tables.py $(ARGS)

sql: $(VENV)/run ## Open Trino's prompt
	@$(TESTBED) sql

test: $(VENV)/dev ## Run the linters and all tests
	@hack/verify
	@$(TESTBED) fetch
	@hack/test

unit: $(VENV)/dev ## Run the tests that need no servers
	@$(BIN)/python -m pytest tests/unit

lint: $(VENV)/dev ## Run the linters
	@hack/verify

format: $(VENV)/dev ## Format the Python code
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

faults: $(VENV)/run ## Kill, freeze and fill up a stack of its own under load, and look for a loss or a double
	@$(BIN)/python -m testbed.faults $(ARGS)

bench: $(VENV)/dev ## Measure every part side by side with what people pick instead (ARGS='--only stream')
	@$(BIN)/python -m testbed.bench $(ARGS)

notebook: $(VENV)/dev ## Open the notebook
	@$(TESTBED) notebook

requirements: $(VENV)/dev ## Pin the requirements anew, from pyproject.toml
	@hack/update-requirements

contract: $(VENV)/run ## Record today's event contract as released, and describe it in docs/game.md
	@$(BIN)/python -m game_events.compatibility release
	@$(BIN)/python -m game_events.reference > docs/game.md

images: ## Build the container images (ARGS='api spark': these alone)
	@hack/build-images $(ARGS)

kind: $(VENV)/run ## Make a kind cluster with all of it (CLUSTER, NAMESPACE, OPERATORS=real|standin|installed)
	@$(KIND) up

kind-demo: $(VENV)/run ## Play through the cluster's API, and ask its Trino
	@$(KIND) demo

kind-down: $(VENV)/run ## Delete the cluster and all that is in it
	@$(KIND) down

kind-bench: $(VENV)/dev ## Measure a cluster of its own beside the stack on this machine; half an hour
	@CLUSTER=$(or $(CLUSTER),gamelake-bench) $(KIND) bench $(ARGS)

clean: down ## Remove this checkout's data and its Python environment; the download cache stays
	rm -rf .local $(VENV)

$(VENV)/run: requirements/testbed.txt
	@echo "installing the Python packages (about a minute; pyspark alone is 450 MB)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev: requirements/dev.txt $(VENV)/run
	@echo "installing what the tests need"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@
