"""The functions that keys of a sweep name."""

from importlib import import_module
from typing import Any

from sweeps.errors import user_error


def imported(where: str, key: str) -> Any:
    """The function that a key, such as `check` for `sweep.check`, names as module:function.

    An import error inside its module is a bug, and is raised as it is.

    Raises:
        UserError: there is no such function.
    """
    module, _, attribute = where.partition(":")
    try:
        found = getattr(import_module(module), attribute, None) if _is_dotted(module) else None
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        found = None
    if not callable(found):
        raise user_error(f"sweep.{key}={where} names no function: allowed is module:function, or null.")
    return found


def _is_dotted(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))
