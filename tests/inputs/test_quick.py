"""Quicker ways of the CPU give what NumPy and PyTorch give."""

import numpy as np
import pytest
import seeds
import torch

from spectral.inputs import quick
from spectral.inputs.quick import arcsinh, kth_smallest, ordered


def test_values_are_ordered_as_by_torch() -> None:
    x = torch.randn(5, 2, 301, generator=seeds.generator(0))
    x[0, 0, :4] = torch.tensor([torch.inf, -torch.inf, torch.nan, 0.0])
    torch.testing.assert_close(ordered(x), x.sort(-1).values, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("num_threads", [1, 3])
def test_the_kth_smallest_is_that_of_the_ordered_values(num_threads: int) -> None:
    generator = seeds.generator(0)
    x = torch.randn(5, 2, 301, generator=generator)
    x[0, 0, :4] = torch.tensor([torch.inf, -torch.inf, torch.inf, 0.0])
    before, k = x.clone(), torch.randint(301, (5, 2, 1), generator=generator)
    k[0, 0], k[0, 1] = 300, 0
    torch.set_num_threads(num_threads)
    found = kth_smallest(x, k)
    torch.testing.assert_close(found, x.sort(-1).values.gather(-1, k), rtol=0, atol=0)
    assert torch.equal(x, before), "the values themselves were moved"


@pytest.mark.parametrize("by_numpy", [False, True])
def test_arcsinh_is_that_of_numpy_for_all_sizes(by_numpy: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "_numpy_has_arcsinh", lambda: by_numpy)
    sizes = np.concatenate([10.0 ** np.linspace(-37, 38, 4001), np.linspace(0, 30, 4001)]).astype(np.float32)
    x = np.concatenate([sizes, -sizes])
    np.testing.assert_allclose(arcsinh(torch.from_numpy(x)).numpy(), np.arcsinh(x.astype(np.float64)), rtol=5e-7)
    special = torch.tensor([torch.inf, -torch.inf, torch.nan])
    torch.testing.assert_close(arcsinh(special), special, equal_nan=True)


def test_gradients_pass_through_both() -> None:
    x = torch.tensor([[3.0, 0.0, -1.0]], requires_grad=True)
    (arcsinh(x).sum() + (ordered(x) * torch.tensor([1.0, 2.0, 3.0])).sum()).backward()
    expected = 1 / (1 + np.array([[3.0, 0.0, -1.0]]) ** 2) ** 0.5 + np.array([[3.0, 2.0, 1.0]])
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), expected, rtol=1e-6)
