"""Data that a user has let into a study alongside that of its first trials (`sweep.accept_changed_data`)."""

from optuna.study import Study

from sweeps.study.attributes import ACCEPTED_DATA


def accepted_data(study: Study) -> list[str]:
    """The fingerprints of that data."""
    return sorted(name.removeprefix(ACCEPTED_DATA) for name in study.user_attrs if name.startswith(ACCEPTED_DATA))


def accept_data(study: Study, fingerprint: str) -> None:
    study.set_user_attr(f"{ACCEPTED_DATA}{fingerprint}", True)
