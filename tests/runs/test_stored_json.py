"""A result.json that was changed is refused in one sentence that names what is wrong with it."""

import json
from pathlib import Path
from typing import Any

import pytest

from spectral.errors import UserError
from spectral.runs.folder import RunFolder

RESULT: dict[str, Any] = {
    "objective": "val/macro_f1",
    "val/macro_f1": 0.5,
    "val/macro_f1_low": 0.4,
    "val/macro_f1_high": 0.6,
    "val/num_spectra": 4,
    **{f"val/{metric}/{name}": 0.5 for metric in ("precision", "recall", "f1") for name in "ab"},
    **{f"val/num_spectra/{name}": 2 for name in "ab"},
    "best_epoch": 1,
    "confusion": {"val": [[1, 1], [1, 1]]},
    "score_test": True,
    "survey": {"class_names": ["a", "b"], "fingerprint": "f"},
}


def loaded(folder: Path, content: str) -> dict[str, Any] | None:
    (folder / "result.json").write_text(content)
    return RunFolder(folder).load_result()


def test_a_whole_result_is_read(tmp_path: Path) -> None:
    assert loaded(tmp_path, json.dumps(RESULT)) == RESULT


@pytest.mark.parametrize("content", ["", "{", json.dumps(RESULT)[:80], "[1]", "{}", "null", "[" * 100_000, "9" * 5000])
def test_a_half_or_nested_result_is_one_sentence(content: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"result\.json cannot be read: ") as error:
        loaded(tmp_path, content)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("objective", 5),
        ("objective", []),
        ("objective", {"a": 1}),
        ("val/macro_f1", "0.5"),
        ("val/f1/a", [0.5]),
        ("val/f1/a", -1),
        ("val/macro_f1", 1.01),
        ("val/num_spectra/a", -1),
        ("best_epoch", -1),
        ("best_epoch", "one"),
        ("score_test", "no"),
        ("survey", "s"),
        ("survey", {"class_names": "ab", "fingerprint": "f"}),
        ("survey", {"class_names": ["a", "b"], "fingerprint": 5}),
        ("confusion", [[1]]),
        ("confusion", {"val": [[1, 1]]}),
        ("confusion", {"val": [[1, "x"], [1, 1]]}),
    ],
)
def test_a_value_of_another_type_is_named(key: str, value: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"cannot be read: {key}.* is not "):
        loaded(tmp_path, json.dumps(RESULT | {key: value}))


@pytest.mark.parametrize("key", [key for key in RESULT if key != "val/macro_f1_low"])
def test_a_missing_key_is_named(key: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot be read: it lacks |cannot be read: confusion") as error:
        loaded(tmp_path, json.dumps({name: value for name, value in RESULT.items() if name != key}))
    assert key in str(error.value)


def test_a_class_may_have_the_name_of_a_metric(tmp_path: Path) -> None:
    more = {"val/num_spectra/accuracy": 20, "val/num_spectra/f1/x": 30, "train/loss": -1.5, "val/log_loss": 7.0}
    assert loaded(tmp_path, json.dumps(RESULT | more)) == RESULT | more
