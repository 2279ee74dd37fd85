"""What the user may say about a file of arrays."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ArrayOptions:
    """Names in the file, None for the usual ones; see ArraysConfig."""

    labels: str | None = None
    flux_key: str | None = None
    wave_key: str | None = None
    ivar_key: str | None = None
    mask_key: str | None = None
    id_key: str | None = None
    label_key: str | None = None
    group_key: str | None = None
    extra: tuple[str, ...] = ()

    @property
    def catalog_keys(self) -> dict[str, str | None]:
        return {"id_key": self.id_key, "label_key": self.label_key, "group_key": self.group_key}

    def settings(self) -> Mapping[str, object]:
        """As JSON values."""
        labels = str(Path(self.labels).resolve()) if self.labels else None
        return {**dataclasses.asdict(self), "labels": labels, "extra": list(self.extra)}
