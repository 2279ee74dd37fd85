"""The unit of wavelengths that a FITS file states, in CUNIT1, TUNITn or BUNIT, as data.wave_unit names it."""

from astropy import units

from spectral.errors import UserError

BY_NAME = {"angstrom": units.AA, "nm": units.nm, "um": units.um, "m": units.m, "cm-1": 1 / units.cm}
NOT_STANDARD = {"A": "Angstrom", "Angstroms": "Angstrom", "angstroms": "Angstrom"}  # A is the standard's ampere


def stated_unit(stated: object, source: str) -> str | None:
    """A key of BY_NAME, or None if no unit is stated, or one that astropy does not know.

    Args:
        stated: the value of the keyword.
        source: what has this unit, for the error sentence.

    Raises:
        UserError: the unit is known, and no unit of wavelengths.
    """
    text = str(stated or "").strip()
    unit = units.Unit(NOT_STANDARD.get(text, text), parse_strict="silent")
    if isinstance(unit, units.UnrecognizedUnit) or unit.is_equivalent(units.dimensionless_unscaled):
        return None
    for name, own in BY_NAME.items():
        if unit == own:
            return name
    allowed = "|".join(BY_NAME)
    raise UserError(f"{source} are in {stated}, as the file states: name their unit by data.wave_unit={allowed}.")
