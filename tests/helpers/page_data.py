"""Small files with the names in the README's commands."""

from pathlib import Path

import numpy as np
import pandas as pd
from small_runs import arrays

NUM_NEW = 12


def write(folder: Path) -> None:
    """Write survey.npz and the other files: 120 spectra of 96 pixels with labels, NUM_NEW without."""
    labelled, new = arrays(seed=0), arrays(NUM_NEW, seed=1)
    named = {"flux": labelled["flux"], "wave": labelled["wave"], "id": labelled["id"], "type": labelled["label"]}
    np.savez(folder / "survey.npz", **named)
    np.savez(folder / "other.npz", **named)
    np.savez(folder / "new.npz", flux=new["flux"], wave=new["wave"], id=new["id"])
    np.save(folder / "flux.npy", labelled["flux"])
    table = pd.DataFrame({"id": labelled["id"], "type": labelled["label"]})
    table.to_csv(folder / "labels.csv", index=False)
    table.to_csv(folder / "train_index.csv", index=False)
    table[["id"]].head(NUM_NEW).to_csv(folder / "test.csv", index=False)
    for name, ids, flux in (
        ("train", labelled["id"], labelled["flux"]),
        ("test", labelled["id"][:NUM_NEW], new["flux"]),
    ):
        (folder / name).mkdir()
        for key, row in zip(ids, flux, strict=True):
            (folder / name / f"{key}.txt").write_text(",".join(f"{value:.5g}" for value in row))
    series = pd.DataFrame(labelled["flux"])
    series.insert(0, "label", labelled["label"])
    for name in ("TRAIN", "TEST"):
        series.to_csv(folder / f"Coffee_{name}.tsv", sep="\t", index=False, header=False)
