# A new machine needs git, make and Python only. `make help` says what there is.
.DEFAULT_GOAL := help
.PHONY: help install lock up demo down reset backup restore logs ops test lint types imports unit unit-parts unit-whole unit-faults test-data chaos scale faults check-compose contracts features simulate bench fuzz
MAKEFLAGS += --no-print-directory

PYTHON := .venv/bin/python
INSTALLED := .venv/.installed
FORECOURT_DATA ?= ../shared/data
export PORT BASE_PORT DEMO_PASSWORD FORECOURT_VAR BACKUP BACKUP_KEYS TO SECONDS KILLS SEED RATE SCALE PEERS
# Modules are compiled once, even where the environment asks Python not to.
export PYTHONDONTWRITEBYTECODE :=

help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(INSTALLED) ## Install all that is needed into .venv and .cache (skipped when nothing changed)

$(INSTALLED): requirements.lock .python-version deploy/local/kafka.lock deploy/install.sh
	@sh deploy/install.sh
	@touch $@

lock: $(INSTALLED) ## Pin the newest allowed versions in requirements.lock and kafka.lock
	@PATH="$$PATH:.cache/uv/bin" uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-emit-index-url --group dev pyproject.toml -o requirements.lock
	@$(PYTHON) -m deploy.local lock

up: $(INSTALLED) ## Start everything with your own data, until Ctrl-C (PORT=8080 BASE_PORT=8000)
	@exec $(PYTHON) -m deploy.local up

demo: $(INSTALLED) ## Start everything with a small demo group, until Ctrl-C (PORT=8080 DEMO_PASSWORD=…)
	@exec $(PYTHON) -m deploy.local demo

down: $(INSTALLED) ## Stop what `make up` or `make demo` started elsewhere
	@$(PYTHON) -m deploy.local down

reset: $(INSTALLED) ## Stop and delete all data
	@$(PYTHON) -m deploy.local reset

backup: $(INSTALLED) ## Back up what runs, and keep its log from now on (BACKUP=backup BACKUP_KEYS=backup-keys)
	@$(PYTHON) -m deploy.local backup

restore: $(INSTALLED) ## Bring the databases back to a second (TO=2026-11-22T12:00:00Z BACKUP= BACKUP_KEYS= FORECOURT_VAR=)
	@$(PYTHON) -m deploy.local restore

ops: $(INSTALLED) ## Inspect and mend the services (CMD="all lag", CMD="orders stream order-…", CMD="all --help")
	@$(PYTHON) -m deploy.cli $(CMD)

logs: $(INSTALLED) ## Show the logs as they grow
	@exec $(PYTHON) -m deploy.local logs

test: $(INSTALLED) ## Lint, types, import contracts and all tests, on real servers it starts itself
	@$(MAKE) -j4 --output-sync=target lint types imports unit-parts unit-whole unit-faults

lint: $(INSTALLED) ## Check style and format
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .

types: $(INSTALLED) ## Check types
	@$(PYTHON) -m mypy

imports: $(INSTALLED) ## Check who may import whom
	@.venv/bin/lint-imports --config importlinter.ini

FAULTS := tests/faults tests/simulation tests/properties

unit: $(INSTALLED) ## Run the tests alone: parts, whole platform and faults side by side
	@$(MAKE) -j3 --output-sync=target unit-parts unit-whole unit-faults

unit-parts: $(INSTALLED)
	@$(PYTHON) -m pytest -m "not data and not slow" shared services deploy

unit-whole: $(INSTALLED)
	@$(PYTHON) -m pytest -m "not data and not slow" tests $(addprefix --ignore ,$(FAULTS))

unit-faults: $(INSTALLED)
	@$(PYTHON) -m pytest -m "not data and not slow" $(FAULTS)

test-data: $(INSTALLED) ## Run the tests on the real files (FORECOURT_DATA=../shared/data)
	@test -d "$(FORECOURT_DATA)" || { \
	echo "These tests need the real files, and $(FORECOURT_DATA) is not there: make test-data FORECOURT_DATA=/their/folder" >&2; exit 1; }
	@FORECOURT_DATA="$(abspath $(FORECOURT_DATA))" $(PYTHON) -m pytest -m data

chaos: $(INSTALLED) ## Kill, freeze and cut off everything under load (SECONDS=60 KILLS=12 SEED= RATE=25 SCALE=1 AWAY=)
	@$(PYTHON) -m tests.chaos

scale: $(INSTALLED) ## Run the acceptance tests with several processes of everything and three brokers, one of them down (SCALE=2)
	@SCALE=$(or $(SCALE),2) $(PYTHON) -m pytest -m "not data and not slow" tests/acceptance

faults: $(INSTALLED) ## Run the slow fault tests, which `make test` leaves out
	@$(PYTHON) -m pytest -m slow

simulate: $(INSTALLED) ## Kit and services under seeded faults, and a million postings (SEEDS=10000, or SEED=17, BUG='parking race')
	@$(PYTHON) -m tests.simulation $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),1000)) $(if $(BUG),--bug '$(BUG)')

bench: $(INSTALLED) ## Measure ours and the peers in turns, one page (ONLY=append,http SECONDS=3 ROUNDS=3 HISTORY=1 PEERS=0)
	@$(PYTHON) -m deploy.bench --only "$(ONLY)" --seconds $(or $(SECONDS),3) --rounds $(or $(ROUNDS),3) $(if $(HISTORY),--history)

contracts: $(INSTALLED) ## Write JSON Schemas, AsyncAPI and OpenAPI documents anew from the code
	@$(PYTHON) -m shared.contracts

fuzz: $(INSTALLED) ## Ask what nobody would ask, as four kinds of people; one page (N=2000 SEED=…)
	@$(PYTHON) -m tests.fuzz -n $(or $(N),2000) $(if $(SEED),--seed $(SEED))

features: $(INSTALLED) ## Write docs/features.md, the list of attacks and the tables of the context map anew
	@$(PYTHON) -m shared.testing.features
	@$(PYTHON) -m tests.attacks
	@$(PYTHON) -m tests.context_map

check-compose: $(INSTALLED) ## Check docker-compose.yml with the real docker compose (needs Go, no Docker)
	@sh deploy/docker/check.sh
