"""Scores of simple classifiers on the simulated survey, also from signal-to-noise or flux scale alone.

    python benchmarks/simulated_baselines.py            # the default survey; about two minutes on one core

Splits by object: a fifth of the objects are the test set. Prints macro-F1 and F1 per class.
"""

import argparse
import time

import numpy as np
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from spectral.configs.data import readers
from spectral.configs.simulated import SimulatedConfig

CLASSES = list(SimulatedConfig().class_names or [])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--num", type=int, default=SimulatedConfig().num_spectra, help="spectra in the survey")
    num_spectra = parser.parse_args().num

    reader = readers.build(readers.typed({"name": "simulated", "num_spectra": num_spectra}))
    catalog = reader.catalog()
    start = time.perf_counter()
    flux = np.concatenate(reader.read(np.arange(num_spectra)).flux)  # [N, 2600]
    print(f"{num_spectra / (time.perf_counter() - start):.0f} spectra/s in one process\n")
    print(catalog.groupby("label")["snr"].describe(percentiles=[0.05, 0.25, 0.5, 0.75, 0.95]).round(1), "\n")

    level = np.median(np.abs(flux), axis=1, keepdims=True)
    bins = (flux / level).reshape(len(flux), 130, 20).mean(axis=2)
    labels, groups = catalog["label"].to_numpy(), catalog["group"].to_numpy()
    train, test = next(GroupShuffleSplit(1, test_size=0.2, random_state=0).split(flux, labels, groups))
    parts = PCA(40, random_state=0).fit(np.clip(flux / level, -5, 10)[train])
    scores = parts.transform(np.clip(flux / level, -5, 10))
    boosted = HistGradientBoostingClassifier(max_iter=100, random_state=0)
    balanced = HistGradientBoostingClassifier(max_iter=30, class_weight="balanced", random_state=0)
    forest = RandomForestClassifier(300, random_state=0)
    linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500, C=0.1))
    for name, features, model in (
        ("log S/N alone, boosted, balanced", np.log(catalog[["snr"]].to_numpy()), balanced),
        ("log flux scale alone, boosted, balanced", np.log(level), balanced),
        ("130 bins, logistic", bins, linear),
        ("40 principal components, logistic", scores, linear),
        ("130 bins, random forest", bins, forest),
        ("40 principal components, random forest", scores, forest),
        ("130 bins, boosted", bins, boosted),
    ):
        guess = model.fit(features[train], labels[train]).predict(features[test])
        each = f1_score(labels[test], guess, labels=CLASSES, average=None, zero_division=0)
        details = "  ".join(f"{label} {value:.3f}" for label, value in zip(CLASSES, each, strict=True))
        print(f"{name:40s} macro-F1 {each.mean():.3f}   {details}", flush=True)


if __name__ == "__main__":
    main()
