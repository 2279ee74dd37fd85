"""Fixtures of all network tests."""

from collections.abc import Callable
from typing import Any

import pytest
from network_variants import VARIANTS, build_network


@pytest.fixture
def build() -> Callable[..., Any]:
    return build_network


@pytest.fixture(params=VARIANTS)
def variant(request: pytest.FixtureRequest) -> str:
    return str(request.param)
