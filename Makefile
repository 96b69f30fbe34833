# Every target is idempotent and does nothing twice. `make help` lists them; the README has the plain
# commands for those without make.

SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= $(shell command -v python3.11 || command -v python3)
DATA ?= complete_journey
# The e-mail platform: klaviyo, braze or generic.
ESP ?=
# Whose data `make subject-access` writes down, and where to.
EMAIL ?=
OUT ?=
# Whom `make explain` explains: a customer key, an e-mail address or an id.
CUSTOMER ?=
# Of the simulated shop: people with an account, and the seed of every draw.
CUSTOMERS ?= 20000
SEED ?= 7
VENV := .venv
BIN := $(VENV)/bin
# Two workers; a file's tests share their builds, so that a file stays with one of them.
PYTEST_OPTIONS := -n 2 --dist loadfile --no-loadscope-reorder
# The hard limit of `make test-snowflake`, for a machine of two cores that does nothing else.
SNOWFLAKE_SECONDS ?= 600

# Two OpenMP threads on shared cores are slower than one. Nothing here phones home.
export OMP_NUM_THREADS ?= 1
export DO_NOT_TRACK := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := False
export PYTHONPATH := $(CURDIR)

# The module that writes a demo's landing, with its arguments.
demo_complete_journey := demo.complete_journey
demo_simulated := demo.simulator --customers $(CUSTOMERS) --seed $(SEED)

# The shop's own data lives under data/, a demo's under data/demo/<DATA>/. What builds and what only
# looks is about the demo where DATA is given with the command, as in `make model-report DATA=simulated`.
ON_DEMO := demo $(if $(filter command,$(firstword $(origin DATA))),check build preview explain model-report)
$(ON_DEMO): export LETTERSHOP_LANDING ?= data/demo/$(DATA)/landing
$(ON_DEMO): export LETTERSHOP_DUCKDB ?= data/demo/$(DATA)/lettershop.duckdb
$(ON_DEMO): export LETTERSHOP_STATE ?= data/demo/$(DATA)/state.duckdb
$(ON_DEMO): export LETTERSHOP_PUBLISHED ?= data/demo/$(DATA)/published.duckdb

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

# --- Set-up -----------------------------------------------------------------------------------

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "Python 3.11 is needed; $(PYTHON) is another. Name one: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# $(call install,<venv>,<purposes>)
define install
	@echo "Installing $(2) into $(1) ..."
	@$(1)/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
		$(foreach purpose,$(2),-r requirements/$(purpose).txt)
	@touch $@
endef

$(VENV)/.core: requirements/core.txt $(VENV)/.created
	$(call install,$(VENV),core)

$(VENV)/.demo: requirements/core.txt requirements/demo.txt $(VENV)/.created
	$(call install,$(VENV),core demo)
	@touch $(VENV)/.core

$(VENV)/.sync: requirements/core.txt requirements/sync.txt $(VENV)/.created
	$(call install,$(VENV),core sync)
	@touch $(VENV)/.core

$(VENV)/.analysis: requirements/core.txt requirements/analysis.txt $(VENV)/.created
	$(call install,$(VENV),core analysis)
	@touch $(VENV)/.core

$(VENV)/.dev: requirements/core.txt requirements/demo.txt requirements/sync.txt \
		requirements/analysis.txt requirements/dev.txt $(VENV)/.created
	$(call install,$(VENV),core demo sync analysis dev)
	@touch $(VENV)/.core $(VENV)/.demo $(VENV)/.sync $(VENV)/.analysis

# dbt-bouncer pins a duckdb that dbt-duckdb cannot use; it only reads the manifest.
.venv-bouncer/.bouncer: requirements/bouncer.txt $(VENV)/.created
	@$(PYTHON) -m venv .venv-bouncer
	$(call install,.venv-bouncer,bouncer)

# dbt-snowflake pins a certifi of early 2025, which nothing else needs to go back to.
.venv-snowflake/.snowflake: requirements/snowflake.txt $(VENV)/.created
	@$(PYTHON) -m venv .venv-snowflake
	$(call install,.venv-snowflake,snowflake)

.PHONY: requirements
requirements: ## Pin requirements/*.in anew, with hashes (needs uv)
	@cd requirements && for purpose in core demo sync analysis dev bouncer snowflake; do \
		uv pip compile --quiet --universal --python-version 3.11 --no-strip-extras \
			--generate-hashes $$purpose.in -o $$purpose.txt || exit 1; \
	done

# --- Use --------------------------------------------------------------------------------------

