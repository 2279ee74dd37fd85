# Everything runs in .venv, which each target makes where it is missing or older than pyproject.toml.
# Paths are relative, so the checkout's own path may hold spaces.
SHELL := /bin/bash
PYTHON ?= python3
RUN := .venv/bin/python

.PHONY: .venv demo test test-all lint bench clean

demo: .venv
	$(RUN) run.py

test: .venv
	$(RUN) -m pytest -q

# Databases, launchers and trackers are optional: their tests are skipped where they are not installed, so this
# installs them. The server itself is the system's (on Debian: apt install postgresql).
test-all: .venv
	$(RUN) -m pip install --quiet --disable-pip-version-check --editable ".[test,dev,postgresql,ray,slurm,tensorboard,mlflow,workspaces]"
	$(RUN) -m pytest -q -m "slow or not slow"

lint: .venv
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	.venv/bin/lint-imports

bench: .venv
	$(RUN) benchmarks/train_step.py
	$(RUN) benchmarks/text_parsing.py
	$(RUN) benchmarks/packing_memory.py
	$(RUN) benchmarks/sweep_engine.py

# The stamp is written last, so an installation that was cut short is begun again.
.venv: .venv/installed

.venv/installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv .venv
	$(RUN) -m pip install --quiet --disable-pip-version-check --editable ".[test,dev]"
	touch .venv/installed

clean:
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
