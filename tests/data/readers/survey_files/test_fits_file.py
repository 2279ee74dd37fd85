"""What numpy wrote into a FITS file comes out again, and damaged files end in a reason."""

import gzip
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from spectral.data.readers.survey_files.fits_columns import table_columns
from spectral.data.readers.survey_files.fits_file import hdu_at, open_fits
from spectral.data.readers.survey_files.fits_hdu import MOST_BYTES
from spectral.data.readers.survey_files.fits_header import FitsHeader
from spectral.data.readers.survey_files.layout import UnreadableError

RNG = np.random.default_rng(0)
COLUMNS = {
    "flag": ("L", np.array([True, False, True])),
    "byte": ("B", np.array([0, 7, 255], np.uint8)),
    "short": ("I", np.array([-5, 0, 32767], np.int16)),
    "long": ("J", np.array([-(2**31), 0, 5], np.int32)),
    "id": ("K", np.array([2**62 + 1, -3, 0], np.int64)),
    "z": ("E", np.array([0.1, np.nan, -np.inf], np.float32)),
    "ra": ("D", np.array([1e300, -0.0, 3.3])),
    "name": ("7A", np.array(["  ab", "", "1234567"])),
    "flux": ("4E", RNG.normal(size=(3, 4)).astype(np.float32)),
    "complex": ("C", np.array([1 + 2j, 0, -1j], np.complex64)),
}


def write_table(path: Path, columns: dict[str, tuple[str, np.ndarray]], **options: object) -> None:
    made = [fits.Column(name, form, array=array, **options) for name, (form, array) in columns.items()]
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(made, name="t")]).writeto(path)


def test_columns_of_every_type(tmp_path: Path) -> None:
    write_table(tmp_path / "t.fits", COLUMNS)
    with open_fits(tmp_path / "t.fits") as hdus:
        found = table_columns(hdus["T"], [*COLUMNS, "absent"])
    assert list(found) == list(COLUMNS)
    for name, values in found.items():
        assert values.dtype.isnative and (name == "name" or values.dtype == COLUMNS[name][1].dtype)
        np.testing.assert_array_equal(values, ["ab", "", "1234567"] if name == "name" else COLUMNS[name][1])


def test_some_rows_of_a_table(tmp_path: Path) -> None:
    write_table(tmp_path / "t.fits", COLUMNS)
    with open_fits(tmp_path / "t.fits") as hdus:
        assert table_columns(hdus[1], ["id"], 1, 9)["id"].tolist() == [-3, 0]
        none = table_columns(hdus[1], ["id", "flag", "flux"], 2, 2)
    assert [none[name].shape for name in ("id", "flag", "flux")] == [(0,), (0,), (0, 4)]
    assert none["flag"].dtype == bool


def test_a_table_without_rows(tmp_path: Path) -> None:
    write_table(tmp_path / "t.fits", {name: (form, array[:0]) for name, (form, array) in COLUMNS.items()})
    with open_fits(tmp_path / "t.fits") as hdus:
        found = table_columns(hdus[1], [*COLUMNS])
    assert {name: len(values) for name, values in found.items()} == dict.fromkeys(COLUMNS, 0)


@pytest.mark.parametrize(("dtype", "form"), [(np.uint16, "I"), (np.uint32, "J"), (np.uint64, "K")])
def test_unsigned_numbers(dtype: type, form: str, tmp_path: Path) -> None:
    values = np.array([0, 1, np.iinfo(dtype).max], dtype)
    column = fits.Column("u", form, array=values, bzero=1 << (8 * values.itemsize - 1))
    fits.HDUList([fits.PrimaryHDU(values[None]), fits.BinTableHDU.from_columns([column])]).writeto(tmp_path / "u.fits")
    with open_fits(tmp_path / "u.fits") as hdus:
        assert hdus[0].data[0].tolist() == values.tolist()
        assert table_columns(hdus[1], ["u"])["u"].tolist() == values.tolist()


