"""Classes of which so few spectra were scored that their F1 is hardly known. Light: the report says it too."""

from collections.abc import Mapping

FEW = 10


def few_spectra(counts: Mapping[str, int], where: str) -> str:
    """A sentence that names the classes with 1 to 9 scored spectra; empty if there are none.

    Args:
        counts: scored spectra by class.
        where: what was scored, such as "test".
    """
    few = [f"{name} ({count})" for name, count in counts.items() if 0 < count < FEW]
    if not few:
        return ""
    return (
        f"Few spectra in {where}: {', '.join(few)}. F1 of a class with fewer than {FEW} spectra is hardly known; the "
        "interval allows for that."
    )
