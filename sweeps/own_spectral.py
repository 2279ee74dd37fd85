"""Is the `spectral` that Python would import our own? Spectral Python, another library, has the same import name."""

import sys
from importlib.util import find_spec
from pathlib import Path

MARK = "spectral-sweeps"  # our distribution's name, which spectral/__init__.py holds
EXIT_MISTAKE = 2


def require_own_spectral() -> None:
    """End the process with one sentence if another library stands in the place of our `spectral`.

    Call it before anything is imported from `spectral`: only its first file is read, nothing is imported.
    """
    spec = find_spec("spectral")
    found = spec.origin if spec else None
    if found is None or MARK in Path(found).read_text(encoding="utf-8"):
        return
    print(
        f"error: {found} is another library of the name spectral, in place of this one: "
        "remove it with `python -m pip uninstall spectral`, then install this one again with "
        "`python -m pip install --editable .` in its checkout.",
        file=sys.stderr,
    )
    sys.exit(EXIT_MISTAKE)
