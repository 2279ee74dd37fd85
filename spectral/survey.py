"""A packed survey: spectra as memory maps next to a table of what is known of each.

N spectra, C channels, L pixels.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectral.errors import UserError

# What every survey.json has, and how to know it.
ABOUT: dict[str, Callable[[Any], bool]] = {
    "format": lambda value: isinstance(value, int),
    "fingerprint": lambda value: isinstance(value, str),
    "class_names": lambda value: isinstance(value, list) and all(isinstance(name, str) for name in value),
    "wave_angstrom": lambda value: value is None or (isinstance(value, list) and all(map(_is_number, value))),
    "skipped": lambda value: isinstance(value, dict),
}
NEEDED_COLUMNS = ["id", "label", "class_index", "length"]  # of its catalog
FORMAT = 1  # of a pack on disk; a change that old packs cannot be read under raises it


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass(frozen=True, eq=False)
class Survey:
    """Spectra of one grid, with their catalog and classes. Nothing in it may be written to.

    The catalog has one row per spectrum, in the order of `flux`: `id` (text), `label` (text or missing), `class_index`
    (-1 if the label is missing), `length` (pixels before padding), and whatever else the source had: `split`,
    `group`, `snr`, `redshift`, ...
    """

    flux: NDArray[Any]  # [N, C, L] float32 or float16
    catalog: pd.DataFrame
    class_names: tuple[str, ...]
    ivar: NDArray[np.float32] | None = None  # inverse variance [N, C, L]
    mask: NDArray[np.bool_] | None = None  # [N, L]; True: bad pixel or padding
    wave_angstrom: NDArray[np.float64] | None = None  # [L]
    wave_unit: str | None = None  # that the source had them in, if the user or a file named it
    baseline: Mapping[str, Any] = field(
        default_factory=dict
    )  # how it was removed, see BaselineConfig; empty: it was not
    ivar_masks: bool | None = None  # whether a pixel without inverse variance is masked; None: no ivar, or not known
    fingerprint: str = ""  # digest of all of the above, but for the unit
    former_fingerprint: str | None = None  # of earlier versions for the same content; None: none
    folder: Path | None = None
    skipped: Mapping[str, int] = field(default_factory=dict)  # reason -> number of spectra left out in packing

    @classmethod
    def open(cls, folder: Path | str, columns: list[str] | None = None) -> "Survey":
        """Map a packed survey. All processes of a machine share one copy of it in memory.

        Args:
            columns: of the catalog that is read into memory; None: all.

        Raises:
            UserError: the folder holds no pack, one of another format, or one that is damaged: files are checked
                against the sizes, and where they were touched against the digests, that survey.json has of them.
        """
        folder = Path(folder).absolute()
        about = read_about(folder)
        if about is None:
            raise UserError(f"{folder} is not a packed survey: python -m spectral.pack makes one.")
        if about["format"] != FORMAT:
            raise UserError(f"{folder} is a pack of format {about['format']}, not {FORMAT}: pack the survey again.")
        for name, record in about.get("files", {}).items():
            _check_file(folder / name, record)
        wave, has_ivar = about["wave_angstrom"], (folder / "ivar.npy").exists()
        survey = cls(
            flux=_mapped(folder / "flux.npy"),
            catalog=_read_catalog(folder / "catalog.parquet", columns),
            class_names=tuple(about["class_names"]),
            ivar=_mapped(folder / "ivar.npy") if has_ivar else None,
            mask=_mapped(folder / "mask.npy") if (folder / "mask.npy").exists() else None,
            wave_angstrom=None if wave is None else np.asarray(wave, dtype=np.float64),
            wave_unit=about.get("wave_unit"),
            baseline=about.get("baseline", {}),
            ivar_masks=_ivar_masks(about) if has_ivar else None,
            fingerprint=about["fingerprint"],
            former_fingerprint=about.get("former_fingerprint"),
            folder=folder,
            skipped=about["skipped"],
        )
        survey._check_shapes(about)
        return survey

    def _check_shapes(self, about: Mapping[str, Any]) -> None:
        """Raises UserError if the files do not fit together, as after a part of them was copied from elsewhere."""
        num, length = len(self.catalog), self.flux.shape[-1]
        wanted = {
            "flux": (num, *self.flux.shape[1:]) if self.flux.ndim == 3 else (num, 1, length),
            "ivar": self.flux.shape,
            "mask": (num, length),
            "wave_angstrom": (length,),
        }
        for name, shape in wanted.items():
            array = getattr(self, name)
            if array is not None and array.shape != shape:
                raise _damaged(self.folder, f"{name} has shape {list(array.shape)}, the others ask for {list(shape)}")
        if about.get("num_spectra", num) != num:
            raise _damaged(self.folder, f"the catalog has {num} rows, not {about['num_spectra']}")
        if num and int(self.catalog["class_index"].max()) >= len(self.class_names):
            raise _damaged(self.folder, f"the catalog has more classes than the {len(self.class_names)} names")

    def __repr__(self) -> str:
        channels = f" in {self.num_channels} channels" if self.num_channels > 1 else ""
        classes = ", ".join(self.class_names) or "none"
        return f"Survey({len(self)} spectra of {self.length} pixels{channels}, classes {classes})"

    def __len__(self) -> int:
        return len(self.flux)

    @property
    def num_channels(self) -> int:
        return int(self.flux.shape[1])

    @property
    def length(self) -> int:
        """Pixels of a spectrum, padding included."""
        return int(self.flux.shape[2])

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    @property
    def labels(self) -> NDArray[np.int64]:
        """Class index of each spectrum [N], -1 if the label is missing."""
        return self.catalog["class_index"].to_numpy(np.int64)

    def is_of(self, fingerprint: str) -> bool:
        """Whether a fingerprint that was kept, perhaps by an earlier version, is that of these spectra."""
        return fingerprint in {self.fingerprint, self.former_fingerprint}

    def with_split(self, split: pd.Series) -> "Survey":
        """The same survey under another split: "train", "validation", "test" or "" for each row."""
        return dataclasses.replace(self, catalog=self.catalog.assign(split=split.to_numpy()))

    def indices(self, split: str) -> NDArray[np.int64]:
        """Rows of one split, in ascending order."""
        return np.flatnonzero((self.catalog["split"] == split).to_numpy())


def is_pack(folder: Path) -> bool:
    """Whether a folder holds a pack, whole or damaged: survey.json is written last."""
    return (folder / "survey.json").is_file()


def read_about(folder: Path) -> dict[str, Any] | None:
    """The content of a pack's survey.json, the file that is written last; None if there is no whole pack.

    Raises:
        UserError: the file is there, but is not what packing writes.
    """
    path = folder / "survey.json"
    try:
        content = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, RecursionError, OSError) as error:
        raise _damaged(folder, f"survey.json is not JSON ({type(error).__name__})") from error
    if not isinstance(content, dict):
        raise _damaged(folder, "survey.json holds no mapping")
    for name, is_right in ABOUT.items():
        if name not in content or not is_right(content[name]):
            raise _damaged(folder, f"survey.json has no usable '{name}'")
    if not all(isinstance(content.get(name, {}), dict) for name in ("plan", "baseline")) or not isinstance(
        content.get("num_spectra", 0), int
    ):
        raise _damaged(folder, "survey.json has no usable 'plan', 'baseline' or 'num_spectra'")
    if "files" in content and not _are_records(content["files"]):
        raise _damaged(folder, "survey.json has no usable 'files'")
    return content


def _ivar_masks(about: Mapping[str, Any]) -> bool | None:
    """The option of packing; None in a pack of a version that did not have it."""
    settings = about.get("plan", {}).get("settings")
    value = settings.get("ivar_masks") if isinstance(settings, dict) else None
    return value if isinstance(value, bool) else None


def file_record(path: Path) -> dict[str, Any]:
    """What survey.json keeps of a file, to find out later whether it is still the same."""
    status = path.stat()
    return {"size": status.st_size, "mtime_ns": status.st_mtime_ns, "digest": _digest(path)}


def _check_file(path: Path, record: Mapping[str, Any]) -> None:
    """Raises UserError if a file is not the one that was recorded. Its content is read only if it was touched."""
    try:
        status = path.stat()
    except OSError as error:
        raise _damaged(path.parent, f"{path.name} is missing") from error
    if status.st_size != record["size"]:
        raise _damaged(path.parent, f"{path.name} has {status.st_size:,} bytes, not {record['size']:,}")
    if status.st_mtime_ns == record["mtime_ns"]:
        return
    if _digest(path) != record["digest"]:
        raise _damaged(path.parent, f"the content of {path.name} has changed")
    with contextlib.suppress(OSError):  # a copy: the next process need not read it again
        os.utime(path, ns=(status.st_atime_ns, record["mtime_ns"]))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _are_records(files: Any) -> bool:
    wanted = {"size": int, "mtime_ns": int, "digest": str}
    return isinstance(files, dict) and all(
        "/" not in name
        and isinstance(record, dict)
        and all(isinstance(record.get(key), kind) for key, kind in wanted.items())
        for name, record in files.items()
    )


def _damaged(folder: Path | None, reason: str) -> UserError:
    return UserError(f"The pack {folder} is damaged: {reason}; pack the survey again.")


def _mapped(path: Path) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, OverflowError) as error:
        raise _damaged(path.parent, f"{path.name} is not a whole array") from error
    return array


def _read_catalog(path: Path, columns: list[str] | None) -> pd.DataFrame:
    try:
        catalog = pd.read_parquet(path, columns=columns)
    except Exception as error:  # Arrow has many, and whatever it is, the file cannot be read
        raise _damaged(path.parent, f"{path.name} is not a whole Parquet file") from error
    missing = [name for name in columns or NEEDED_COLUMNS if name not in catalog]
    if missing:
        raise _damaged(path.parent, f"{path.name} has no column '{missing[0]}'")
    return catalog
