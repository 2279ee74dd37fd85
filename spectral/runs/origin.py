"""What every result can be traced back by: seed, spectra, machine, revision, versions."""

from typing import Any

from spectral.runs.provenance import git_revision, versions
from spectral.runtime import Runtime
from spectral.survey import Survey


def origin(seed: int, survey: Survey, runtime: Runtime) -> dict[str, Any]:
    """Keys of result.json, see docs/run-folder.md."""
    return {
        "seed": seed,
        "survey": {
            "fingerprint": survey.fingerprint,
            "folder": str(survey.folder),
            "num_spectra": len(survey),
            "length": survey.length,
            "num_channels": survey.num_channels,
            "class_names": list(survey.class_names),
            "skipped": dict(survey.skipped),
        },
        "runtime": {
            "device": str(runtime.device),
            "precision": runtime.precision,
            "num_threads": runtime.num_threads,
            "kernel": runtime.kernel,
        },
        "git_revision": git_revision(),
        "versions": versions(),
    }
