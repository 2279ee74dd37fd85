"""Reconstruct masked pixels: a training of a network's body that needs no labels.

B batch, C channels, L length, F filters.

Source: He et al. 2022, "Masked autoencoders are scalable vision learners" (CVPR), after Devlin et al. 2019, "BERT"
(NAACL). Of galaxy spectra: Parker et al. 2024, "AstroCLIP" (arXiv 2310.03024), which masks sections too.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from spectral.models.blocks import Dropout, glorot_
from spectral.models.padding import open_spectra

BODY = "network."  # begins the names of the weights that a classifier takes over
LARGEST_ERROR = 1.0  # beyond it the loss grows as the error itself, not as its square: cosmic rays do not dominate


class Decoder(nn.Module):
    """The head that is thrown away: last activations [B, F, 1, L / stride] to pixels [B, C, L].

    A 1x1 convolution gives each position `stride` pixels of each channel.
    """

    kind = "decoder"

    def __init__(self, num_filters: int, num_channels: int, stride: int) -> None:
        super().__init__()
        self.num_channels = num_channels
        self.pixels = nn.Conv2d(num_filters, num_channels * stride, 1)
        glorot_(self)

    def forward(self, x: Tensor, _padding: Tensor | None = None) -> Tensor:
        # In float32, as the heads of classifiers: bfloat16 has two or three digits.
        with torch.autocast(x.device.type, enabled=False):
            pixels: Tensor = self.pixels(x.float())
            B, _, _, num_positions = pixels.shape
            by_position = pixels.view(B, self.num_channels, -1, num_positions).transpose(2, 3)
            return by_position.flatten(2)


class MaskedPixels(nn.Module):
    """Masks spans of spectra at random, and compares what the network makes of them with what was there.

    The network's own head is replaced by a decoder, and its dropout is turned off: it takes whole positions.

    Args:
        network: with a module `head`, called with activations [B, F, 1, L / stride] whose stride is a power of two.
        num_channels, length: C, L.
        span_pixels: pixels that are masked in a row.
        masked_fraction: share of the pixels that is masked, rounded to whole spans.

    Raises:
        ValueError: the network is none of this kind.
    """

    def __init__(
        self, network: nn.Module, *, num_channels: int, length: int, span_pixels: int, masked_fraction: float
    ) -> None:
        super().__init__()
        num_filters, stride = _last_activations(network, num_channels, length)
        network.head = Decoder(num_filters, num_channels, stride)
        for module in network.modules():
            if isinstance(module, Dropout):
                module.rate = 0.0
        self.network = network
        self.span_pixels, self.masked_fraction = span_pixels, masked_fraction
        self.receptive_field = getattr(network, "receptive_field", "unknown")

    def forward(self, channels: Tensor, mask: Tensor | None = None) -> Tensor:
        """The Huber loss summed over each spectrum's masked good pixels, and their number: [B, 2].

        Of several channels the loss is the mean. Other masks are drawn at each call.

        Args:
            channels: [B, C + 1, L]; the last is 1 where a pixel was measured and 0 where it was not.
            mask: [B, L], True = padding; None if no pixel is.
        """
        # The network aligns padded spectra; what it makes is compared with what is aligned likewise.
        opened, padding = open_spectra(channels, mask)
        opened, padding = opened.squeeze(2), None if padding is None else padding.flatten(1)
        pixels, was_measured = opened[:, :-1], opened[:, -1] > 0
        num_pixels = was_measured.new_full((len(opened),), opened.shape[2], dtype=torch.long)
        num_pixels = num_pixels if padding is None else (~padding).sum(dim=1)
        masked = draw_spans(num_pixels, opened.shape[2], self.span_pixels, self.masked_fraction)
        made = self.network(pixels.masked_fill(masked[:, None], 0), padding)
        length = made.shape[2]  # the last pixels, of which pooling leaves no position, are not made
        error = functional.huber_loss(made, pixels[..., :length], reduction="none", delta=LARGEST_ERROR).mean(dim=1)
        counts = (masked & was_measured)[:, :length]
        return torch.stack([error.where(counts, 0).sum(dim=1), counts.sum(dim=1)], dim=1)


class MeanOfPixels(nn.Module):
    """The mean over the masked pixels of a batch: sums and numbers [B, 2] of `MaskedPixels` -> scalar."""

    def forward(self, sums: Tensor, _target: Tensor | None = None) -> Tensor:
        loss, num_pixels = sums.sum(dim=0)
        mean: Tensor = loss / num_pixels.clamp(min=1)
        return mean


def draw_spans(num_pixels: Tensor, length: int, span_pixels: int, masked_fraction: float) -> Tensor:
    """Which pixels are masked, [B, L] bool: some spans, drawn at random, of a grid that begins at random.

    Of each spectrum it is the same share, at least one span and not all; of one within a single span it is none.

    Args:
        num_pixels: [B], of each spectrum, which begins at pixel 0.
        length: L.
    """
    device, num_pixels = num_pixels.device, num_pixels[:, None]
    start = torch.randint(span_pixels, num_pixels.shape, device=device)
    span = (torch.arange(length, device=device) + start) // span_pixels  # of each pixel
    num_spans = (num_pixels + start + span_pixels - 1) // span_pixels
    num_masked = (masked_fraction * num_spans).round().clamp(min=1).minimum(num_spans - 1)
    most = (length - 2) // span_pixels + 2
    order = torch.rand(len(num_pixels), most, device=device)
    order = order.masked_fill(torch.arange(most, device=device) >= num_spans, 2)  # behind the end: never masked
    is_masked = order.argsort(dim=1).argsort(dim=1) < num_masked
    return is_masked.gather(1, span)


def _last_activations(network: nn.Module, num_channels: int, length: int) -> tuple[int, int]:
    """Filters and stride of what a network's head is given."""
    head = getattr(network, "head", None)
    if not isinstance(head, nn.Module):
        raise ValueError("its network has no module head, which a decoder could replace")
    shapes: list[list[int]] = []
    was_training = network.training
    with torch.no_grad(), head.register_forward_pre_hook(lambda _, given: shapes.append(list(given[0].shape))):
        network.eval()(torch.zeros(1, num_channels, length))
    network.train(was_training)
    shape = shapes[0] if shapes else []
    if len(shape) != 4 or shape[2] != 1:
        raise ValueError(f"its head is given activations of shape {shape}, and a decoder needs positions: [B, F, 1, l]")
    strides = [2**n for n in range(length.bit_length()) if length >> n == shape[3]]
    if not strides:
        raise ValueError(f"it makes {shape[3]} positions of {length} pixels, and a decoder needs a power of two each")
    return shape[1], strides[0]
