"""Describe what changed between the space that a study began with and the present one."""

from collections.abc import Mapping
from typing import Any

from sweeps.space.values import canonical

Signature = Mapping[str, Any]


def difference(old: Signature, new: Signature) -> str | None:
    """One sentence with a clause for each axis that was added, removed or changed; None if there is none."""
    clauses = [clause for name in sorted({*old, *new}) if (clause := _clause(name, old.get(name), new.get(name)))]
    return "; ".join(clauses) + "." if clauses else None


def _clause(name: str, old: Signature | None, new: Signature | None) -> str | None:
    if old is None:
        return f"{name} is new"
    if new is None:
        return f"{name} is gone"
    if canonical(old) == canonical(new):
        return None
    changes = [
        f"{field} was {_said(old.get(field))} and is {_said(new.get(field))}"
        for field in dict.fromkeys([*old, *new])
        if canonical(old.get(field)) != canonical(new.get(field))
    ]
    return f"{name}: " + ", ".join(changes)


def _said(value: Any) -> str:
    return "not given" if value is None else canonical(value)
