"""Wavelengths in any unit and medium."""

import numpy as np
import pytest

from spectral.data.wavelengths import to_angstrom, vacuum_angstrom


@pytest.mark.parametrize(
    ("air", "vacuum"),
    # NIST Atomic Spectra Database: H-alpha and H-beta (centres), Na D2, Ca II K.
    [(6562.79, 6564.60), (4861.35, 4862.71), (5889.950954, 5891.583264), (3933.663, 3934.777)],
)
def test_lines_in_air_are_where_they_are_in_vacuum(air: float, vacuum: float) -> None:
    assert vacuum_angstrom(np.array([air]))[0] == pytest.approx(vacuum, abs=0.006)


def test_it_is_the_inverse_of_mortons_formula() -> None:
    vacuum = np.linspace(2005, 25000, 5000)
    square = (1e4 / vacuum) ** 2
    index = 1 + 0.0000834254 + 0.02406147 / (130 - square) + 0.00015998 / (38.9 - square)
    np.testing.assert_allclose(vacuum_angstrom(vacuum / index), vacuum, rtol=3e-9)  # a metre per second


def test_below_2000_angstrom_wavelengths_are_for_vacuum_by_custom() -> None:
    np.testing.assert_array_equal(vacuum_angstrom(np.array([1215.67, 1999.9])), [1215.67, 1999.9])


@pytest.mark.parametrize(("value", "unit"), [(500.0, "nm"), (0.5, "um"), (20000.0, "cm-1"), (5000.0, "angstrom")])
def test_units(value: float, unit: str) -> None:
    np.testing.assert_allclose(to_angstrom(np.array([value]), unit), [5000.0])
    np.testing.assert_allclose(to_angstrom(np.array([value]), unit, "air"), vacuum_angstrom(np.array([5000.0])))
