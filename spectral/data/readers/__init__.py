"""One source of spectra per file or folder; `contract.py` says what each must offer."""
