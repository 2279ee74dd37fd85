"""Fixtures of all network tests."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from network_variants import VARIANTS, build_network


@pytest.fixture
def build() -> Callable[..., Any]:
    return build_network


@pytest.fixture(params=VARIANTS)
def variant(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(num_threads)
