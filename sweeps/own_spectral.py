"""Check that `import spectral` finds this product. Spectral Python, another library, has the same import name."""

import sys
from importlib.util import find_spec
from pathlib import Path

MARK = "spectral-sweeps"  # the name of our distribution; spectral/__init__.py holds it
EXIT_MISTAKE = 2


def require_own_spectral() -> None:
    """End the process with one sentence if Python would import another library named `spectral`.

    Call this before anything is imported from `spectral`. It reads one file and imports nothing.
    """
    spec = find_spec("spectral")
    found = spec.origin if spec else None
    if found is None or MARK in Path(found).read_text(encoding="utf-8"):
        return
    print(
        f"error: {found} is another library with the name spectral, found in place of this one: "
        "remove it with `python -m pip uninstall spectral`, then install this one again with "
        "`python -m pip install --editable .` in its checkout.",
        file=sys.stderr,
    )
    sys.exit(EXIT_MISTAKE)
