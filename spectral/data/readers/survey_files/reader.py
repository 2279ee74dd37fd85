"""The reader of a survey's files, whatever their layout. The files are listed once, in a manifest."""

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from spectral.data.packing.staging import locked
from spectral.data.readers.contract import Chunk
from spectral.data.readers.fingerprints import file_stamp, join_stamps
from spectral.data.readers.paths import existing_file
from spectral.data.readers.survey_files.catalog_flags import is_set, warnings_in
from spectral.data.readers.survey_files.class_map import mapped_labels
from spectral.data.readers.survey_files.file_tree import (
    MOST_STAMPED,
    FileTree,
    below_root,
    find_files,
    size_and_time,
    would_be_found,
    would_change_stamp,
)
from spectral.data.readers.survey_files.layout import Layout, Spectrum, UnreadableError
from spectral.data.readers.survey_files.listing import Source, list_spectra
from spectral.data.readers.survey_files.manifest import find_manifest, manifest_path
from spectral.data.readers.survey_files.scan import FILE, PROBLEM, ROW_IN_FILE, UNREADABLE, is_unreadable
from spectral.data.readers.survey_files.sentences import SENTENCES, kept_sentences, log_kept
from spectral.files import write_parquet

log = logging.getLogger(__name__)

MANIFEST_FORMAT = 6
ROWS_PER_GROUP = 8192  # of the manifest, which is read a group at a time: it may have millions of rows
OF_LABELS = ("class_map", "zwarn_labels")  # settings by which labels are made of what is listed
JOINED = "joined 2"  # in the stamp: how spectra are joined to a catalog, so that they are packed again


