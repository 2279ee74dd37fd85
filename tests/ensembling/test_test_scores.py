"""The test split of an ensemble, scored later."""

import json
import shutil
from pathlib import Path

import pytest

from spectral.ensembling.test_scores import score_test
from spectral.errors import UserError


def test_data_is_known_by_the_fingerprint_that_an_earlier_version_had_of_it(
    ensemble: Path, pack_folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(ensemble, tmp_path / "out")
    file, scored = tmp_path / "out" / "result.json", json.loads((ensemble / "result.json").read_text())
    former = json.loads((pack_folder / "survey.json").read_text())["former_fingerprint"]
    for fingerprint in ("of other data", former):
        survey = scored["survey"] | {"fingerprint": fingerprint}
        held = {key: value for key, value in scored.items() if not key.startswith("test/")}
        file.write_text(json.dumps(held | {"survey": survey, "score_test": False}))
        if fingerprint == former:
            result = score_test(tmp_path / "out")
            assert result["score_test"] and result["test/macro_f1"] == pytest.approx(scored["test/macro_f1"])
        else:
            with pytest.raises(UserError, match="the survey has changed since the runs in"):
                score_test(tmp_path / "out")
