"""model.json of this version, of earlier ones and of later ones; and what a loss must state for it."""

import dataclasses
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from report_runs import add_network, make_run, make_survey
from safetensors.torch import save_file
from small_runs import run

from spectral.configs.losses import losses
from spectral.errors import UserError
from spectral.inference.classifier import Classifier
from spectral.losses.contract import Loss
from spectral.runs.folder import RunFolder


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A run with an untrained network."""
    survey = make_survey(tmp_path / "survey", num=3, length=40)
    run = make_run(tmp_path / "run", survey, [0, 1, 2], [0.9] * 3)
    add_network(run, survey)
    return RunFolder(run.path)


def change(folder: RunFolder, **values: Any) -> None:
    """Set keys of model.json; None removes one."""
    content = json.loads(folder.model.read_text()) | values
    folder.model.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))


def test_model_json_is_loaded_as_it_was_saved(folder: RunFolder) -> None:
    loaded = Classifier.load(folder)
    assert json.loads(folder.model.read_text())["format"] == 2
    loaded.class_priors, loaded.output_prior = [0.5, 0.3, 0.2], [0.25, 0.25, 0.5]
    loaded.save(folder)
    again = Classifier.load(folder)
    assert again.class_priors == [0.5, 0.3, 0.2] and again.output_prior == [0.25, 0.25, 0.5]
    assert again.inputs == loaded.inputs and again.model == loaded.model


def test_missing_keys_have_their_defaults(folder: RunFolder) -> None:
    change(folder, wave_angstrom=None, class_priors=None, output_prior=None, decision_state=None)
    loaded = Classifier.load(folder)
    assert loaded.wave_angstrom is None and loaded.class_priors is None and loaded.decision_state == {}


def test_unknown_keys_are_ignored_with_a_warning(folder: RunFolder, caplog: pytest.LogCaptureFixture) -> None:
    content = json.loads(folder.model.read_text())
    change(
        folder,
        later="x",
        model=content["model"] | {"new_option": 3},
        inputs=content["inputs"] | {"grid": "log", "transform": content["inputs"]["transform"] | {"robust": True}},
    )
    with caplog.at_level(logging.WARNING):
        loaded = Classifier.load(folder)
    for key in ("later", "model.new_option", "inputs.grid", "inputs.transform.robust"):
        assert f"{key} is not known to this version of Spectral and is ignored." in caplog.text
    assert loaded.model.name == "fcn"


def test_a_newer_format_is_refused_in_one_sentence(folder: RunFolder) -> None:
    change(folder, format=5)
    with pytest.raises(UserError, match=r"has format 5, this version of Spectral reads up to 4: update Spectral\.$"):
        Classifier.load(folder)


@pytest.mark.parametrize("key", ["model", "class_names", "length", "inputs"])
def test_a_file_without_a_required_key_is_refused(folder: RunFolder, key: str) -> None:
    change(folder, **{key: None})
    with pytest.raises(UserError, match=f"does not describe a classifier: it lacks {key}"):
        Classifier.load(folder)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"class_names": [1, 2, 3]}, "class_names is not"),
        ({"class_names": ["a", "a", "b"]}, "class_names is not"),
        ({"class_names": []}, "class_names is not"),
        ({"length": True}, "length is not"),
        ({"length": 10**12}, "length is not"),
        ({"wave_angstrom": [1.0, 2.0]}, "wave_angstrom is not"),
        ({"wave_angstrom": "x"}, "wave_angstrom is not"),
        ({"output_prior": [0.5, "a", 0.1]}, "output_prior is not"),
        ({"decision_state": [1]}, "decision_state is no mapping"),
        ({"evaluate_shifts": [1.5]}, "evaluate_shifts is not a list of at most 1,000 whole numbers, -39 to 39"),
        ({"evaluate_shifts": [40]}, "evaluate_shifts is not a list of at most 1,000 whole numbers, -39 to 39"),
        ({"inputs": {"num_channels": "one"}}, "names no channels"),
        ({"inputs": {"channels": 5}}, "names no channels"),
        ({"inputs": {"learned": {"reference": [[1.0, 2.0]]}}}, "inputs.learned has no number for each pixel"),
        ({"inputs": {"ivar_masks": "yes"}}, "inputs.ivar_masks is neither true, false nor null"),
        ({"model": {"name": ["fcn"]}}, "is not known"),
        ({"model": {"name": "fcn", "widths": "many"}}, "widths"),
    ],
)
def test_a_value_of_another_type_is_named(values: dict[str, Any], said: str, folder: RunFolder) -> None:
    change(folder, **values)
    with pytest.raises(UserError, match=said):
        Classifier.load(folder)


@pytest.mark.parametrize("name", ["model", "weights"])
def test_a_folder_in_the_place_of_a_file_is_named(name: str, folder: RunFolder) -> None:
    path: Path = getattr(folder, name)
    path.unlink()
    path.mkdir()
    with pytest.raises(UserError, match=f"{path.name} cannot be read"):
        Classifier.load(folder).load_network(folder)


def test_a_deeply_nested_file_is_refused(folder: RunFolder) -> None:
    folder.model.write_text("[" * 100_000)
    with pytest.raises(UserError, match="is not valid JSON"):
        Classifier.load(folder)


MEMBER = {"model": {"name": "fcn", "widths": [4, 4, 4]}, "weight": 1, "output_prior": [0.2, 0.3, 0.5], "inputs": 0}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"members": []}, "members is not a list of networks"),
        ({"members": "x"}, "members is not a list of networks"),
        ({"output_prior": None}, "output_prior is not a list of 3 shares"),
        ({"further_inputs": 1}, "further_inputs is not a list of inputs"),
        ({"further_inputs": [{"channels": 5}]}, "further_inputs.0 names no channels"),
        ({"members": [MEMBER | {"weight": 0}]}, "members.0.weight is not a positive number"),
        ({"members": [MEMBER | {"weight": float("inf")}]}, "members.0.weight is not a positive number"),
        ({"members": [MEMBER, MEMBER | {"inputs": 1}]}, "members.1.inputs is not a whole number from 0 to 0"),
        ({"members": [MEMBER | {"output_prior": [1, 0]}]}, "members.0.output_prior is not a list of 3 shares"),
        ({"members": [MEMBER | {"model": {}}]}, "members.0.model is no network"),
        ({"members": [MEMBER | {"run": 5}]}, "members.0.run is not text"),
        ({"members": [MEMBER | {"model": {"name": "fnc"}}]}, "members.0.model=fnc is not known"),
    ],
)
def test_a_member_of_another_type_is_named(values: dict[str, Any], said: str, folder: RunFolder) -> None:
    change(folder, **({"members": [MEMBER], "output_prior": [0.2, 0.3, 0.5], "format": 3} | values))
    with pytest.raises(UserError, match=said):
        Classifier.load(folder)


def test_members_have_the_default_of_a_key_that_they_lack(folder: RunFolder) -> None:
    member = {"model": {"name": "fcn"}, "output_prior": [0.2, 0.3, 0.5], "later": 1}
    change(folder, format=3, model={"name": "ensemble"}, members=[member], output_prior=[0.2, 0.3, 0.5])
    loaded = Classifier.load(folder)
    assert loaded.model.name == "ensemble" and loaded.members[0].weight == 1 and loaded.members[0].inputs == 0


@pytest.mark.parametrize(
    "state",
    [{"slope": [1.0]}, {"slope": "x", "offset": [0], "prior_ratio": None, "num_iterations": 0}, {"prior_ratio": None}],
)
def test_a_decision_rule_that_was_changed_is_refused(state: dict[str, Any], folder: RunFolder) -> None:
    change(folder, decision_state=state)
    with pytest.raises(UserError, match="is not that of a decision rule"):
        Classifier.load(folder).build_decision()


@pytest.mark.parametrize(
    "model",
    [
        {"name": "fcn", "widths": [10**9, 10**9, 4]},
        pytest.param({"name": "fcn", "widths": [4] * 5_000, "kernel_sizes": [3] * 5_000}, marks=pytest.mark.slow),
        {"name": "reference", "width": 10**9},
        {"name": "reference", "num_blocks": 10**9},
        {"name": "resnet1d", "widths": [10**9, 4, 4]},
        {"name": "inception_time", "num_filters": 10**9},
        {"name": "inception_time", "depth": 10**9},
        {"name": "lite_time", "num_filters": 10**9},
        {"name": "lite_time", "kernel_size": 10**9},
    ],
)
def test_a_network_that_is_not_that_of_the_weights_is_refused_before_it_is_allocated(
    model: dict[str, Any], folder: RunFolder
) -> None:
    change(folder, model=model)
    with pytest.raises(
        UserError, match=r"best\.safetensors does not fit .*, or the class of the network has changed since"
    ):
        Classifier.load(folder).load_network(folder)


@pytest.mark.parametrize("name", ["reference", "fcn", "resnet1d", "inception_time", "lite_time"])
def test_every_network_is_loaded_with_its_weights(name: str, folder: RunFolder) -> None:
    change(folder, model={"name": name})
    classifier = Classifier.load(folder)
    network = classifier.build_network()
    save_file(network.state_dict(), folder.weights)
    loaded = classifier.load_network(folder).state_dict()
    assert all(torch.equal(value, loaded[key]) for key, value in network.state_dict().items())


def test_the_first_format_is_read_with_its_own_meaning(folder: RunFolder) -> None:
    content = json.loads(folder.model.read_text())
    transform = content["inputs"]["transform"]
    change(folder, format=None, inputs=None, class_priors=None, output_prior=None, transform=transform, num_channels=1)
    inputs = Classifier.load(folder).inputs
    assert inputs.masked_pixels == "zero" and inputs.num_channels == 1
    assert [channel.name for channel in inputs.channels] == ["flux"] and inputs.transform.name == transform["name"]


def test_every_registered_loss_states_its_output_prior() -> None:
    fractions = torch.tensor([0.5, 0.3, 0.2])
    for name in losses.names:
        loss = losses.build(losses.typed(name), num_classes=3, class_priors=fractions, batch_fractions=fractions)
        assert isinstance(loss, Loss)
        np.testing.assert_allclose(float(loss.output_prior.sum()), 1, rtol=1e-6)


def test_a_loss_without_output_prior_fails_before_the_data_is_opened(
    small: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    entry = losses.entry("cross_entropy")
    monkeypatch.setitem(
        losses._entries, "cross_entropy", dataclasses.replace(entry, builder="torch.nn:CrossEntropyLoss")
    )
    with pytest.raises(TypeError, match=r"torch\.nn:CrossEntropyLoss is registered, but is no subclass of .*Loss"):
        run(small("data.folder=nowhere"))


def test_a_loss_cannot_be_made_without_its_output_prior() -> None:
    class Forgetful(Loss):
        def __init__(self) -> None:
            super().__init__()  # type: ignore[call-arg]  # what is tested

    with pytest.raises(TypeError, match="output_prior"):
        Forgetful()
