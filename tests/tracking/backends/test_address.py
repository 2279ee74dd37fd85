"""Addresses without passwords."""

import pytest

from spectral.tracking.backends.address import without_password


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://me:hidden@host:5000/#/runs/abc", "http://host:5000/#/runs/abc"),
        ("postgresql://me@host/runs", "postgresql://host/runs"),
        ("sqlite:////home/a@b/my runs/mlflow.db", "sqlite:////home/a@b/my runs/mlflow.db"),
        ("", ""),
    ],
)
def test_a_user_and_a_password_are_left_out(address: str, shown: str) -> None:
    assert without_password(address) == shown
