"""The test split of an ensemble whose members held it back: scored once, with weights and rule as they are."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from spectral.configs.commands import EvaluateConfig
from spectral.errors import UserError
from spectral.files import write_parquet
from spectral.inference.evaluation import evaluate
from spectral.runs.folder import RunFolder
from spectral.survey import Survey

AS_TRAINED = "device", "precision", "num_threads", "kernel", "evaluate_batch_size", "cache_dir"  # keys of the config


def score_test(path: Path, device: str | None = None) -> dict[str, Any]:
    """The result of an ensemble with its test scores, which are then in its folder too; result.json is written last.

    The networks run as its first member's did, whose config it has, but for a kernel that this machine may not have. If
    another process has scored it by now, its scores are given: the test split is read once.

    Args:
        device: that the networks run on; None: that of the config.

    Raises:
        UserError: the data or the device is not there, or it has no test split, or has changed since the ensemble was
            made.
        InUseError: another process is making the ensemble, or scores it.
    """
    folder = RunFolder.existing(path)
    with folder.locked():
        result = folder.load_result() or {}
        return result if result.get("score_test") else _scored(folder, result, device)


def _scored(folder: RunFolder, result: dict[str, Any], device: str | None) -> dict[str, Any]:
    """Score the test split of an ensemble; returns its result with the scores."""
    config = folder.load_config()
    given = {key: config[key] for key in AS_TRAINED} | ({"device": device} if device else {})
    if given["kernel"] == "native":  # of the machine of the run, and perhaps in bfloat16: this one may have neither
        given |= {"kernel": "auto"} | ({"precision": "auto"} if given["precision"] == "bfloat16" else {})
    found = evaluate(EvaluateConfig(run=str(folder.path), on="test", **given))
    if not found.is_own:
        raise UserError(f"the survey has changed since the runs in {folder.path}: its test split is no longer there.")
    held = folder.load_predictions()
    write_parquet(folder.predictions, pd.concat([held[held["split"] != "test"], found.predictions], ignore_index=True))
    folder.write_config(config | {"score_test": True})
    scores = {name: value for name, value in found.result.items() if name.startswith(f"{found.key}/")}
    result |= {**scores, "confusion": result["confusion"] | found.result["confusion"], "score_test": True}
    folder.write_result(result)
    return result


def has_test(path: Path) -> bool:
    """Whether a run has scored a test split or holds one back; True too if its folder does not tell.

    Raises:
        UserError: its files cannot be read.
    """
    folder = RunFolder(path)
    result = folder.load_result()
    if result is None:
        return True
    if result["score_test"]:
        return bool(result.get("test/num_spectra"))
    split = folder.load_config().get("split")
    share = split.get("test") if isinstance(split, Mapping) else None
    return share > 0 if isinstance(share, int | float) else _has_given_test(result)


def _has_given_test(result: Mapping[str, Any]) -> bool:
    """The same of a run with the split of its data, by its pack."""
    try:
        survey = Survey.open(result["survey"].get("folder", ""), ["class_index", "split"])
    except UserError:
        return True
    return bool((survey.labels[survey.indices("test")] >= 0).any())
