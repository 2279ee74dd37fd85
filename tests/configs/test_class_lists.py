"""One number per class, by name or in class order, from Hydra's command line to the list in class order."""

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf
from small_runs import composed

from spectral.configs.class_lists import class_of, in_class_order
from spectral.configs.losses import CrossEntropyConfig
from spectral.configs.root import typed
from spectral.configs.sampler import FractionsConfig
from spectral.errors import UserError

NAMES = ["star", "unknown", "galaxy", "qso"]
BY_NAME = "{star:0.7,unknown:0.1,galaxy:0.15,qso:0.05}"
OTHER = "{QSO:0.4,star:0.3,Unknown:0.2,galaxy:0.1}"
LISTED = "[0.25,0.25,0.25,0.25]"


def fractions(*overrides: str) -> list[float]:
    """The fractions that a command sets, in class order."""
    sampler = typed(composed(["run_dir=never", *overrides])).sampler
    found: list[float] = in_class_order(sampler, "sampler", NAMES).fractions
    return found


@pytest.mark.parametrize(
    "before", ["experiment=reference", f"sampler.fractions={BY_NAME}", f"sampler.fractions={LISTED}"]
)
@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (f"sampler.fractions={BY_NAME}", [0.7, 0.1, 0.15, 0.05]),
        (f"sampler.fractions={OTHER}", [0.3, 0.2, 0.1, 0.4]),
        (f"sampler.fractions={LISTED}", [0.25] * 4),
        (f"+sampler.fractions={OTHER}", [0.3, 0.2, 0.1, 0.4]),
        (f"++sampler.fractions={LISTED}", [0.25] * 4),
    ],
)
def test_the_last_value_replaces_earlier_ones(before: str, last: str, expected: list[float]) -> None:
    """A mapping over a mapping, a mapping over a list (that of experiment=reference, for one) and the reverse."""
    assert fractions(before, last) == expected


def test_null_removes_the_fractions() -> None:
    config = typed(composed(["run_dir=never", "experiment=reference", "sampler.fractions=null"]))
    assert config.sampler.fractions is None


def test_a_yaml_replaces_the_values_of_its_defaults() -> None:
    """What Hydra does with each file of a defaults list."""
    base = composed(["run_dir=never", f"sampler.fractions={BY_NAME}"])
    for value, expected in ((OTHER, [0.3, 0.2, 0.1, 0.4]), (LISTED, [0.25] * 4)):
        merged: Any = OmegaConf.merge(base, OmegaConf.from_dotlist([f"sampler.fractions={value.replace(':', ': ')}"]))
        assert in_class_order(typed(merged).sampler, "sampler", NAMES).fractions == expected


def test_a_config_with_values_by_class_can_be_copied_pickled_and_written() -> None:
    config = composed(["run_dir=never", f"sampler.fractions={BY_NAME}"])
    plain = {"star": 0.7, "unknown": 0.1, "galaxy": 0.15, "qso": 0.05}
    reread = OmegaConf.create(OmegaConf.to_yaml(config))
    for same in (copy.deepcopy(config), pickle.loads(pickle.dumps(config)), reread):
        assert OmegaConf.to_container(same)["sampler"]["fractions"] == plain
    copy.deepcopy(config).sampler.fractions["star"] = 0.0
    assert config.sampler.fractions == plain


def test_a_reference_to_another_key_is_followed() -> None:
    config = composed(["run_dir=never", "loss.weights=${data.priors}"])
    assert typed(config).loss.weights == [0.70, 0.12, 0.10, 0.08]


@pytest.mark.parametrize(
    ("names", "written"),
    [
        (["1", "2", "-1"], "{2:0.2,1:0.5,-1:0.3}"),
        (["true", "false", "null"], "{false:0.2,true:0.5,null:0.3}"),
        (["early type", "late/type", "x-1"], "{late/type:0.2,early type:0.5,x-1:0.3}"),
    ],
)
def test_class_names_that_look_like_other_yaml_types_stay_names(names: list[str], written: str) -> None:
    overrides = ["data=arrays", f"data.class_names={names}", f"sampler.fractions={written}"]
    sampler = typed(composed(["run_dir=never", *overrides])).sampler
    assert in_class_order(sampler, "sampler", names).fractions == [0.5, 0.2, 0.3]


def test_priors_of_the_simulated_survey_keep_its_order_whatever_the_class_names() -> None:
    order = "data.class_names=[qso,galaxy,unknown,star]"
    priors = "data.priors={qso:0.1,star:0.6,unknown:0.1,galaxy:0.2}"
    assert typed(composed(["run_dir=never", order, priors])).data.priors == [0.6, 0.1, 0.2, 0.1]


def test_names_match_exactly_or_without_case_if_only_one_does() -> None:
    assert class_of("star", ["STAR", "star"]) == "star"
    assert class_of("Star", ["STAR", "qso"]) == "STAR"
    assert class_of("Star", ["STAR", "star"]) is None
    assert class_of("sta", ["star"]) is None


names = st.lists(st.text("abcdefgh", min_size=1, max_size=5), min_size=2, max_size=6, unique_by=str.casefold)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_classes_may_come_in_any_order_and_a_missing_one_is_named(data: st.DataObject) -> None:
    class_names = data.draw(names)
    weights = data.draw(st.lists(st.floats(0.1, 10), min_size=len(class_names), max_size=len(class_names)))
    written = data.draw(st.permutations(list(zip(class_names, weights, strict=True))))
    assert in_class_order(CrossEntropyConfig(weights=dict(written)), "loss", class_names).weights == weights
    (missing, _), *rest = written
    with pytest.raises(UserError, match=rf"^loss\.weights=.* does not name the class {missing}: add {missing}: 1, or"):
        in_class_order(CrossEntropyConfig(weights=dict(rest)), "loss", class_names)
    with pytest.raises(UserError, match=r"^loss\.weights=.* names zz, which is not a class: "):
        in_class_order(CrossEntropyConfig(weights={**dict(written), "zz": 1.0}), "loss", class_names)


def test_the_given_config_is_not_changed() -> None:
    config = FractionsConfig(fractions={"b": 0.4, "a": 0.6})
    assert in_class_order(config, "sampler", ["a", "b"]).fractions == [0.6, 0.4]
    assert config.fractions == {"b": 0.4, "a": 0.6}
