"""The weights of another network that a network can start from."""

from typing import Any

import pytest
import torch
from torch import nn

from spectral.configs.models import models
from spectral.training.initial_weights import body_misfit, has_rows_by_class, head_fits, load_weights

SIZES = {"num_channels": 1, "num_classes": 2, "length": 64}


def network(name: str, seed: int, **changes: Any) -> nn.Module:
    torch.manual_seed(seed)
    options = {key: changes.pop(key) for key in list(changes) if key not in SIZES}
    built: nn.Module = models.build(models.typed({"name": name, **options}), **{**SIZES, **changes})
    return built.eval()


@pytest.mark.parametrize("name", models.names)
def test_a_network_with_all_weights_of_another_gives_its_logits(name: str) -> None:
    other, own = network(name, seed=1), network(name, seed=2)
    flux = torch.randn(3, 1, 64)
    assert not torch.equal(own(flux), other(flux))
    assert body_misfit(own, other.state_dict()) is None and head_fits(own, other.state_dict())
    load_weights(own, other.state_dict(), classes=[0, 1])
    assert torch.equal(own(flux), other(flux))


@pytest.mark.parametrize("name", models.names)
def test_without_the_head_the_body_is_that_of_the_other_network(name: str) -> None:
    other, own, fresh = (network(name, seed, num_classes=k) for seed, k in ((1, 2), (2, 4), (2, 4)))
    assert body_misfit(own, other.state_dict()) is None
    load_weights(own, other.state_dict(), classes=None)
    assert own(torch.randn(3, 1, 64)).shape == (3, 4)
    for key, tensor in own.state_dict().items():
        expected = fresh if key.startswith("head.") else other
        assert torch.equal(tensor, expected.state_dict()[key]), key


@pytest.mark.parametrize("name", models.names)
def test_classes_in_another_order_keep_their_logits_and_new_ones_have_fresh_weights(name: str) -> None:
    other, own, fresh = (network(name, seed, num_classes=k) for seed, k in ((1, 4), (2, 3), (2, 3)))
    assert head_fits(own, other.state_dict()) and has_rows_by_class(other.state_dict())
    load_weights(own, other.state_dict(), classes=[3, None, 0])
    flux = torch.randn(3, 1, 64)
    torch.testing.assert_close(own(flux)[:, [0, 2]], other(flux)[:, [3, 0]])
    assert torch.equal(own.state_dict()["head.logits.weight"][1], fresh.state_dict()["head.logits.weight"][1])


@pytest.mark.parametrize("kind", ["attention", "flatten", "max_average"])
def test_a_head_of_another_kind_does_not_fit(kind: str) -> None:
    other, own = network("reference", seed=1), network("reference", seed=2, head=kind)
    assert body_misfit(own, other.state_dict()) is None
    assert not head_fits(own, other.state_dict())


@pytest.mark.parametrize("changes", [{"num_channels": 2}, {"width": 4}, {"num_blocks": 2}, {"norm": "batch"}])
def test_a_body_of_other_sizes_does_not_fit(changes: dict[str, Any]) -> None:
    own, other = network("reference", seed=1), network("reference", seed=1, **changes)
    for pair in ((own, other), (other, own)):
        misfit = body_misfit(pair[0], pair[1].state_dict())
        assert misfit is not None and " there, " in misfit and not misfit.startswith("head.")


def test_a_misfit_names_the_weight_and_both_sizes() -> None:
    own, other = network("fcn", seed=1, widths=[6, 8, 8]), network("fcn", seed=1, widths=[6, 9, 8])
    misfit = body_misfit(own, other.state_dict())
    assert (
        misfit is not None and "9x6x" in misfit.partition(" there, ")[0] and "8x6x" in misfit.partition(" there, ")[2]
    )
