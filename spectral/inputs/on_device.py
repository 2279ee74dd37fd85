"""What parts of the inputs hold, on the device of the spectra."""

import torch
from torch import Tensor, nn


def kept_on(module: nn.Module, name: str, device: torch.device, dtype: torch.dtype | None = None) -> Tensor:
    """A buffer of a module on a device, where it then stays: the host would wait for a copy at each step.

    Args:
        dtype: of the buffer there; None: as it is. Apple's GPUs have no float64.
    """
    buffer: Tensor = getattr(module, name)
    if buffer.device != device:
        with torch.inference_mode(False):  # a buffer of inference cannot be trained through
            buffer = buffer.to(dtype) if dtype else buffer
            is_sent = buffer.device.type == "cpu" and device.type == "cuda"
            buffer = (buffer.pin_memory() if is_sent else buffer).to(device, non_blocking=is_sent)
        setattr(module, name, buffer)
    return buffer
