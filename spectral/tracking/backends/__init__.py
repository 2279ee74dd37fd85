"""One tracker per file; `contract.py` says what each must offer."""