def test_scaled_columns_and_images(tmp_path: Path) -> None:
    table = fits.BinTableHDU.from_columns([fits.Column("s", "I", array=np.array([1, 2, -9], np.int16))])
    table.header["TSCAL1"], table.header["TZERO1"] = 0.5, -4.0
    image = fits.PrimaryHDU(np.array([[1, 2, 3]], np.int16))
    image.header["BSCALE"], image.header["BZERO"] = 2.0, 10
    fits.HDUList([image, table]).writeto(tmp_path / "s.fits")
    with open_fits(tmp_path / "s.fits") as hdus:
        np.testing.assert_array_equal(hdus[0].data, [[12, 14, 16]])
        np.testing.assert_array_equal(table_columns(hdus[1], ["s"])["s"], [-3.5, -3.0, -8.5])


def test_cells_of_their_own_lengths_are_refused_and_the_other_columns_read(tmp_path: Path) -> None:
    cells = [np.arange(3, dtype=np.float32), np.zeros(0, np.float32), np.array([7.5], np.float32)]
    write_table(tmp_path / "p.fits", {"id": ("J", np.arange(3)), "flux": ("PE()", np.array(cells, object))})
    with open_fits(tmp_path / "p.fits") as hdus:
        assert table_columns(hdus[1], ["id"])["id"].tolist() == [0, 1, 2]
        with pytest.raises(UnreadableError, match="HDU 1 T has cells of their own lengths in flux"):
            table_columns(hdus[1], ["id", "flux"])


def test_cells_of_several_axes_have_their_shape(tmp_path: Path) -> None:
    write_table(tmp_path / "c.fits", {"c": ("6J", np.arange(12).reshape(2, 6))}, dim="(3,2)")
    with open_fits(tmp_path / "c.fits") as hdus:
        np.testing.assert_array_equal(table_columns(hdus[1], ["c"])["c"], np.arange(12).reshape(2, 2, 3))


def test_bits_are_true_and_false(tmp_path: Path) -> None:
    bits = np.array([[True, False, True] * 3, [False] * 9])
    write_table(tmp_path / "b.fits", {"bits": ("9X", bits)})
    with open_fits(tmp_path / "b.fits") as hdus:
        assert table_columns(hdus[1], ["bits"])["bits"].tolist() == bits.tolist()


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.int64, np.float32, np.float64])
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_rows_of_an_image(dtype: type, packed: bool, tmp_path: Path) -> None:
    image = RNG.integers(0, 100, (5, 700)).astype(dtype)
    path = tmp_path / ("i.fits.gz" if packed else "i.fits")
    fits.HDUList([fits.PrimaryHDU(image), fits.ImageHDU(image[::-1], name="B")]).writeto(path)
    with open_fits(path) as hdus:
        np.testing.assert_array_equal(hdus[0].rows([0, 3]), image[[0, 3]])
        np.testing.assert_array_equal(hdus["b"].rows([4]), image[[0]])
        np.testing.assert_array_equal(hdus[0].data, image)
        assert hdus[0].rows([]).shape == (0, 700)


def test_header_values_as_pipelines_write_them() -> None:
    cards = ("Z       = 1.5D-3 / with D", "ID      = '  00042 '", "N       = ' 12 '", "BLANK   =", "X       = nonsense")
    header = FitsHeader(fits.Header.fromstring("".join(card.ljust(80) for card in cards)), "HDU 0")
    assert (header.get("Z"), header.get("ID"), header.get("BLANK")) == (1.5e-3, "  00042", None)
    assert header.get("X") is None and header.get("X", 3) == 3  # no value that FITS has
    assert (header.number("N"), header.number("X")) == (12.0, None)
    assert (header.text("ID"), header.text("BLANK")) == ("00042", None)
    with pytest.raises(UnreadableError, match="HDU 0 has no COEFF0, which gives the wavelengths"):
        header.needed_number("COEFF0", "the wavelengths")


def written(folder: Path) -> Path:
    write_table(folder / "t.fits", COLUMNS)
    return folder / "t.fits"


