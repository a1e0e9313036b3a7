# Every target is one command; `make` alone lists them.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MODELS := .venv-models
TESTBED := $(BIN)/python -m testbed
KIND := $(BIN)/python -m testbed.kind

.DEFAULT_GOAL := help
.PHONY: help demo micro up down status batch import skip mend export play ledger maintain erase tables models sql kill test unit machines faults lint format bench notebook requirements checksums contract images scan kind kind-demo kind-down kind-bench clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

demo: $(VENV)/run ## Run the whole pipeline once: servers, players, the batch job, SQL (KEEP=1 leaves it running)
	@$(TESTBED) demo $(if $(filter-out 0 no false,$(KEEP)),--keep)

micro: $(VENV)/run ## Serve the API in memory, for tests of apps (ARGS='--port 5000')
	@$(BIN)/python -m game_api.micro $(ARGS)

up: $(VENV)/run ## Start the servers, and create the topic and the tables
	@$(TESTBED) up

down: $(VENV)/run ## Stop the servers; their data stays
	@$(TESTBED) down

status: $(VENV)/run ## Show which servers run, and how far the stream is
	@$(TESTBED) status

batch: $(VENV)/run ## Load the topic, or offsets of it, into the table (ARGS='--offsets 0:0-100')
	@$(TESTBED) job batch.py load $(ARGS)

import: $(VENV)/run ## Add the events of a file of JSON lines or Parquet, or of a folder (FILE=history.jsonl ARGS=--dry-run)
	@$(TESTBED) job batch.py import $(ARGS) $(if $(FILE),'file:$(subst ','\'',$(abspath $(FILE)))')

skip: $(VENV)/run ## Go on without offsets that Kafka no longer has (OFFSETS='0:100-250')
	@$(TESTBED) job batch.py skip --offsets $(OFFSETS)

export: $(VENV)/run ## Replace the plain Parquet directories and their tables in schema export (PLAYER=…: copy all of one player)
	@$(TESTBED) job batch.py export $(ARGS) $(if $(value PLAYER),--player='$(subst ','\'',$(value PLAYER))')

play: $(VENV)/run ## Let simulated players send events (ARGS='--players 20 --rate 50 --seconds 60 --seed 1')
	@$(TESTBED) play $(ARGS)

ledger: $(VENV)/run ## Compare requests and responses with Kafka, the table and its views
	@$(TESTBED) ledger $(ARGS)

maintain: $(VENV)/run ## Compact small files, expire old snapshots, delete days past retention
	@$(TESTBED) job maintain.py $(ARGS)

mend: $(VENV)/run ## Replace rejected rows that are valid by now, also those that Kafka no longer has
	@$(TESTBED) job batch.py mend $(ARGS)

erase: $(VENV)/run ## Erase players from rows, files, exports and the world (PLAYER=knight1.comcast.com or FILE=names.txt)
	@$(TESTBED) erase $(ARGS) $(if $(FILE),--from-file='$(subst ','\'',$(FILE))') -- $(if $(value PLAYER),'$(subst ','\'',$(value PLAYER))')

tables: $(VENV)/run ## Create or update the table and its views, as `up` does
	@$(TESTBED) job tables.py $(ARGS)

models: $(VENV)/run $(MODELS)/run ## Bring sessions, retention, funnel, economy and the other models up to date (ARGS=--full-refresh)
	@$(TESTBED) models $(ARGS)

sql: $(VENV)/run ## Open Trino's prompt (QUERY='select * from purchases limit 10': print its result)
	@$(TESTBED) sql $(if $(value QUERY),'$(subst ','\'',$(value QUERY))')

kill: $(VENV)/run ## Send a signal to servers of the stack (SERVERS='kafka trino', or all; SIGNAL=STOP: freeze them)
	@$(TESTBED) kill $(if $(SIGNAL),--signal $(SIGNAL)) $(SERVERS)

lesson-%: $(VENV)/run ## Run a lesson of docs/course on the running stack
	@$(TESTBED) lesson $*

test: $(VENV)/dev $(MODELS)/run ## Run the linters and all tests
	@hack/verify
	@$(TESTBED) fetch
	@hack/test

unit: $(VENV)/dev $(MODELS)/run ## Run the tests that need no servers
	@$(BIN)/python -m pytest tests/unit

lint: $(VENV)/dev ## Run the linters
	@hack/verify

format: $(VENV)/dev ## Format the Python code
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

machines: $(VENV)/dev ## Lose each machine of a kind cluster of three under load; needs 12 GB of free memory
	@$(BIN)/python -m pytest --maxfail 1 tests/e2e_machines $(ARGS)

faults: $(VENV)/run ## Inject faults into a stack of its own under load, and look for lost or doubled events
	@$(BIN)/python -m testbed.faults $(ARGS)

bench: $(VENV)/dev ## Measure every part next to a common alternative (ARGS='--only stream')
	@$(BIN)/python -m testbed.bench $(ARGS)

notebook: $(VENV)/dev ## Open the notebook
	@$(TESTBED) notebook

requirements: $(VENV)/dev ## Pin the Python packages from pyproject.toml
	@hack/update-requirements

checksums: ## Record the checksums of all that Maven downloads, after a change of versions
	@hack/update-checksums

contract: $(VENV)/run ## Record the current event contract as released, and generate docs/game.md
	@$(BIN)/python -m game_events.compatibility release
	@$(BIN)/python -m game_events.reference > docs/game.md
	@$(BIN)/python -m game_events.item_rules > spark-apps/models/seeds/item_rules.csv

images: ## Build the container images (ARGS='api spark': only these; ARGS=--fresh: with Debian's newest packages)
	@hack/build-images $(ARGS)

scan: ## Report what newer versions fix in the container images (ARGS='api spark': only these)
	@hack/scan-images $(ARGS)

kind: $(VENV)/run ## Create or update a kind cluster with everything (CLUSTER, NAMESPACE, MACHINES=3, OPERATORS=real|standin|installed)
	@$(KIND) up

kind-demo: $(VENV)/run ## Run the demo's scenario on the cluster
	@$(KIND) demo

kind-down: $(VENV)/run ## Delete the cluster and everything in it
	@$(KIND) down

kind-bench: $(VENV)/dev ## Measure a cluster of its own next to the stack on this machine; half an hour
	@CLUSTER=$(or $(CLUSTER),gamelake-bench) $(KIND) bench $(ARGS)

clean: down ## Stop the servers, delete their data and the venvs; the download cache stays
	rm -rf .local $(VENV) $(MODELS)

$(VENV)/run: requirements/testbed.txt
	@echo "installing the Python packages (about a minute; pyspark alone is 450 MB)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev: requirements/dev.txt $(VENV)/run
	@echo "installing the packages for tests and linters"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

$(MODELS)/run: requirements/models.txt
	@echo "installing dbt, in a venv of its own"
	@$(PYTHON) -m venv $(MODELS)
	@$(MODELS)/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@
