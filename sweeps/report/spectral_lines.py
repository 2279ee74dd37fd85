"""Lines by which redshifts are read. Vacuum wavelengths in Angstrom, at rest.

Sources: the SDSS table of spectral lines (classic.sdss.org/dr6/algorithms/linestable.html) for Balmer, Ca, O and the
blends C IV, C III] and Mg II; the NIST Atomic Spectra Database, from air to vacuum, for Ly alpha, Mg b and Na D.
"""

# Lines that stand side by side share a label.
LINES: dict[str, tuple[float, ...]] = {
    "Ly α": (1215.67,),  # noqa: RUF001  (a Greek letter)
    "C IV": (1549.48,),
    "C III]": (1908.73,),
    "Mg II": (2799.12,),
    "[O II]": (3727.09, 3729.88),
    "Ca K, H": (3934.78, 3969.59),
    "H δ": (4102.89,),
    "H γ": (4341.68,),  # noqa: RUF001  (a Greek letter)
    "H β": (4862.68,),
    "[O III]": (4960.30, 5008.24),
    "Mg b": (5168.76, 5174.13, 5185.05),
    "Na D": (5891.58, 5897.56),
    "H α": (6564.61,),  # noqa: RUF001  (a Greek letter)
}
