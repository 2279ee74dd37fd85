import pytest

from spectral.configs.cache import remembered
from spectral.configs.root import REGISTRIES
from spectral.errors import UserError


def test_equal_values_are_checked_once_and_each_caller_has_a_copy() -> None:
    seen = []

    @remembered
    def check(values: dict[str, list[int]]) -> list[int]:
        seen.append(values)
        return values["a"]

    first = check({"a": [1]})
    first.append(2)
    assert check({"a": [1]}) == [1]
    assert len(seen) == 1


@pytest.mark.parametrize("other", [1.0, True, "1", None])
def test_equal_values_of_different_types_are_checked_separately(other: object) -> None:
    check = remembered(lambda value: value)
    assert check(1) == 1
    assert type(check(other)) is type(other)


def test_a_cached_mistake_is_reported_each_time_with_its_own_key() -> None:
    (models,) = [registry for registry in REGISTRIES if registry.group == "model"]
    wrong = {"name": "reference", "width": 0}
    for key in ("model", "model", "parts.model"):
        with pytest.raises(UserError, match=rf"^{key}\.width=0 is out of range"):
            models.typed(wrong, key)


def test_changing_a_config_leaves_the_cache_unchanged() -> None:
    (models,) = [registry for registry in REGISTRIES if registry.group == "model"]
    models.typed({"name": "reference"}).width = 7
    assert models.typed({"name": "reference"}).width != 7
