# Everything runs in .venv. Each target makes it if it is missing or older than pyproject.toml.
# Paths are relative, so the path of the checkout may contain spaces.
SHELL := /bin/bash
PYTHON ?= python3
PROCESSES ?= 2
RUN := .venv/bin/python

.PHONY: .venv demo test test-all lint bench results report dashboard pictures reference site clean

demo: .venv
	$(RUN) run.py

# Two processes at a time, a file each: many tests wait for processes of their own. On more cores: make test PROCESSES=8.
test: .venv
	$(RUN) -m pytest -q --numprocesses $(PROCESSES) --dist loadfile

# Databases, launchers and trackers are optional: without them their tests are skipped. So this target installs them.
# The PostgreSQL server is a package of the system (on Debian: apt install postgresql).
test-all: .venv
	$(RUN) -m pip install --quiet --disable-pip-version-check --editable ".[test,dev,postgresql,ray,slurm,tensorboard,mlflow,workspaces,dashboard,docs,oracles]"
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

# The small rows of docs/results.md, on the simulated survey: six to seven minutes on two cores.
results: .venv
	$(RUN) benchmarks/results.py --scale small --rows pca_boosting reference default best ensemble

report: .venv
	@[ -n "$(STUDY)" ] || { echo "Name a study, or a folder of runs: make report STUDY=fractions" >&2; exit 2; }
	$(RUN) -m sweeps.report "$(STUDY)"

# Other values: make dashboard ARGS="--port 8081 --folder FOLDER".
dashboard: .venv
	@$(RUN) -c "import sys, importlib.util as u; sys.exit(not u.find_spec('optuna_dashboard'))" || $(RUN) -m pip install --quiet --disable-pip-version-check --editable ".[dashboard]"
	@$(RUN) -m sweeps.dashboard $(ARGS)

# The pictures of the pages, from a sweep that this runs. Needs Chromium (Debian: apt install chromium chromium-driver).
pictures: .venv
	$(RUN) -m pip install --quiet --disable-pip-version-check --editable ".[test,dashboard]"
	$(RUN) tools/pictures.py

# The documentation site, in build/site; a warning of MkDocs is an error.
site: .venv
	$(RUN) -m pip install --quiet --disable-pip-version-check --editable ".[test,docs]"
	NO_MKDOCS_2_WARNING=1 $(RUN) -m mkdocs build --quiet --strict

# docs/config-reference.md, from the typed configs.
reference: .venv
	$(RUN) tools/config_reference.py

# A Python for which the packages are there; pyproject.toml says the same.
SUITABLE := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))

# The stamp is written last, so an interrupted installation is started again. A .venv of another Python is made empty.
.venv: .venv/installed

.venv/installed: pyproject.toml
	@$(PYTHON) -c '$(SUITABLE)' || { echo "Python 3.11 to 3.13 is needed: make PYTHON=python3.12 ..." >&2; exit 2; }
	$(PYTHON) -m venv $$($(RUN) -c '$(SUITABLE)' 2> /dev/null || echo --clear) .venv
	$(RUN) -m pip install --quiet --disable-pip-version-check --editable ".[test,dev]"
	touch .venv/installed

clean:
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
