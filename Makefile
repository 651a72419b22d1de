# `make run` and `make test` do all the set-up from a bare checkout.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := app.py cli.py program.py access actors doctor metrics protocol providers retrieval storage transport upstreams
CODE := $(PACKAGES) tests bench supply

.PHONY: run test check fmt bench simulate powercuts kills stalled soak ssrf bombs schemathesis lock sbom watched fuzz websockets clean

run: $(VENV)/run.stamp  ## serve on port 3001
	$(BIN)/python app.py $(ARGS)

test: $(VENV)/dev.stamp  ## every test, under five minutes
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

check: $(VENV)/dev.stamp  ## types, style, layers, sizes
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

fmt: $(VENV)/dev.stamp  ## format and mend what can be mended
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

# What docs/performance.md tells of, then what else has a table.
BENCHES := overhead answers streams sessions cold_start ranking stored
TABLES := pages uploads import_chats stop wire drain cuts kills recordings

bench: $(BENCHES:%=bench-%) $(TABLES:%=bench-%)  ## every table of speed and memory, one after the other

bench-%: $(VENV)/dev.stamp  ## one of them, such as bench-overhead (docs/performance.md), with ARGS=
	$(BIN)/python -m bench.$* $(ARGS)

simulate: $(VENV)/dev.stamp  ## the whole system in virtual time, SEEDS=500 runs from FIRST=1
	$(BIN)/python -m tests.simulation --seeds $(or $(SEEDS),500) --first $(or $(FIRST),1)

powercuts: $(VENV)/dev.stamp  ## 300 power cuts of the store's disk; fails when a promise is broken
	$(BIN)/python -m tests.storage.power_cuts

kills: $(VENV)/dev.stamp  ## 60 kills of the running program; fails when a promise is broken
	$(BIN)/python -m bench.kills

stalled: $(VENV)/dev.stamp  ## 500 clients of which 50 stop reading; fails when the others notice
	$(BIN)/python -m bench.stalled

soak: $(VENV)/dev.stamp  ## 200 sessions come and go for MINUTES=5; fails when something grows
	$(BIN)/python -m bench.soak --minutes $(or $(MINUTES),5)

ssrf: $(VENV)/dev.stamp  ## hostile links in a network of canaries; fails when one is hit
	$(BIN)/python -m bench.ssrf

bombs: $(VENV)/dev.stamp  ## what wants all memory or time; fails at 10 s, 32 MB, or 100 ms for others
	$(BIN)/python -m bench.bombs

schemathesis: $(VENV)/dev.stamp  ## EXAMPLES=100 requests a route, drawn from the OpenAPI document with SEED=1; fails on what it does not declare
	$(BIN)/python -m bench.schemathesis --examples $(or $(EXAMPLES),100) --seed $(or $(SEED),1)

watched: $(VENV)/dev.stamp  ## what metrics and logs cost; fails when over a tenth of an answer's CPU time
	$(BIN)/python -m bench.watched

fuzz: $(VENV)/dev.stamp  ## broken requests for SECONDS=120, and 20,000 broken frames; fails when something breaks
	$(BIN)/python -m tests.transport.fuzzing --seconds $(or $(SECONDS),120)
	$(BIN)/python -m tests.e2e.frame_fuzzing --frames 20000

websockets: $(VENV)/dev.stamp  ## the cases of a conformance suite, kept in docs/; fails when one fails that should not
	$(BIN)/python -m bench.websocket_cases --write

lock: $(VENV)/dev.stamp  ## pin every dependency with its hashes, without hosts
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-emit-index-url --no-emit-find-links -o requirements.txt pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-emit-index-url --no-emit-find-links --group dev -o requirements-dev.txt pyproject.toml
	echo "hatchling>=1.27" | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	    --generate-hashes --no-header --no-emit-index-url --no-emit-find-links -o requirements-build.txt -

sbom: | $(VENV)/bin/python  ## dist/sbom.cdx.json, a bill of materials in CycloneDX of what requirements.txt pins
	@mkdir -p dist
	$(BIN)/python -m supply.bill > dist/sbom.cdx.json

clean:  ## remove what the other words made, but no data
	rm -rf $(VENV) .mypy_cache .ruff_cache dist build

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "python-perplexica needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@ $(VENV)/run.stamp
