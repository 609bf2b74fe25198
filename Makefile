# What a person types.  Everything is set up on first use; nothing is installed outside this clone
# and the cache (~/.cache/reimage), except by `make system`.

PYTHON ?= python3.11
BIN := .venv/bin
SET_UP := .venv/READY
WITH := --quiet --constraint ops/constraints.txt
# where it is set, every process compiles every module anew: four seconds for each that runs tests
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo test test-eras test-imaging quick check bench bench-imaging bench-fetch bench-desk system wheel guide clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t12

# uv is ten times faster; where it cannot reach what pip reaches (certificates, proxies), pip does it
$(SET_UP): pyproject.toml ops/constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install $(WITH) uv
	$(BIN)/python -m uv pip install --python $(BIN)/python $(WITH) --editable '.[dev,postgresql]' || \
	$(BIN)/python -m pip install $(WITH) --editable '.[dev,postgresql]'
	@touch $@

demo: $(SET_UP) ## build a small archive with real CASA, process all of it, show what came out
	$(BIN)/reimage demo run

test: check ## everything: checks, unit, contract, integration, real CASA
	$(BIN)/pytest -n 2 --dist loadgroup -m "not eras and not imaging"

test-eras: $(SET_UP) ## deliveries of every era, restored by CASA 6.2 to 6.7 (about 6 GB of builds, made once)
	$(BIN)/pytest tests/casa/test_eras.py tests/casa/test_shells.py

test-imaging: $(SET_UP) ## every kind of observation and every recipe, imaged by real CASA (a quarter of an hour)
	$(BIN)/pytest -n 2 --dist loadgroup -m imaging

quick: $(SET_UP) ## unit and contract tests only (under a minute)
	$(BIN)/pytest -n 2 tests/unit tests/contract -m "not casa and not slow"

check: $(SET_UP) ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(SET_UP) ## what we cost: overhead, slots, memory
	$(BIN)/python ops/bench/run.py

bench-imaging: $(SET_UP) ## the engine tasks beside the pipeline (OF="--referees DIR --pipeline PYTHON"), in ratios
	$(BIN)/python ops/bench/imaging.py $(OF)

bench-fetch: $(SET_UP) ## what transfers cost, beside curl and aria2c, in ratios; and a sync of the holdings
	$(BIN)/python ops/bench/fetch.py

bench-desk: $(SET_UP) ## the failure desk at a million runs (5 GB in the temporary directory, made once), in ratios
	$(BIN)/python ops/bench/desk.py

system: ## (root, Debian) install the services that some tests use
	export DEBIAN_FRONTEND=noninteractive; apt-get update -q && \
	grep -vE '^(#|$$)' ops/debian-packages.txt | xargs apt-get install -qy --no-install-recommends

wheel: $(SET_UP) ## build the wheel into dist/
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

guide: $(SET_UP) ## build the operators' guide into site/
	$(BIN)/mkdocs build --strict --quiet --config-file ops/guide/mkdocs.yml --site-dir ../../site

clean: ## remove what was made in this clone (the cache stays)
	rm -rf .venv demo data dist site reimage.toml .mypy_cache .ruff_cache .pytest_cache .hypothesis
