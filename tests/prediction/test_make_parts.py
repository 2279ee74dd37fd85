"""The parts that a command makes, with a network and data that are made up."""

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from spectral.configs.commands import PredictConfig
from spectral.errors import UserError
from spectral.prediction import make_parts
from spectral.prediction.work import Part, Work

NUM = 5


@pytest.mark.parametrize("on_bad", ["skip", "error"])
def test_threads_that_are_left_to_reading_are_back_at_the_end(
    on_bad: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def classified(*_: Any) -> Iterator[tuple[tuple[int, int], Part]]:
        seen.append(torch.get_num_threads())
        yield (0, NUM), Part(np.zeros((NUM, 2)), {2: "no good pixel"})

    made_up = {"classified": classified, "read_ahead": lambda *_: [], "reading_processes": lambda *_: 3}
    for name, function in made_up.items():
        monkeypatch.setattr(make_parts, name, function)
    runtime = SimpleNamespace(device=torch.device("cpu"), num_threads=4)
    run: Any = SimpleNamespace(runtime=lambda _: runtime, described=str, predictor=lambda *_: None)
    blocks: Any = None
    command = PredictConfig(run="", out="", data=SimpleNamespace(rows_per_part=1), on_bad=on_bad)
    work = Work(tmp_path / "cat.csv", {"rows_per_part": NUM})
    work.list_spectra([pa.table({"id": [f"s{row}" for row in range(NUM)]})])
    torch.set_num_threads(4)
    stops = pytest.raises(UserError, match="Spectrum s2: no good pixel") if on_bad == "error" else nullcontext()
    with stops:
        make_parts.make_parts(command, run, blocks, work)
    assert seen == [1] and torch.get_num_threads() == 4
