"""Keys of Hydra's own sweepers, for those who come from them."""

from typing import Any

import pytest

from spectral.errors import UserError
from sweeps.config import SweepConfig
from sweeps.sweeper import SpectralSweeper
from sweeps.sweeper_keys import KEYS, sweeper_key_sentence


@pytest.mark.parametrize("key", [*KEYS, "warm_up"])
def test_a_key_of_another_sweeper_is_refused_with_what_to_give_instead(key: str) -> None:
    options: dict[str, Any] = {key: 1}
    with pytest.raises(UserError, match=rf"^hydra\.sweeper\.{key} is not a key of hydra/sweeper=spectral: .*\.$"):
        SpectralSweeper(**options)


def test_the_keys_that_are_named_instead_are_there() -> None:
    fields = set(vars(SweepConfig()))
    named = [word.rstrip(",.") for key in KEYS for word in sweeper_key_sentence(f"hydra.sweeper.{key}").split()]
    assert {word.removeprefix("sweep.") for word in named if word.startswith("sweep.")} <= fields
