"""A run brings its baseline with it: wherever it is applied, the baseline is removed as in training."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from applied_runs import ON_CPU, command
from small_runs import OVERRIDES, arrays, composed, result, run

from spectral import load_run
from spectral.configs.commands import EvaluateConfig, typed_command
from spectral.errors import UserError
from spectral.inference.evaluation import Evaluation, evaluate
from spectral.runs.folder import RunFolder


def scored(run_folder: Path, cache: Path, *data: str) -> Evaluation:
    given = [f"run={run_folder}", *ON_CPU, f"cache_dir={cache}", *data]
    return evaluate(typed_command(composed(given, "evaluate"), EvaluateConfig, ""))


def test_the_baseline_of_a_run_is_removed_by_evaluate_predict_and_from_python(
    tmp_path: Path, pack_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = arrays()
    content["flux"] += (20 + np.linspace(-4, 4, content["flux"].shape[1]) ** 2).astype(np.float32)
    np.savez(tmp_path / "s.npz", **content)
    data = ["data=arrays", f"data.path={tmp_path / 's.npz'}", "data.num_workers=1"]
    given = [*data, f"cache_dir={tmp_path / 'cache'}", *OVERRIDES, f"run_dir={tmp_path / 'run'}"]
    run([*given, "data.baseline={method:modpoly,poly_order:2}"])
    folder = RunFolder(tmp_path / "run")
    stored = folder.load_predictions().set_index("id")
    columns = [name for name in stored if name.startswith("probability/")]

    def check(table: pd.DataFrame) -> None:
        found = table.set_index("id").loc[stored.index, columns].astype(float)
        pd.testing.assert_frame_equal(found, stored[columns].astype(float), rtol=0, atol=1e-4)

    own = scored(folder.path, tmp_path / "cache", "on=validation").result
    assert own["val/macro_f1"] == pytest.approx(result(folder.path)["val/macro_f1"])
    check(scored(folder.path, tmp_path / "cache", *data).predictions)
    out = tmp_path / "out.parquet"
    command("predict", f"run={folder.path}", *ON_CPU, *data, f"out={out}", f"cache_dir={tmp_path / 'cache'}")
    check(pd.read_parquet(out))
    probabilities = load_run(folder.path, device="cpu", precision="float32").predict_proba(content["flux"])
    check(pd.DataFrame(probabilities, columns=columns).assign(id=content["id"]))

    sentence = (
        r"the data was made with data\.baseline\.method=%s, run=\S+ was trained with data\.baseline\.method=modpoly "
    )
    with pytest.raises(UserError, match=sentence % "none"):
        scored(folder.path, tmp_path / "cache", "data=packed", f"data.folder={pack_folder}")
    with pytest.raises(UserError, match=sentence % r"snip data\.baseline\.max_half_window=40"):
        scored(folder.path, tmp_path / "cache", *data, "data.baseline.method=snip")
