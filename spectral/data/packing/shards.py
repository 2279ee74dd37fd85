"""Which parts of a survey belong to a shard: `shards=N` divides packing and prediction among jobs."""

from collections.abc import Sequence

from spectral.data.packing.parts import Span
from spectral.errors import UserError


def shard_of(spans: Sequence[Span], num_shards: int, shard: int | None) -> list[Span]:
    """The parts of a shard, which are consecutive; those of all if `shard` is None."""
    if shard is None:
        return list(spans)
    return list(spans[shard * len(spans) // num_shards : (shard + 1) * len(spans) // num_shards])


def check_shards(num_shards: int, num_rows: int) -> None:
    """Raises UserError if there are more shards than spectra."""
    if num_shards > num_rows:
        raise UserError(f"shards={num_shards} is out of range: the data has {num_rows:,} spectra, give at most that.")
