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
    flux_columns: tuple[str, str] | None = None  # the first and the last
    header: bool | None = None
    wave_unit: str | None = None
    channels_last: bool | None = None
    wave_medium: str | None = None

    @property
    def catalog_keys(self) -> dict[str, str | None]:
        return {"id_key": self.id_key, "label_key": self.label_key, "group_key": self.group_key}

    def settings(self) -> Mapping[str, object]:
        """As JSON values."""
        labels = str(Path(self.labels).resolve()) if self.labels else None
        columns = None if self.flux_columns is None else list(self.flux_columns)
        values = {**dataclasses.asdict(self), "labels": labels, "extra": list(self.extra), "flux_columns": columns}
        if self.wave_medium is None:  # packs of versions without it stay as they are
            del values["wave_medium"]
        return values
