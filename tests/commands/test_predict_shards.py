"""`spectral.predict` in shards: each may be a job of its own, and who finds all parts joins them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from applied_runs import NUM, SMALL_PARTS, hidden, predict, with_bad_spectra

from spectral.errors import UserError


def test_shards_joined_equal_one_command(
    finished: Path,
    spectra: Callable[..., Path],
    tmp_path: Path,
    fixed_date: None,
    count_parts: list[tuple[int, int]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = spectra(**with_bad_spectra())
    more = (*SMALL_PARTS, "keep_columns=true", "reject=0.9", "priors=estimate")
    predict(finished, data, tmp_path / "one.parquet", *more)
    one = (tmp_path / "one.parquet").read_bytes()
    del count_parts[:]
    out = tmp_path / "cat.parquet"
    for shard in (2, 0, 0):  # in any order; one that is done does nothing
        predict(finished, data, out, *more, "shards=3", f"shard={shard}")
        assert not out.exists() and f"shard {shard} of 3 is done" in capsys.readouterr().out
    predict(finished, data, out, *more, "shards=3", "shard=1")  # who finds all parts joins them
    assert out.read_bytes() == one and len(count_parts) == 7
    assert hidden(tmp_path) == []


def test_shards_are_run_as_jobs_and_joined_and_one_that_is_done_is_not_run_again(
    finished: Path,
    spectra: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fixed_date: None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    parts = ("rows_per_part=20", "data.rows_per_part=3")
    data, out, ran = spectra(), tmp_path / "cat.csv", list[list[str]]()

    def run_jobs(_task: Any, jobs: list[list[str]], folder: Path, on_tick: Callable[[], None]) -> None:
        assert folder.parent == tmp_path
        for overrides in jobs:
            ran.append(overrides)
            predict(finished, data, out, *parts, *overrides)
            on_tick()

    monkeypatch.setattr("spectral.cli.jobs.run_jobs", run_jobs)
    predict(finished, data, tmp_path / "one.csv", *parts)
    predict(finished, data, out, *parts, "shards=3", "shard=1")
    predict(finished, data, out, *parts, "shards=3")
    assert ran == [[f"shard={n}", "shards=3", "overwrite=false"] for n in (0, 2)]
    assert out.read_bytes() == (tmp_path / "one.csv").read_bytes() and "a job for each" not in caplog.text
    predict(finished, data, out, *parts, f"shards={NUM}", "overwrite=true")
    assert len(ran) == 2 + 3 and "the data makes 3 parts of rows_per_part=20, a job for each" in caplog.text
    with pytest.raises(UserError, match="shards=99 is out of range: the data has 50 spectra"):
        predict(finished, data, out, *parts, "shards=99", "overwrite=true")
