"""From a reader's spectra to a packed survey on disk."""
