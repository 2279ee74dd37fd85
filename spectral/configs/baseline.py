"""The baseline that is taken off each spectrum: `data.baseline`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from spectral.configs.fields import check_fields, choice, number
from spectral.errors import UserError

OPTIONS = {"arpls": "lam", "airpls": "lam", "snip": "max_half_window", "modpoly": "poly_order"}  # what a method takes


@dataclass
class BaselineConfig:
    """A method of pybaselines, whose names and defaults the options have; `none`: spectra stay as they are."""

    method: str = choice("none", "none", *OPTIONS)  # of pybaselines; none: spectra stay as they are
    lam: float = number(1e5, above=0)  # arpls, airpls: the larger, the stiffer
    max_half_window: int = number(40, at_least=1)  # snip: pixels, half as many as the widest peak has
    poly_order: int = number(3, at_least=0)  # modpoly: degree of the polynomial

    @property
    def used(self) -> dict[str, Any]:
        """The method and the option that it takes; empty if there is none."""
        option = OPTIONS.get(self.method)
        return {} if option is None else {"method": self.method, option: getattr(self, option)}


def baseline_from(stored: Mapping[str, Any], key: str) -> BaselineConfig:
    """The config of what `used` gave, which a file has kept. Raises UserError for what this version does not know."""
    try:
        config = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(BaselineConfig), dict(stored)))
    except OmegaConfBaseException as error:
        raise UserError(f"{key} is not known to this version of Spectral: {str(error).splitlines()[0]}.") from error
    assert isinstance(config, BaselineConfig)
    check_fields(config, key)
    return config


def baseline_in_words(used: Mapping[str, Any]) -> str:
    """What `used` gave, as the command line has it."""
    return " ".join(f"data.baseline.{name}={value}" for name, value in (used or {"method": "none"}).items())
