# Two commands: `make demo` shows the main job on this machine, `make test` proves it.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

.PHONY: demo test lint segments-long segments-spark docs bench prove clean

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $(READY)

demo: $(READY)
	$(BIN)/python -m benchmarks.demo

# As many files at once as there are processors, up to four; each of these has a database server of its own.
test: $(READY)
	$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Writes docs/reference from what the product declares; a test fails while it is behind.
docs: $(READY)
	$(BIN)/python -m docs.generate

# Serves while everything is killed, and counts what arrived: 200 kills for each store and policy, 50,000 messages each.
# It may be stopped: a case that held is remembered in .proof and not run again until a file it depends on changes.
prove: $(READY)
	ORCHESTRATOR_PROVE=1 $(BIN)/python -m pytest -q tests/core/test_occurrences.py tests/doors/test_mutated_trees.py
	$(BIN)/python -m tests.proof.kill --full

# Ten thousand random segments, the same members by DuckDB, PostgreSQL, ClickHouse and in memory; `make test` asks three hundred.
segments-long: $(READY)
	SEGMENT_TREES=10000 $(BIN)/python -m pytest -q tests/audience/test_compiling.py -k every_engine

# The same of Spark, which takes a Java and about a second a question; SEGMENT_TREES says how many. Each file has a Java of its own:
# one that was asked hundreds of questions has little left of its gigabyte.
segments-spark: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,spark]'
	$(BIN)/python -m pytest -q -W default tests/audience/spark_trees.py
	$(BIN)/python -m pytest -q -W default tests/doors/spark_house.py

# One command per figure; each prints ratios taken in one run.
bench: $(READY)
	$(BIN)/python -m benchmarks.sending
	$(BIN)/python -m benchmarks.sending --memory
	$(BIN)/python -m benchmarks.smtp_wire
	$(BIN)/python -m benchmarks.segments
	$(BIN)/python -m benchmarks.growth
	$(BIN)/python -m benchmarks.engines
	$(BIN)/python -m benchmarks.loader
	$(BIN)/python -m benchmarks.warehouse
	$(BIN)/python -m benchmarks.personas

clean:
	rm -rf $(VENV) demo .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
