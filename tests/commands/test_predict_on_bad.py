"""`spectral.predict on_bad=error` after commands that skipped bad spectra."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from applied_runs import NUM, SMALL_PARTS, predict, with_bad_spectra

from spectral.errors import UserError
from spectral.prediction.work import Work

ONLY_BAD = 41  # of the last shard of three


def test_a_bad_spectrum_in_a_part_that_is_made_stops_the_command_before_it_makes_more(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, out = spectra(mask=np.tile((np.arange(NUM) == ONLY_BAD)[:, None], (1, 96))), tmp_path / "cat.csv"
    predict(finished, data, out, *SMALL_PARTS, "shards=3", "shard=2")
    with monkeypatch.context() as patched:
        patched.setattr(Work, "write", None)  # no part is made
        for shards in ((), ("shards=3", "shard=0")):
            with pytest.raises(UserError, match="Spectrum s041: no good pixel; on_bad=skip leaves it without a class"):
                predict(finished, data, out, *SMALL_PARTS, "on_bad=error", *shards)
    predict(finished, data, out, *SMALL_PARTS)
    assert out.exists()


def test_a_finished_file_with_bad_spectra_is_refused_and_stays(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = tmp_path / "bad.csv", tmp_path / "good.csv"
    data = spectra(**with_bad_spectra())
    predict(finished, data, bad)
    before = bad.read_bytes()
    sentence = r"bad\.csv is finished and has spectra without a class \(2 flux not finite, 1 no good pixel\)"
    with pytest.raises(UserError, match=sentence):
        predict(finished, data, bad, "on_bad=error")
    assert bad.read_bytes() == before
    data = spectra()
    predict(finished, data, good)
    predict(finished, data, good, "on_bad=error")
    with monkeypatch.context() as patched:
        patched.setattr(Work, "repeated_id", lambda _: "s004")  # readers of arrays refuse such data
        predict(finished, data, good, "overwrite=true")
    with pytest.raises(UserError, match=r"good\.csv is finished and has the id s004 more than once; on_bad=skip keeps"):
        predict(finished, data, good, "on_bad=error")
