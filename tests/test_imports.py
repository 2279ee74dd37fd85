"""Garbage collection is as it was after a block of imports."""

import gc

import pytest

from spectral.imports import quick_imports


@pytest.mark.parametrize("is_on", [True, False], ids=["on", "off"])
def test_garbage_collection_is_off_meanwhile_and_then_as_before(is_on: bool) -> None:
    try:
        gc.enable() if is_on else gc.disable()
        with pytest.raises(ImportError), quick_imports():
            assert not gc.isenabled()
            raise ImportError
        assert gc.isenabled() == is_on
    finally:
        gc.enable()
