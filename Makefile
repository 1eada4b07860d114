# make help lists the targets. Everything runs in a virtual environment of its own, .venv.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
OUT ?= demo-out
SECONDS_OF_FUZZING ?= 60
SPLAT_TRANSFORM ?=
BENCH_OUT ?= bench-out
BENCH_JOBS ?= 1
BENCH_CODEC = $(BIN)/python -m benchmarks.codec.run $(CODEC_SCENES) --out $(BENCH_OUT) --jobs $(BENCH_JOBS) $(if $(SPLAT_TRANSFORM),--splat-transform $(SPLAT_TRANSFORM))
BENCH_SCENES ?= $(or $(wildcard ../shared/data/scenes/*.sog ../shared/data/scenes/*.splat),$(OUT)/interior.ply)

.DEFAULT_GOAL := help
.PHONY: help demo test check format fuzz bench bench-codec bench-painter bench-feedforward cold clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: $(VENV)/.installed-base ## encode, serve and stream a generated scene; pictures and report.json in demo-out/
	$(BIN)/exgs demo --out $(OUT) --overwrite

test: $(VENV)/.installed-test ## run all tests
	$(BIN)/python -m pytest

check: $(VENV)/.installed-dev ## format, lint, types and import directions
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-dev ## put the sources into the one format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

fuzz: $(VENV)/.installed-test ## feed the decoder mutated files for SECONDS_OF_FUZZING
	$(BIN)/python tests/fuzz/run.py --seconds $(SECONDS_OF_FUZZING)

bench: $(VENV)/.installed-test ## tables for rasterising, encoding and decoding (BENCH_SCENES=files)
	$(BIN)/python benchmarks/raster.py
	$(BIN)/python -m benchmarks.encode $(BENCH_SCENES)
	$(BIN)/python benchmarks/decode.py $(BENCH_SCENES)

bench-codec: $(VENV)/.installed-experiments ## rate and distortion beside peers, ablation: docs/measurements.md (CODEC_SCENES=names, SPLAT_TRANSFORM=path)
	$(BENCH_CODEC) --document docs/measurements.md --figures docs/figures
	$(BIN)/python -m benchmarks.codec.prefixes --out $(BENCH_OUT) --document docs/measurements.md
	$(BIN)/python -m benchmarks.ablation --out $(BENCH_OUT) --jobs $(BENCH_JOBS) --document docs/measurements.md

bench-painter: $(VENV)/.installed-test ## what restoring is worth on scenes never seen, with pictures: docs/painter.md (SPLAT_TRANSFORM=path)
	$(BIN)/python -m benchmarks.painter --out $(BENCH_OUT) --document docs/painter.md --picture docs/pictures/restored.jpg $(if $(SPLAT_TRANSFORM),--splat-transform $(SPLAT_TRANSFORM))

bench-feedforward: $(VENV)/.installed-experiments ## what reconstructing from pictures is worth and takes, with plot and pictures: docs/feedforward.md (needs torch)
	$(BIN)/python -m benchmarks.feedforward --out $(BENCH_OUT) --document docs/feedforward.md --plot docs/figures/feedforward.png --picture docs/pictures/reconstructed.jpg
	$(BIN)/python -m benchmarks.coverage --out $(BENCH_OUT) --document docs/feedforward.md

cold: ## drop the compiled kernels, after a change to functions that kernels call
	find exgs -name '*.nb[ic]' -delete

clean: ## remove the environment and everything the demo wrote
	rm -rf $(VENV) $(OUT)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "exgs needs Python 3.11 or newer, this is " + sys.version.split()[0] + "; name another with make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed-base: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --config-settings editable_mode=compat
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed-base
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]' --config-settings editable_mode=compat
	@touch $@

$(VENV)/.installed-experiments: $(VENV)/.installed-test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[experiments]' --config-settings editable_mode=compat
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed-test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]' --config-settings editable_mode=compat
	@touch $@
