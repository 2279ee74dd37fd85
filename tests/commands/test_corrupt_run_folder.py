"""A run folder that was changed or damaged, applied to spectra: one sentence that names the file."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from applied_runs import evaluate, predict
from small_runs import OVERRIDES, run

from spectral.errors import UserError


def without_key(content: bytes) -> bytes:
    described = json.loads(content)
    del described["length"]
    return json.dumps(described).encode()


def with_other_width(content: bytes) -> bytes:
    described = json.loads(content)
    described["model"]["width"] = 3
    return json.dumps(described).encode()


@pytest.mark.parametrize(
    ("name", "spoil", "sentence"),
    [
        ("model.json", lambda content: content[:-30], "is not valid JSON"),
        ("model.json", lambda _content: b"[1]", "does not describe a classifier"),
        ("model.json", without_key, "does not describe a classifier"),
        ("model.json", with_other_width, "does not fit"),
        ("model.json", None, "has no model.json"),
        ("best.safetensors", lambda content: content[:-30], "cannot be read"),
        ("best.safetensors", lambda content: content[:3], "cannot be read"),
        ("best.safetensors", None, "has no best.safetensors"),
        ("config.yaml", None, "is not a run folder"),
    ],
)
def test_a_corrupt_run_folder_is_reported_in_one_sentence(
    name: str,
    spoil: Callable[[bytes], bytes] | None,
    sentence: str,
    finished: Path,
    tmp_path: Path,
    spectra: Callable[..., Path],
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(finished, broken)
    if spoil is None:
        (broken / name).unlink()
    else:
        (broken / name).write_bytes(spoil((broken / name).read_bytes()))
    with pytest.raises(UserError, match=sentence) as error:
        predict(broken, spectra(), tmp_path / "out.csv")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("config.yaml", "", "holds no config"),
        ("config.yaml", "[1, 2]", "holds no config"),
        ("config.yaml", "seed: 3\nschedule: {stages", "cannot be read"),
        pytest.param("config.yaml", "[" * 5000, "cannot be read", marks=pytest.mark.slow),
        ("config.yaml", "data: 5\n", "data=5 needs a name|data=5"),
        ("config.yaml", "data: {name: [a]}\n", "data"),
        ("config.yaml", "schedule: 5\n", "schedule=5 of a stored config is not a mapping"),
        ("config.yaml", "schedule: {stages: 5}\n", "stages=5 of a stored config is not a list"),
        ("config.yaml", "schedule: {stages: [5]}\n", "stages.0=5 of a stored config is not a mapping"),
        ("result.json", '{"survey": 5}', "survey is not a mapping"),
        ("result.json", "{", "cannot be read"),
    ],
)
def test_an_evaluation_of_a_corrupt_run_folder_ends_in_one_sentence(
    name: str, content: str, sentence: str, finished: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(finished, broken)
    (broken / name).write_text(content)
    with pytest.raises(UserError, match=sentence) as error:
        evaluate(broken)
    assert "\n" not in str(error.value)


def test_a_seed_that_is_no_number_is_named(finished: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(finished, broken)
    text = (broken / "config.yaml").read_text()
    (broken / "config.yaml").write_text(re.sub(r"(?m)^seed: .*", "seed: abc", text))
    with pytest.raises(UserError, match="seed=abc is not a whole number"):
        evaluate(broken)


@pytest.mark.parametrize("value", ["${oc.env:SPECTRAL_SECRET}", "${oc.decode:5}", "${seed}"])
def test_interpolations_in_the_config_of_a_run_are_not_resolved(
    value: str, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder from elsewhere could have an environment variable printed."""
    monkeypatch.setenv("SPECTRAL_SECRET", "hidden")
    broken = tmp_path / "broken"
    shutil.copytree(finished, broken)
    text = (broken / "config.yaml").read_text()
    (broken / "config.yaml").write_text(re.sub(r"folder: .*", f"folder: {value}", text))
    with pytest.raises(UserError, match="is an interpolation, which no run writes") as error:
        evaluate(broken)
    assert "hidden" not in str(error.value)


def test_a_run_folder_does_not_choose_where_the_cache_is(spectra: Callable[..., Path], tmp_path: Path) -> None:
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    data = ["data=arrays", f"data.path={spectra()}", "data.num_workers=1", f"cache_dir={theirs}"]
    run([*data, f"run_dir={tmp_path / 'run'}", *OVERRIDES])
    shutil.rmtree(theirs)
    evaluate(tmp_path / "run", f"cache_dir={ours}")
    assert not theirs.exists() and any(ours.iterdir())
