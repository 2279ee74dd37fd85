# Everything runs in .venv, which each target makes where it is missing or older than pyproject.toml.
# Paths are relative, so the checkout's own path may hold spaces.
SHELL := /bin/bash
PYTHON ?= python3
PROCESSES ?= 2
RUN := .venv/bin/python

.PHONY: .venv demo test test-all lint bench report dashboard pictures clean

demo: .venv
	$(RUN) run.py

# Two processes at a time, a file each: many tests wait for processes of their own. On more cores: make test PROCESSES=8.
test: .venv
	$(RUN) -m pytest -q --numprocesses $(PROCESSES) --dist loadfile

# Databases, launchers and trackers are optional: their tests are skipped where they are not installed, so this
# installs them. The server itself is the system's (on Debian: apt install postgresql).
test-all: .venv
	$(RUN) -m pip install --quiet --disable-pip-version-check --editable ".[test,dev,postgresql,ray,slurm,tensorboard,mlflow,workspaces,dashboard]"
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

report: .venv
	@[ -n "$(STUDY)" ] || { echo "Name a study, or a folder of runs: make report STUDY=fractions" >&2; exit 2; }
	$(RUN) -m sweeps.report "$(STUDY)"

# Other values: make dashboard ARGS="--port 8081 --folder FOLDER".
dashboard: .venv
	@$(RUN) -c "import sys, importlib.util as u; sys.exit(not u.find_spec('optuna_dashboard'))" || $(RUN) -m pip install --quiet --disable-pip-version-check --editable ".[dashboard]"
	@$(RUN) -m sweeps.dashboard $(ARGS)

# The README's pictures, of a sweep that this runs; needs Chromium (on Debian: apt install chromium chromium-driver).
pictures: .venv
	$(RUN) -m pip install --quiet --disable-pip-version-check --editable ".[test,dashboard]"
	$(RUN) tools/pictures.py

# The stamp is written last, so an installation that was cut short is begun again.
.venv: .venv/installed

.venv/installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv .venv
	$(RUN) -m pip install --quiet --disable-pip-version-check --editable ".[test,dev]"
	touch .venv/installed

clean:
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
