# `make run` and `make test` do all the set-up from a bare checkout.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := app.py access actors protocol providers retrieval storage transport upstreams
CODE := $(PACKAGES) tests bench

.PHONY: run test check fmt bench simulate powercuts kills stalled soak ssrf bombs lock clean

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

bench: $(VENV)/dev.stamp  ## idle sessions, cold start, answers, pages, uploads, import, stop, wire, drain, cuts, kills, recordings
	$(BIN)/python -m bench.sessions
	$(BIN)/python -m bench.cold_start
	$(BIN)/python -m bench.answers
	$(BIN)/python -m bench.pages
	$(BIN)/python -m bench.uploads
	$(BIN)/python -m bench.import_chats
	$(BIN)/python -m bench.stop
	$(BIN)/python -m bench.wire
	$(BIN)/python -m bench.drain
	$(BIN)/python -m bench.cuts
	$(BIN)/python -m bench.kills
	$(BIN)/python -m bench.recordings

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

bombs: $(VENV)/dev.stamp  ## what wants all memory or time; fails when 10 s or 32 MB are not enough
	$(BIN)/python -m bench.bombs

lock: $(VENV)/dev.stamp  ## pin every dependency with its hashes, without hosts
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-emit-index-url --no-emit-find-links -o requirements.txt pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-emit-index-url --no-emit-find-links --group dev -o requirements-dev.txt pyproject.toml
	echo "hatchling>=1.27" | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	    --generate-hashes --no-header --no-emit-index-url --no-emit-find-links -o requirements-build.txt -

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
