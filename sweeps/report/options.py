"""What a reader of the report may ask for on its command line."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """The options of a report.

    Args:
        max_spectra: at most so many spectra in the browser; 0 leaves it out.
        saliency: whether to load the best run's network, which needs torch, for what its decisions rest on.
    """

    max_spectra: int = 300
    saliency: bool = True
