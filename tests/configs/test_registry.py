import re
from dataclasses import dataclass
from typing import Any

import pytest

from spectral.configs.fields import number
from spectral.configs.models import models
from spectral.configs.registry import Registry
from spectral.errors import UserError


def make_registry() -> Registry:
    registry = Registry("shape")

    @registry.register("fractions:Fraction")
    @dataclass
    class HalfConfig:
        name: str = "half"
        numerator: int = number(1, at_least=0)
        denominator: int = number(2, at_least=1)

        def check(self, key: str) -> None:
            if self.numerator > self.denominator:
                raise UserError(f"{key}.numerator={self.numerator} is above {key}.denominator={self.denominator}.")

    return registry


def test_a_part_is_imported_only_when_it_is_built() -> None:
    registry = make_registry()
    built = registry.build(registry.typed({"name": "half", "denominator": 4}))
    assert str(built) == "1/4"


def test_a_name_alone_is_a_complete_config() -> None:
    assert make_registry().typed("half").denominator == 2


def test_a_builder_receives_only_the_context_it_names() -> None:
    registry = Registry("number")

    @registry.register("decimal:Decimal")
    @dataclass
    class DecimalConfig:
        name: str = "decimal"

    assert registry.build(registry.typed("decimal"), value="1.5", unheard_of=3) == __import__("decimal").Decimal("1.5")


@pytest.mark.parametrize(
    ("node", "sentence"),
    [
        ("haf", r"shape=haf is not known: did you mean 'half'\? allowed: half\."),
        ({"numerator": 1}, r"needs a name"),
        (None, r"shape=None needs a name"),
        ({"name": "half", "numeratr": 1}, r"shape\.numeratr is not a known key: did you mean 'numerator'\?"),
        ({"name": "half", "numerator": "x"}, r"shape\.numerator=x has the wrong type: allowed is an integer\."),
        ({"name": "half", "numerator": -1}, r"shape\.numerator=-1 is out of range: allowed is at least 0\."),
        ({"name": "half", "numerator": 3}, r"shape\.numerator=3 is above shape\.denominator=2\."),
    ],
)
def test_a_mistake_is_one_sentence_with_the_nearest_valid_name(node: Any, sentence: str) -> None:
    with pytest.raises(UserError) as error:
        make_registry().typed(node)
    assert re.search(sentence, str(error.value))
    assert "\n" not in str(error.value)


def test_a_wrong_element_of_a_list_is_named() -> None:
    with pytest.raises(UserError, match=r"^model\.widths\[1\]=128\.5 has the wrong type: allowed is an integer\.$"):
        models.typed({"name": "fcn", "widths": [64, 128.5, 3]})


def test_a_name_cannot_be_registered_twice() -> None:
    registry = make_registry()
    with pytest.raises(ValueError, match="twice"):
        registry.register("fractions:Fraction")(registry.entry("half").config)
