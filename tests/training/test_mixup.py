"""Mixtures of two spectra and their loss. B batch, C channels, L length, K classes."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from small_runs import composed
from torch.nn.functional import cross_entropy, log_softmax, one_hot

from spectral.builders import training_settings
from spectral.configs.root import typed
from spectral.errors import UserError
from spectral.training.mixup import mix


@pytest.mark.parametrize("within", [False, True])
def test_a_mixture_is_its_share_of_both_spectra(within: bool) -> None:
    torch.manual_seed(0)
    channels, target = torch.randn(64, 2, 30), torch.randint(0, 3, (64,))
    found = mix(channels, None, target, alpha=0.5, within=within)
    assert 0 < found.share < 1 and found.padding is None
    rest = (found.channels - found.share * channels) / (1 - found.share)
    # Which spectrum the partner is, by the distance to each.
    other = torch.cdist(rest.flatten(1), channels.flatten(1)).argmin(1)
    torch.testing.assert_close(rest, channels[other], atol=1e-3, rtol=1e-3)
    assert torch.equal(found.partner, target[other])
    assert sorted(other.tolist()) == list(range(64))  # each is a partner once
    assert torch.equal(found.partner, target) == within


def test_the_loss_is_that_of_the_mixed_labels() -> None:
    torch.manual_seed(1)
    target, logits = torch.randint(0, 3, (16,)), torch.randn(16, 3)
    found = mix(torch.randn(16, 1, 5), None, target, alpha=1.0, within=False)
    labels = found.share * one_hot(target, 3) + (1 - found.share) * one_hot(found.partner, 3)
    expected = -(labels * log_softmax(logits, 1)).sum(1).mean()
    torch.testing.assert_close(found.loss(cross_entropy, logits, target), expected)


def test_a_mixture_is_padding_only_where_both_are() -> None:
    torch.manual_seed(0)
    padding = torch.arange(6) >= torch.tensor([[2], [4]])
    found = mix(torch.randn(2, 1, 6), padding, torch.tensor([0, 1]), alpha=1.0, within=False)
    assert found.padding is not None
    assert torch.equal(found.padding, padding & padding[found.partner])


def test_the_share_has_the_spread_of_its_distribution() -> None:
    torch.manual_seed(0)
    channels, target = torch.zeros(2, 1, 1), torch.tensor([0, 1])
    shares = torch.tensor([mix(channels, None, target, alpha=0.2, within=False).share for _ in range(3000)])
    assert abs(float(shares.mean()) - 0.5) < 0.03
    assert abs(float(shares.var()) - 0.25 / (2 * 0.2 + 1)) < 0.01  # of Beta(a, a)


def test_at_the_least_alpha_nearly_all_shares_are_near_0_or_1() -> None:
    """Below it both of the numbers that a share is made of may be too small for float32, and the share is then 1/2."""
    torch.manual_seed(0)
    channels, target = torch.zeros(2, 1, 1), torch.tensor([0, 1])
    shares = torch.tensor([mix(channels, None, target, alpha=0.01, within=False).share for _ in range(3000)])
    assert not (shares == 0.5).any()
    # 4.5 % of Beta(.01, .01) lie between .01 and .99, of 3,000 shares with a standard deviation of .4 %.
    assert abs(float(((shares > 0.01) & (shares < 0.99)).float().mean()) - 0.0448) < 0.016
    with pytest.raises(UserError, match=r"schedule\.mixup_alpha=0\.001 is out of range.* 0\.01"):
        typed(composed(["run_dir=run", "schedule.mixup_alpha=0.001"]))


@pytest.mark.parametrize(("given", "within"), [("within", True), ("across", False)])
def test_the_trainer_mixes_as_the_config_says(given: str, within: bool) -> None:
    config = typed(composed(["run_dir=run", "schedule.mixup_alpha=0.3", f"schedule.mixup_classes={given}"]))
    dataset: Any = SimpleNamespace(digest="", former_digest=None)
    settings = training_settings(config, dataset)
    assert (settings.mixup_alpha, settings.mixup_within) == (0.3, within)
