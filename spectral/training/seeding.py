"""PyTorch's random numbers, which a resumed run draws again."""

import numpy as np
import torch


def seed_torch(seed: int, epoch: int) -> None:
    """Dropout and initial weights (epoch 0) depend on the seed and the epoch's number alone."""
    torch.manual_seed(int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0]))
