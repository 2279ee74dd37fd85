"""Keys of Hydra's own sweepers, for those who come from them."""

import dataclasses
import re
from typing import Any

import pytest
from hydra.errors import HydraException
from small_runs import REPOSITORY, composed

from spectral.errors import UserError
from sweeps.config import SweepConfig
from sweeps.launchers.config import LocalConfig, RayConfig, SlurmConfig
from sweeps.space.messages import hydra_sentence
from sweeps.study.sampler import samplers
from sweeps.sweeper import SpectralSweeper
from sweeps.sweeper_keys import KEYS, SAMPLERS, sweeper_key_sentence

PAGE = REPOSITORY / "docs" / "coming-from-other-sweepers.md"


@pytest.mark.parametrize("key", [*KEYS, "warm_up"])
def test_a_key_of_another_sweeper_is_refused_with_what_to_give_instead(key: str) -> None:
    options: dict[str, Any] = {key: 1}
    with pytest.raises(UserError, match=rf"^hydra\.sweeper\.{key} is not a key of hydra/sweeper=spectral: .*\.$"):
        SpectralSweeper(**options)


def test_the_keys_that_are_named_instead_are_there() -> None:
    fields = set(vars(SweepConfig()))
    named = [word.rstrip(",.") for key in KEYS for word in sweeper_key_sentence(f"hydra.sweeper.{key}").split()]
    assert {word.removeprefix("sweep.") for word in named if word.startswith("sweep.")} <= fields
    assert set(SAMPLERS.values()) == set(samplers.names)


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        (
            "hydra.sweeper.n_trials=20",
            "hydra.sweeper.n_trials is not a key of .*: give sweep.num_trials=20, the total .*",
        ),
        ("hydra.sweeper.direction=minimize", ".*: give sweep.direction=minimize."),
        ("hydra.sweeper.storage=sqlite:///s.db", ".*: give sweep.storage=sqlite:///s.db."),
        (
            "hydra.sweeper.sampler._target_=optuna.samplers.GPSampler",
            "hydra.sweeper.sampler is .*: give sweep.sampler=gp.",
        ),
        ("hydra.sweeper.sampler.seed=1", ".*: give sweep.sampler, such as tpe, and sweep.seed."),
        ("hydra/sweeper/sampler=tpe", "hydra/sweeper/sampler is not a key of .*: give sweep.sampler, such as tpe, .*"),
        ("hydra.sweeper.params.x=3", "hydra.sweeper.params is not a key of .*: searches are on the command line, .*"),
        (
            "hydra/sweeper=optuna",
            "hydra/sweeper=optuna is not there: leave it out, .* docs/coming-from-other-sweepers.md.",
        ),
        ("hydra/sweeper=optunaa", "hydra/sweeper=optunaa is not known: allowed: basic, spectral."),
        ("hydra/launcher=submitit_slurm", "hydra/launcher=submitit_slurm is not there: give hydra/launcher=slurm."),
    ],
)
def test_a_command_for_another_sweeper_ends_in_one_sentence_with_its_own_values(override: str, expected: str) -> None:
    with pytest.raises(HydraException) as raised:
        composed([override])
    found = hydra_sentence(raised.value)
    assert re.fullmatch(re.escape(expected).replace(r"\.\*", ".*"), found), found


def test_every_key_of_ours_that_the_page_names_is_there() -> None:
    launchers = (LocalConfig, RayConfig, SlurmConfig)
    options = {f"hydra.launcher.{field.name}" for kind in launchers for field in dataclasses.fields(kind)}
    search = {f"sweep.{name}" for name in vars(SweepConfig())}
    named = set(re.findall(r"`((?:sweep|hydra\.launcher)\.[a-z_.]+)`", PAGE.read_text())) - {"sweep.json"}
    pruning = {key for key in named if key.startswith("sweep.pruning.")}
    assert len(named) > 20 and named - pruning <= search | options
    assert {key.removeprefix("sweep.pruning.") for key in pruning} <= set(composed([]).sweep.pruning)


def test_every_key_that_is_refused_is_on_the_page() -> None:
    old = {"search_space", "max_batch_size"}  # of versions long gone, and of Ax
    assert all(f"`hydra.sweeper.{key}`" in PAGE.read_text() for key in KEYS.keys() - old)
