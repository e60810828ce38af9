# Two commands do everything: `make run` and `make test`. Only Python >= 3.11 and make are needed.
SHELL := /bin/sh
PYTHON ?= python3
EXPORTS ?= data/samples
OUTPUT ?= data/output
PORT ?= 3000
LETTERS ?= 3001
BIN := .venv/bin

# One Dagster instance for `make run` and `make ui`, so that the UI shows the runs just made.
export DAGSTER_HOME := $(CURDIR)
export RESULTATS_EXPORTS := $(EXPORTS)
export RESULTATS_OUTPUT := $(OUTPUT)
export DAGSTER_DISABLE_TELEMETRY := yes

.PHONY: help setup develop run ui test test-fast test-long coverage lint check audit samples editor-schemas oracles docs-pictures lock bench bench-validation clean
help:
	@echo "make run   set up what runs, then run the main job on the shipped samples (EXPORTS=folder-or-URL, OUTPUT=folder)"
	@echo "make ui    open the Dagster UI on the runs just made"
	@echo "make test  set up what tests too, then pass every test"

# What runs the product, and nothing else: production is installed by it too.
setup: .venv/.runtime
.venv/.runtime: requirements-runtime.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed (make PYTHON=python3.11 ...)")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-runtime.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# What tests, judges and measures it comes on top: the versions of one lock are those of the other.
develop: .venv/.installed
.venv/.installed: .venv/.runtime requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@touch $@

run: setup
	@$(BIN)/resultats run --exports "$(EXPORTS)" --output "$(OUTPUT)"

ui: setup
	@$(BIN)/resultats instance prepare  # two processes creating the same SQLite at once could break it
	@echo "Dagster : http://127.0.0.1:$(PORT) (Ctrl+C pour fermer)"
	@$(BIN)/python -m pipelines.operations.local_pages "$(OUTPUT)/work/networks" $(LETTERS) & letters=$$!; \
	  trap 'kill $$letters' EXIT; \
	  RESULTATS_LETTERS_URL=http://127.0.0.1:$(LETTERS) RESULTATS_UI_URL=http://127.0.0.1:$(PORT) \
	  $(BIN)/dagster dev --host 127.0.0.1 --port $(PORT)

check: setup
	@$(BIN)/resultats check

lint: develop
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test-fast: develop
	$(BIN)/pytest -n auto --dist loadfile -m "not e2e"

test: lint check
	$(BIN)/pytest -n auto --dist worksteal

# By itself, because tracing every branch makes the tests a third longer.
coverage: develop
	$(BIN)/pytest -n auto --dist worksteal --cov --cov-report=term:skip-covered

# Every fault on every call of a publication, hundreds of kills, thousands of tables: over half an hour on two free cores.
test-long: develop
	RESULTATS_LONG=1 $(BIN)/pytest -n auto --dist worksteal tests/targets/campaigns tests/release/test_verification.py tests/tabular \
	  tests/disclosure tests/e2e/test_running_services.py tests/e2e/test_site_in_a_browser.py

# Needs an index that serves advisories; where none does, it says that nothing was checked.
audit: develop
	$(BIN)/python .ci/audit.py

samples: develop
	$(BIN)/python data/generate_samples.py

editor-schemas: setup
	$(BIN)/resultats editor-schemas

# What R's package `survey` says of a design of few clusters, and of the samples of barometers: needs R (apt-get install r-cran-survey r-cran-jsonlite).
oracles: develop
	cd tests/compute/oracles && ../../../$(BIN)/python rows.py && Rscript survey.R
	cd tests/barometers/oracle && Rscript barometers.R
	cd tests/signals/oracle && Rscript time.R && ../../../$(BIN)/python ../made_outbreaks.py > outbreaks.txt && Rscript outbreaks.R && rm outbreaks.txt

# A browser opens the UI of an instance of its own; needs /usr/bin/chromium.
docs-pictures: develop
	RESULTATS_PICTURES=docs/images $(BIN)/pytest tests/e2e/test_in_a_browser.py tests/e2e/test_first_hour.py tests/e2e/test_posters.py tests/e2e/test_site_in_a_browser.py

bench: develop
	$(BIN)/python benchmarks/main_job.py
	$(BIN)/python benchmarks/results.py
	$(BIN)/python benchmarks/national.py
	$(BIN)/python benchmarks/posters.py
	$(BIN)/python benchmarks/site.py

bench-validation: develop
	$(BIN)/python benchmarks/validation.py --rows 10000000

# Hashes but no addresses: the lock works with any index.
lock: develop
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-emit-index-url --no-annotate -q -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra install --extra spread --constraint requirements.lock --universal \
	  --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate -q -o requirements-runtime.lock
	for name in udata official-client preview; do \
	  $(BIN)/uv pip compile tests/udata_server/$$name.in --universal --python-version 3.11 --generate-hashes \
	    --no-header --no-emit-index-url --no-annotate -q -o tests/udata_server/$$name.lock; done

clean:
	rm -rf .venv data/output data/state
