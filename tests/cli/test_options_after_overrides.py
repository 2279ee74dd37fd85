"""Options of Hydra may stand after overrides on the command line."""

import pytest

from spectral.cli.run import overrides_last


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("a.b=4,8 -m c=1", "-m a.b=4,8 c=1"),
        ("+a=1 --config-dir there ~b --cfg job c=2 ++d=3", "--config-dir there --cfg job +a=1 ~b c=2 ++d=3"),
        ("-m a=1", "-m a=1"),
        ("a=1 --info", "--info=all a=1"),
        ("-i a=1 --cfg job", "--info=all --cfg job a=1"),
        ("a=1 --info defaults", "--info defaults a=1"),
        ("", ""),
    ],
)
def test_options_may_follow_overrides(given: str, expected: str) -> None:
    assert overrides_last(given.split()) == expected.split()
