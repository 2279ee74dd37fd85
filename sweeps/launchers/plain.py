"""What a job returns, as plain values: to read it, a controller has to import nothing."""

import operator
from typing import Any

from omegaconf import OmegaConf

KINDS: tuple[type[Any], ...] = (bool, int, float, str, bytes)


class NotPlainError(TypeError):
    """What a job returned is neither a number nor text, nor a list or mapping of them."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind

    def __str__(self) -> str:
        return f"the task returned a value of type {self.kind}, a number is needed"


def plain(value: Any) -> Any:
    """The same as None, bool, int, float, str or bytes, or lists, tuples and dicts of them.

    Numbers of NumPy and PyTorch become Python's.

    Raises:
        NotPlainError: it has no such form.
    """
    if value is None or type(value) in KINDS:
        return value
    if OmegaConf.is_config(value):
        return plain(OmegaConf.to_container(value, resolve=True))
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        items = [plain(item) for item in value]
        return tuple(items) if isinstance(value, tuple) else items
    for kind in KINDS:
        if isinstance(value, kind):
            return kind(value)
    for convert in (operator.index, float):
        try:
            return convert(value)
        except Exception:  # a type may fail in any way
            continue
    raise NotPlainError(type(value).__name__)
