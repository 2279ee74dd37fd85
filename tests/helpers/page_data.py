"""Small files of the names that the README's commands have."""

from pathlib import Path

import numpy as np
import pandas as pd
from small_runs import arrays

NUM_NEW = 12


def write(folder: Path) -> None:
    """survey.npz and the like: 120 spectra of 96 pixels with labels, NUM_NEW without."""
    known, new = arrays(seed=0), arrays(NUM_NEW, seed=1)
    named = {"flux": known["flux"], "wave": known["wave"], "id": known["id"], "type": known["label"]}
    np.savez(folder / "survey.npz", **named)
    np.savez(folder / "other.npz", **named)
    np.savez(folder / "new.npz", flux=new["flux"], wave=new["wave"], id=new["id"])
    np.save(folder / "flux.npy", known["flux"])
    table = pd.DataFrame({"id": known["id"], "type": known["label"]})
    table.to_csv(folder / "labels.csv", index=False)
    table.to_csv(folder / "train_index.csv", index=False)
    table[["id"]].head(NUM_NEW).to_csv(folder / "test.csv", index=False)
    for name, ids, flux in (("train", known["id"], known["flux"]), ("test", known["id"][:NUM_NEW], new["flux"])):
        (folder / name).mkdir()
        for key, row in zip(ids, flux, strict=True):
            (folder / name / f"{key}.txt").write_text(",".join(f"{value:.5g}" for value in row))
    series = pd.DataFrame(known["flux"])
    series.insert(0, "label", known["label"])
    for name in ("TRAIN", "TEST"):
        series.to_csv(folder / f"Coffee_{name}.tsv", sep="\t", index=False, header=False)
