"""docs/config-reference.md is what the configs say now, and every key has a meaning there."""

import dataclasses
import re
import sys

import pytest
from small_runs import REPOSITORY, composed

from spectral.configs.data import DataConfig

PAGE = (REPOSITORY / "docs" / "config-reference.md").read_text()
ROWS = [[cell.strip() for cell in row.split(" | ")] for row in re.findall(r"^\| (`[^`]+` \| .*)\|$", PAGE, re.M)]
KEYS = {row[0].strip("`"): row for row in ROWS if len(row) == 5}


@pytest.fixture
def config_reference(monkeypatch: pytest.MonkeyPatch) -> object:
    """The tool that writes the page."""
    monkeypatch.syspath_prepend(str(REPOSITORY / "tools"))
    import config_reference

    yield config_reference
    for name in ("config_reference", "config_fields"):
        del sys.modules[name]


def test_the_page_is_that_of_the_configs(config_reference: object) -> None:
    assert config_reference.page() == PAGE, "run make reference"


def test_every_key_has_a_meaning() -> None:
    assert len(KEYS) > 150
    assert not [key for key, row in KEYS.items() if not row[4]]


def test_options_of_data_that_are_mappings_have_a_table_of_their_keys() -> None:
    groups = [field for field in dataclasses.fields(DataConfig) if dataclasses.is_dataclass(field.type)]
    keys = {f"data.{group.name}.{option.name}" for group in groups for option in dataclasses.fields(group.type)}
    assert {"data.grid.kind", "data.baseline.lam"} <= keys <= set(KEYS)


def test_every_name_of_every_group_is_listed() -> None:
    named = {row[0].strip("`"): set(row[1].split(", ")) for row in ROWS if len(row) == 3}
    launchers = {path.stem.split("_")[1] for path in (REPOSITORY / "hydra_plugins").glob("*_launcher.py")}
    assert named.pop("hydra/launcher") == launchers
    # Every search starts from the first, and its jobs get the second: no user chooses them.
    named["sweep"] |= {"default", "none"}
    for group, names in named.items():
        assert names == {path.stem for path in (REPOSITORY / "conf" / group).glob("*.yaml")}, group
    folders = {path.name for path in (REPOSITORY / "conf").iterdir() if path.is_dir()}
    assert set(named) == folders - {"hydra"}


def test_defaults_are_those_of_the_composed_config() -> None:
    """Also where the yaml of a part differs from its dataclass."""
    section = PAGE.partition("### `schedule`\n")[2]
    stages = composed(["run_dir=run"]).schedule.stages
    assert f"| `[{{name: train, epochs: {stages[0].epochs}, steps: {stages[0].steps}}}]` |" in section
    sgd = PAGE.partition("### `optimizer=sgd`\n")[2]
    lr = composed(["run_dir=run", "optimizer=sgd"]).optimizer.lr
    assert f"| `optimizer.lr` | number | `{lr}` | above 0 |" in sgd.partition("###")[0]