class SurveyFilesReader:
    """Reads spectra from files in a survey's layout.

    A catalog, if there is one, says which spectra there are, and no header is opened for it where its rows tell the
    file's name. Otherwise the headers of all files do, once: the list is kept in `cache_dir`. A file that the
    system did not give out is tried again.

    Raises:
        UserError: a file or folder is not there, or the two do not fit together.
    """

    wave_per_row = True
    wave_medium = "vacuum"

    def __init__(self, layout: Layout, source: Source, cache_dir: Path | None, num_workers: int | None = None) -> None:
        self.layout, self.source, self.num_workers = layout, source, num_workers
        self.wave_unit: str = getattr(layout, "wave_unit", "angstrom")
        self.tree: FileTree | None = self._find_files()
        self.root = self.tree.root
        self._stamp = _stamp_with_redshifts(layout, self.tree)
        if source.catalog is not None:
            catalog = existing_file(source.catalog, "data.catalog")
            self._stamp = join_stamps([self._stamp, file_stamp(catalog), JOINED])
        if hasattr(layout, "version"):  # what an earlier version has listed and packed is listed and packed again
            self._stamp = join_stamps([self._stamp, f"version {layout.version}"])
        of_list = [MANIFEST_FORMAT, self._stamp, self._settings_of_list()]
        digest = hashlib.blake2b(json.dumps(of_list, sort_keys=True).encode(), digest_size=8)
        self._is_described = False
        folder = Path(tempfile.gettempdir()) / f"spectral-{os.getuid()}" if cache_dir is None else cache_dir
        self.manifest = self._whole = folder / "manifests" / f"{layout.name}-{digest.hexdigest()}.parquet"

    def __getstate__(self) -> dict[str, Any]:
        """Packing processes read the manifest: a list of a million files would be large to send to each."""
        return {**self.__dict__, "tree": None}

    def _find_files(self) -> FileTree:
        beginnings = getattr(self.layout, "beginnings", ("",))
        return find_files(self.source.folder, self.layout.endings, beginnings, self.source.catalog)

    def change_by(self, path: Path) -> str:
        """What a file that is written there would do to the survey, and what helps; empty if it would do nothing."""
        tree, beginnings = self.tree or self._find_files(), getattr(self.layout, "beginnings", ("",))
        if would_change_stamp(path, tree):
            return "would count as a change, since they are too many to look at each: give another folder"
        if would_be_found(path, self.source.folder, tree, self.layout.endings, beginnings):
            return "would count as one of them: give another folder or ending"
        return ""

    def catalog(self) -> pd.DataFrame:
        """Raises UserError if the catalog cannot be used, or no row of it has a file."""
        frame = self._listed().drop(columns=[ROW_IN_FILE, PROBLEM])
        labels = mapped_labels(frame["label"], dict(self.source.class_map), self.source.class_names)
        if not self.source.zwarn_labels:
            catalog, folder = self.source.catalog, f"data.folder={self.source.folder}"
            labels = _without_warned(labels, frame, f"data.catalog={catalog}" if catalog else folder)
        return frame.assign(label=labels)

    def _listed(self) -> pd.DataFrame:
        """The manifest, made if it is not there."""
        is_new = self._make_manifest()
        self.tree = None  # of millions of names
        frame = pd.read_parquet(self.manifest)
        if not is_new and not self._is_described:
            log_kept(frame)
        self._is_described = True
        frame.attrs.pop(SENTENCES, None)
        return frame

    def _make_manifest(self) -> bool:
        """Make the list of spectra, unless it is there; whether it was made. One process makes it, and others wait."""
        if self.manifest.is_file() or self._find_manifest():
            return False
        with locked(self._whole, "lists the spectra in"):
            if self._find_manifest():
                return False
            tree = self.tree or self._find_files()
            with kept_sentences() as sentences:
                listed = list_spectra(self.layout, self.source, tree, self.num_workers)
            listed.attrs[SENTENCES] = sentences
            self.manifest = manifest_path(self._whole, listed)
            write_parquet(self.manifest, listed, ROWS_PER_GROUP)
        return True

    def _find_manifest(self) -> bool:
        found = find_manifest(self._whole, partial(is_unreadable, self.layout, self.root))
        self.manifest = found or self._whole
        return found is not None

    @property
    def unread_files(self) -> str:
        return self.manifest.stem.removeprefix(self._whole.stem)

    def wave_angstrom(self) -> None:
        return None  # each spectrum has its own

    def fingerprint(self) -> str:
        return self._stamp

    def settings(self) -> Mapping[str, object]:
        values: dict[str, object] = {name: value for name, value in vars(self.source).items() if name != "class_names"}
        values |= {"folder": str(self.root.resolve()), "class_map": self.source.class_map}
        # Not data.folder as it was spelled: the same survey is one, whether by a full path or with a slash at the end.
        if below := below_root(self.source.folder, self.root):
            values["pattern"] = below
        if self.source.catalog is not None:
            values["catalog"] = str(Path(self.source.catalog).resolve())
        return json.loads(json.dumps(values | {"layout": self._layout_settings()}))  # type: ignore[no-any-return]  # a mapping, as given

    def _layout_settings(self) -> dict[str, object]:
        return {name: value for name, value in vars(self.layout).items() if not name.startswith("_")}

    def _settings_of_list(self) -> dict[str, object]:
        """Those that decide which spectra there are, and what is known of them."""
        of_spectra = getattr(self.layout, "of_spectra", ())
        layout = {name: value for name, value in self._layout_settings().items() if name not in of_spectra}
        return {name: value for name, value in self.settings().items() if name not in OF_LABELS} | {"layout": layout}

    def place(self, row: int) -> str:
        """The file of a catalog row and its position there, for messages."""
        files, positions, _ = self._places(np.array([row]))
        return f"{files[0]}, row {positions[0]}"

    def known_bad(self) -> NDArray[np.bool_]:
        """What the list says of the spectra: a file is missing, or its header could not be read."""
        self._make_manifest()
        bad: NDArray[np.bool_] = pq.read_table(self.manifest, columns=[PROBLEM]).to_pandas()[PROBLEM].notna().to_numpy()
        return bad

    def read(self, rows: NDArray[np.int64]) -> Chunk:
        files, positions, problems = self._places(rows)
        found: list[Spectrum | str] = [str(problem) for problem in problems]
        wanted: dict[str, list[int]] = {}
        for i, name in enumerate(files):
            if pd.isna(problems[i]):
                wanted.setdefault(name, []).append(i)
        for name, places in wanted.items():
            for i, spectrum in zip(places, self._read_file(name, positions[places]), strict=True):
                found[i] = spectrum
        return _chunk(found, self.layout.has_ivar)

    def _places(self, rows: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """File, position in it, and problem of some catalog rows."""
        self._make_manifest()
        columns = np.empty(len(rows), object), np.empty(len(rows), np.int64), np.empty(len(rows), object)
        groups = rows // ROWS_PER_GROUP
        for number in np.unique(groups):
            of_group = groups == number
            for column, values in zip(columns, _group(self.manifest, int(number)), strict=True):
                column[of_group] = values[rows[of_group] % ROWS_PER_GROUP]
        return columns

    def _read_file(self, name: str, indices: NDArray[np.int64]) -> list[Spectrum | str]:
        try:
            spectra = self.layout.read(self.root / name, [int(index) for index in indices])
            return [each.in_file(name) if isinstance(each, UnreadableError) else each for each in spectra]
        except UnreadableError as error:
            return [error.in_file(name)] * len(indices)
        except FileNotFoundError:
            return [f"missing file: {name}"] * len(indices)
        except OSError as error:
            return [f"{UNREADABLE}: {name}: {error.strerror}"] * len(indices)


def _stamp_with_redshifts(layout: Layout, tree: FileTree) -> str:
    """The stamp of the files, and of those next to them from which classes and redshifts are taken."""
    redshift_file: Callable[[Path], Path | None] | None = getattr(layout, "redshift_file", None)
    if redshift_file is None or len(tree.names) > MOST_STAMPED:
        return tree.stamp
    found = [path for name in tree.names if (path := redshift_file(tree.root / name)) is not None]
    stamps = [f"{path.relative_to(tree.root)}/{size_and_time(path)}" for path in found]
    return join_stamps([tree.stamp, *stamps]) if stamps else tree.stamp


def _without_warned(labels: pd.Series, frame: pd.DataFrame, source: str) -> pd.Series:
    """Labels, missing where the survey itself doubts the fit that gave class and redshift."""
    column = next(iter(warnings_in(frame)), None)
    if column is None:
        return labels
    warned = is_set(frame[column], source) & labels.notna()
    if warned.any():
        log.warning(
            "%s of %s labels are left out, since '%s' is not 0: data.zwarn_labels=true keeps them.",
            f"{int(warned.sum()):,}",
            f"{int(labels.notna().sum()):,}",
            column,
        )
    return labels.mask(warned)


@lru_cache(maxsize=4)
def _group(manifest: Path, number: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """A group of rows, kept for the next ones; the name of a manifest says what it lists, so it never changes."""
    with pq.ParquetFile(manifest) as file:
        frame = file.read_row_group(number, columns=[FILE, ROW_IN_FILE, PROBLEM]).to_pandas()
    return frame[FILE].to_numpy(object), frame[ROW_IN_FILE].to_numpy(np.int64), frame[PROBLEM].to_numpy(object)


def _chunk(found: list[Spectrum | str], has_ivar: bool) -> Chunk:
    """Spectra and reasons as the packer takes them; with `has_ivar` each spectrum has inverse variances."""
    empty, no_wave = np.zeros((1, 0), np.float32), np.zeros(0)
    spectra = [None if isinstance(spectrum, str) else spectrum for spectrum in found]
    chunk = Chunk(flux=[None if spectrum is None else spectrum.flux[None, :] for spectrum in spectra])
    chunk.problems = {i: reason for i, reason in enumerate(found) if isinstance(reason, str)}
    chunk.wave_angstrom = [no_wave if spectrum is None else spectrum.wave_angstrom for spectrum in spectra]
    chunk.mask = [
        np.zeros(0 if spectrum is None else spectrum.flux.shape, bool)
        if spectrum is None or spectrum.mask is None
        else spectrum.mask
        for spectrum in spectra
    ]
    if has_ivar:
        chunk.ivar = [
            empty if spectrum is None or spectrum.ivar is None else spectrum.ivar[None, :] for spectrum in spectra
        ]
    return chunk
