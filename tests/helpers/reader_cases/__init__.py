"""A small source for each reader, for the suite that all readers run (tests/data/readers/test_reader_contract.py)."""
