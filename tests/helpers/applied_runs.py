"""Commands that apply a run, called in a test's process."""

import importlib
from pathlib import Path
from typing import Any

import numpy as np
from small_runs import arrays, composed

NUM = 50  # spectra that a run is applied to; not a multiple of the batch size
BATCH = "evaluate_batch_size=16"
SMALL_PARTS = ("rows_per_part=8", "data.rows_per_part=3")
ON_CPU = ("device=cpu", "precision=float32", "kernel=torch", BATCH)


def command(name: str, *overrides: str) -> None:
    """Call a command's main function as Hydra would, with a composed config."""
    main = importlib.import_module(f"spectral.{name}").main
    # Below the two decorators: Hydra's, which reads the command line, and the one that ends the process.
    main.__wrapped__.__wrapped__(composed(overrides, name))


def predict(run_folder: Path, data: Path, out: Path, *more: str) -> None:
    cache = f"cache_dir={out.parent / 'cache'}"
    worker = "data.num_workers=1"
    command(
        "predict", f"run={run_folder}", "data=arrays", f"data.path={data}", f"out={out}", cache, worker, *ON_CPU, *more
    )


def evaluate(run_folder: Path, *overrides: str) -> None:
    command("evaluate", f"run={run_folder}", *ON_CPU, *overrides)


def with_bad_spectra() -> dict[str, Any]:
    """50 spectra of which rows 3 and 20 are not finite and row 41 has no good pixel."""
    content = arrays(num=NUM, seed=5)
    content["flux"][[3, 20], 7] = np.nan
    return content | {"mask": np.tile((np.arange(NUM) == 41)[:, None], (1, 96))}


def hidden(folder: Path) -> list[str]:
    """What is left next to the files, but for locks."""
    return sorted(path.name for path in folder.glob(".*") if not path.name.endswith(".lock"))
