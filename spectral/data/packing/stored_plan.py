"""Plans as earlier versions have stored them, next to what this one makes. Imports nothing heavy."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spectral.data.readers.survey_files.file_tree import WILDCARDS


def plan_now(plan: Any) -> Any:
    """A stored plan as this version writes it."""
    if isinstance(plan, dict) and isinstance(plan.get("settings"), dict):
        return plan | {"settings": _settings_now(plan["settings"])}
    return plan


def _settings_now(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Of a survey's files, earlier versions kept `data.folder` as it was spelled, not what it names below its root."""
    spelled, folder = settings.get("pattern"), settings.get("folder")
    if not isinstance(spelled, str) or not isinstance(folder, str):
        return dict(settings)
    root, parts = Path(folder), Path(spelled).parts
    wild = next((i for i, part in enumerate(parts) if WILDCARDS & set(part) and part not in root.parts), len(parts))
    is_file = wild == len(parts) > 0 and (root / parts[-1]).is_file()
    below = "/".join(parts[-1:] if is_file else parts[wild:])
    return {key: value for key, value in settings.items() if key != "pattern"} | ({"pattern": below} if below else {})
