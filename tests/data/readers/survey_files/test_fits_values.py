"""Numbers and flags of damaged files."""

import numpy as np
import pytest
from astropy.io import fits

from spectral.data.readers.survey_files.fits_header import FitsHeader
from spectral.data.readers.survey_files.fits_values import float32, float64, wave_of_header
from spectral.data.readers.survey_files.layout import UnreadableError
from spectral.data.readers.survey_files.mask_bits import bad_pixels, bits_of

FLAGS = {"ONE": 0, "TWO": 1}


def test_numbers_beyond_float32_are_infinite_and_text_is_no_number() -> None:
    np.testing.assert_array_equal(float32(np.array([1e300, -1.5])), [np.inf, -1.5])
    for values in (np.array(["1.0"]), np.array([1j]), np.array([[1.0], None], object)):
        for convert in (float32, float64):
            with pytest.raises(UnreadableError, match="not numbers"):
                convert(values)


def test_flags_stored_as_floats() -> None:
    flags = np.array([0, 1, 2, 3, np.nan, np.inf, -1e30], np.float32)
    assert bad_pixels(flags, 2).tolist() == [False, False, True, True, True, True, True]
    with pytest.raises(UnreadableError, match="flags of type"):
        bad_pixels(np.array(["a"]), 1)


def test_any_stands_for_flags_without_a_name_too() -> None:
    any_flag, named = bits_of(["any"], FLAGS, "key"), bits_of(["one", "TWO"], FLAGS, "key")
    assert bad_pixels(np.array([0, 1, 1 << 40]), any_flag).tolist() == [False, True, True]
    assert bad_pixels(np.array([0, 1, 1 << 40]), named).tolist() == [False, True, False]


def test_wavelengths_of_a_damaged_header_are_no_warning() -> None:
    header = FitsHeader(fits.Header({"COEFF0": 1e300, "COEFF1": 1e308}), "HDU 0")
    assert np.isinf(wave_of_header(header, 3)).all()
    with pytest.raises(UnreadableError, match="too large: a spectrum of 2,147,483,648 pixels"):
        wave_of_header(header, 2**31)
