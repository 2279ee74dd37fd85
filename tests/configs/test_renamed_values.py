"""Config values that have been renamed."""

import pytest

from spectral.configs.losses import losses
from spectral.configs.renamed import VALUES, new_name, renamed
from spectral.errors import UserError


@pytest.mark.parametrize("key", ["loss", "schedule.stages[1].loss"])
@pytest.mark.parametrize(("old", "new"), [("log_mean", "log_of_mean"), ("mean_log", "mean_of_logs")])
def test_an_old_name_in_a_command_is_refused_with_the_new_one(old: str, new: str, key: str) -> None:
    with pytest.raises(UserError) as raised:
        losses.typed({"name": "soft_f1", "form": old}, key)
    assert str(raised.value) == f"{key}.form={old} has another name now: give {key}.form={new}."
    assert losses.typed({"name": "soft_f1", "form": new}, key).form == new


def test_old_names_in_stored_configs_become_new_and_all_else_is_kept() -> None:
    stages = [{"loss": {"form": "mean_log"}}, {"loss": {"form": "mean_of_logs"}}, {"loss": "log_mean"}]
    stored = {"loss": {"form": "log_mean", "eps": 1}, "form": "log_mean", "other": {"form": "mean_log"}}
    assert renamed(stored | {"schedule": {"stages": stages}}) == {
        "loss": {"form": "log_of_mean", "eps": 1},
        "form": "log_mean",
        "other": {"form": "mean_log"},
        "schedule": {"stages": [{"loss": {"form": "mean_of_logs"}}, {"loss": {"form": "mean_of_logs"}}, stages[2]]},
    }


def test_no_new_name_is_also_an_old_name() -> None:
    for key, names in VALUES.items():
        assert not {new_name(key, new) for new in names.values()} - {None}
