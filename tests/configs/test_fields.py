from dataclasses import dataclass
from typing import Any

import pytest

from spectral.configs.fields import check_fields, choice, number, numbers
from spectral.errors import UserError


@dataclass
class Inner:
    share: float = number(0.5, above=0, below=1)


@dataclass
class Outer:
    width: int = number(16, at_least=1, at_most=64)
    optional: float | None = number(None, above=0)
    kernel_sizes: Any = numbers([3, 5], at_least=1)
    pooling: str = choice("max", "max", "average")
    stride: int = choice(3, 3, 5, 7)
    kinds: Any = choice(None, "u", "v")
    inner: Any = None


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"width": 1},
        {"width": 64},
        {"optional": 0.1},
        {"pooling": "average"},
        {"inner": Inner(0.9)},
        {"kinds": ["v", "u"]},
    ],
)
def test_allowed_values_pass(changes: dict[str, Any]) -> None:
    check_fields(Outer(**changes), "model")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"width": 0}, "model.width=0 is out of range: allowed is at least 1 and at most 64."),
        (
            {"width": 10**400},
            f"model.width={10**400} is out of range: allowed is at least 1 and at most 64, and no whole number beyond "
            "18446744073709551615.",
        ),
        ({"width": 65}, "model.width=65 is out of range: allowed is at least 1 and at most 64."),
        ({"optional": 0.0}, "model.optional=0.0 is out of range: allowed is above 0."),
        ({"optional": float("nan")}, "model.optional=nan is out of range: allowed is above 0."),
        ({"kernel_sizes": [3, 0]}, "model.kernel_sizes=[3, 0] is out of range: allowed is at least 1."),
        ({"kernel_sizes": []}, "model.kernel_sizes=[] is too short: it needs at least 1 values."),
        ({"pooling": "avrage"}, "model.pooling=avrage is not known: did you mean 'average'? allowed: average, max."),
        ({"stride": 4}, "model.stride=4 is not known: allowed: 3, 5, 7."),
        ({"kinds": ["v", "w"]}, "model.kinds=w is not known: allowed: u, v."),
        ({"inner": Inner(1.0)}, "model.inner.share=1.0 is out of range: allowed is above 0 and below 1."),
        ({"inner": [Inner(), Inner(0.0)]}, "model.inner[1].share=0.0 is out of range: allowed is above 0 and below 1."),
    ],
)
def test_a_value_that_is_not_allowed_is_named_with_the_allowed_ones(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError) as error:
        check_fields(Outer(**changes), "model")
    assert str(error.value) == sentence