.PHONY: demo
demo: $(VENV)/.demo ## Shopping data to segments: load, build, publish, show (DATA=complete_journey|simulated)
	@test -n "$(demo_$(DATA))" || \
		{ echo "There is no demo called '$(DATA)'. There are: complete_journey, simulated"; exit 1; }
	@$(BIN)/python -m $(demo_$(DATA)) "$$LETTERSHOP_LANDING"
	@$(BIN)/python -m tools.build
	@$(BIN)/python -m tools.summary

.PHONY: landing
landing: $(VENV)/.core ## Fill the landing from loaders' tables in LETTERSHOP_RAW (FROM="shopify klaviyo")
	@test -n "$(FROM)" || { echo 'Say from what: make landing FROM="shopify klaviyo"'; exit 1; }
	@$(BIN)/python -m tools.landing $(FROM)

.PHONY: check
check: $(VENV)/.core ## Report on the landing: what is there, what is missing, the vars to paste
	@$(BIN)/python -m tools.check

.PHONY: build
build: $(VENV)/.core ## dbt build on the landing, then publish if everything passed
	@$(BIN)/python -m tools.build

.PHONY: preview
preview: $(VENV)/.core ## Who would enter and leave each segment with the edited seeds; changes nothing
	@$(BIN)/python -m tools.preview

.PHONY: explain
explain: export EXPLAIN_CUSTOMER := $(CUSTOMER)
explain: $(VENV)/.core ## Why a customer is where they are, and what would change it (CUSTOMER=)
	@$(BIN)/python -m tools.explain

# Platforms are named, never guessed: a sync writes to other people's systems.
.PHONY: platform
platform:
	@test -n "$(ESP)" || { echo "Name the platform: make $(MAKECMDGOALS) ESP=klaviyo|braze|generic"; exit 1; }

.PHONY: sync
sync: platform $(VENV)/.sync ## Send what changed to the e-mail platform (ESP=klaviyo|braze|generic)
	@$(BIN)/python -m tools.sync $(ESP)

.PHONY: sync-dry-run
sync-dry-run: platform $(VENV)/.sync ## Say what a sync would send, and send nothing (ESP=)
	@$(BIN)/python -m tools.sync $(ESP) --dry-run

.PHONY: nightly
nightly: platform $(VENV)/.sync ## Check, build, sync, and ask what became of it (ESP=)
	@$(BIN)/python -m tools.nightly $(ESP)

.PHONY: subject-access
subject-access: export SUBJECT_EMAIL := $(EMAIL)
subject-access: $(VENV)/.core ## Write down everything held on a person (EMAIL=, OUT= a file)
	@$(BIN)/python -m tools.subject_access $(OUT)

.PHONY: snowflake-upload
snowflake-upload: .venv-snowflake/.snowflake ## Ship lettershop_ml to the stage that Snowflake imports it from
	@.venv-snowflake/bin/python -m tools.snowflake.upload

# --- Quality ----------------------------------------------------------------------------------

.PHONY: lint
lint: $(VENV)/.dev .venv-bouncer/.bouncer ## ruff, sqlfluff, dbt-bouncer
	@$(BIN)/python -m tools.lint

.PHONY: test
test: lint ## Lint and every test, in minutes
	@$(BIN)/python -m pytest $(PYTEST_OPTIONS) tests/python

.PHONY: test-thorough
test-thorough: lint ## The same tests with more days, tables and shuffles
	@LETTERSHOP_THOROUGH=1 $(BIN)/python -m pytest $(PYTEST_OPTIONS) tests/python

.PHONY: test-snowflake
test-snowflake: $(VENV)/.dev .venv-snowflake/.snowflake ## The project on an emulated Snowflake, held against DuckDB's results
	@timeout $(SNOWFLAKE_SECONDS) .venv-snowflake/bin/python -m tests.engines --tests

.PHONY: evaluate
evaluate: $(VENV)/.dev ## How good the models are, out of time, beside recency, RFM and other boosting
	@$(BIN)/python -m tools.evaluate

.PHONY: model-report
model-report: $(VENV)/.dev ## A page per model with plots, in target/model_report/ (DATA= for a demo)
	@$(BIN)/python -m tools.model_report

.PHONY: bench
bench: $(VENV)/.dev ## Where the time of a build goes; with CUSTOMERS="10000 100000 1000000" on simulated shops
	@$(BIN)/python -m tools.bench $(if $(filter command,$(firstword $(origin CUSTOMERS))),scale $(CUSTOMERS))

.PHONY: docs
docs: $(VENV)/.analysis ## The documentation as one page, and the lineage of every column, in target/
	@$(BIN)/python -m tools.docs

.PHONY: clean
clean: ## Remove what can be rebuilt; state, landing and published data stay
	@rm -rf target logs data/lettershop.duckdb data/lettershop.duckdb.wal data/preview data/demo/*/preview
	@rm -f data/demo/*/lettershop.duckdb data/demo/*/lettershop.duckdb.wal
