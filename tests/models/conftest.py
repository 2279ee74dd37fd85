"""Fixtures of all network tests."""

import importlib
import os
from collections.abc import Callable
from typing import Any

import pytest
from network_variants import SLOW_VARIANTS, VARIANTS, build_network


@pytest.fixture(scope="session")
def keras() -> Any:
    """Keras on its torch backend; it takes seconds to import, so only those who compare with it wait."""
    os.environ["KERAS_BACKEND"] = "torch"
    return importlib.import_module("keras")


@pytest.fixture
def build() -> Callable[..., Any]:
    return build_network


@pytest.fixture(
    params=[pytest.param(name, marks=pytest.mark.slow if name in SLOW_VARIANTS else ()) for name in VARIANTS]
)
def variant(request: pytest.FixtureRequest) -> str:
    return str(request.param)