def read_all(path: Path) -> None:
    with open_fits(path) as hdus:
        table_columns(hdu_at(hdus, 1, "a table"), [*COLUMNS])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (b"wavelength flux\n4000 1\n", "not a FITS file"),
        (b"SIMPLE  =                    T" + b" " * 50, "cut short: the header of HDU 0 has no end"),
        (gzip.compress(b"x" * 9000), "not a FITS file"),
        (gzip.compress(bytes(range(256)) * 40)[:-100], "damaged gzip"),
        (gzip.compress(b""), "not a FITS file"),
        (b"\x1f\x8b", "damaged gzip"),
    ],
    # gzip writes the time, and each process of the tests must have the same names for them.
    ids=["empty", "text", "cut header", "gzip of text", "cut gzip", "gzip of nothing", "start of gzip"],
)  # fmt: skip
def test_what_is_no_fits_file(content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "x.fits").write_bytes(content)
    with pytest.raises(UnreadableError, match=reason):
        read_all(tmp_path / "x.fits")


def test_a_file_that_is_cut_anywhere_is_unreadable(tmp_path: Path) -> None:
    path = written(tmp_path)
    content = path.read_bytes()
    data = len(content) - 2880
    for length in (1, 79, 2880, 2881, 5000, data, data + 10, data + 3 * 59 - 1):
        path.write_bytes(content[:length])
        with pytest.raises(UnreadableError):
            read_all(path)


@pytest.mark.parametrize(
    ("keyword", "value", "reason"),
    [
        ("NAXIS2", 10**9, "cut short: HDU 1 T ends"),
        ("NAXIS2", -1, "NAXIS2=-1, not a whole number"),
        ("NAXIS1", 10**9, "rows of 1000000000 bytes"),
        ("TFIELDS", 999, "damaged FITS: HDU 1 T"),
        ("TFORM1", "99999999999J", "damaged FITS: HDU 1 T"),
        ("TFORM1", "Z", "damaged FITS: HDU 1 T"),
        ("NAXIS", 10**9, "HDU 0 has NAXIS=1000000000"),
        ("TFIELDS", 10**9, "HDU 1 T has TFIELDS=1000000000"),
    ],
)
def test_a_header_that_promises_too_much_is_refused_before_memory_is_taken(
    keyword: str, value: object, reason: str, tmp_path: Path
) -> None:
    path = written(tmp_path)
    content = path.read_bytes()
    at = content.index(f"{keyword:8}= ".encode())
    card = str(fits.Card(keyword, value)).encode()
    path.write_bytes(content[:at] + card + content[at + 80 :])
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableError, match=reason):
            read_all(path)
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()


def test_a_gzip_file_that_unpacks_to_more_than_is_sound_is_refused(tmp_path: Path) -> None:
    header = fits.Header([("SIMPLE", True), ("BITPIX", -32), ("NAXIS", 2), ("NAXIS1", 10**9), ("NAXIS2", 5)])
    (tmp_path / "x.fits.gz").write_bytes(gzip.compress(header.tostring().encode() + bytes(100)))
    with (
        open_fits(tmp_path / "x.fits.gz") as hdus,
        pytest.raises(UnreadableError, match="too large: HDU 0 PRIMARY asks"),
    ):
        hdus[0].rows([0])
    assert MOST_BYTES < 10**9 * 4


def test_a_missing_hdu_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    with open_fits(written(tmp_path)) as hdus, pytest.raises(UnreadableError) as caught:
        hdu_at(hdus, "COADD", "the spectrum")
    assert str(caught.value) == "wrong layout: no HDU COADD with the spectrum, there are HDU 0 PRIMARY, HDU 1 T"


def test_an_image_is_no_table_and_a_table_no_image(tmp_path: Path) -> None:
    with open_fits(written(tmp_path)) as hdus:
        with pytest.raises(UnreadableError, match="HDU 1 T is not an image"):
            _ = hdus[1].data
        with pytest.raises(UnreadableError, match="HDU 0 PRIMARY is not a binary table"):
            table_columns(hdus[0], ["id"])
