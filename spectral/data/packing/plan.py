"""What a pack is made of: its plan, by which a folder is found to hold that pack already."""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from spectral.configs.data import DataConfig
from spectral.data.packing.stored_plan import plan_now
from spectral.data.readers.contract import Reader
from spectral.errors import UserError
from spectral.survey import FORMAT, Survey, read_about

log = logging.getLogger(__name__)

SHAPING = ("dtype", "class_names", "on_bad", "nan", "ivar_masks", "ragged")  # what the content of a pack depends on
LIMITS = ("limit", "limit_draw")  # also, where there is a limit
GRID, BASELINE = "grid", "baseline"  # also, where there is one


def plan_of(reader: Reader, config: DataConfig) -> dict[str, Any]:
    """All that decides over a pack, as JSON values."""
    return {"format": FORMAT, "source": reader.fingerprint(), "settings": packing_settings(reader, config)}


def packing_settings(reader: Reader, config: DataConfig) -> dict[str, Any]:
    """What decides over the content of a pack, as JSON values."""
    packing = {name: getattr(config, name) for name in SHAPING + (LIMITS if config.limit else ())}
    if config.grid.kind != "native":
        packing[GRID] = {key: value for key, value in asdict(config.grid).items() if value is not None}
    if config.baseline.used:
        packing[BASELINE] = config.baseline.used
    settings: dict[str, Any] = json.loads(json.dumps({"reader": config.name, **packing, **reader.settings()}))
    return settings


def usable_pack(folder: Path, plan: Mapping[str, Any], is_cache: bool) -> Survey | None:
    """The survey packed in a folder under the same plan, if it is whole; None if it is to be packed again."""
    try:
        about = read_about(folder)
    except UserError as error:
        if not is_cache:
            raise
        log.warning("%s Packing it again.", error)
        return None
    if about is None:
        return None
    if (stored := plan_now(about.get("plan") or {})) != plan:
        _check_replaceable(folder, stored, plan)
        return None
    try:
        return Survey.open(folder)
    except UserError as error:
        log.warning("%s Packing it again.", error)
        return None


def _check_replaceable(folder: Path, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """A pack may give way to another state of its own source, or other packing options; to no other survey."""
    before, now = _as_given(old.get("settings") or {}), _as_given(new["settings"])
    own = [key for key in {**now, **before} if key not in (*SHAPING, *LIMITS, GRID, BASELINE)]
    differing = [key for key in own if before.get(key) != now.get(key)]
    if differing:
        key = differing[0]
        raise UserError(
            f"{folder} holds another survey: it was packed with {key}={before.get(key)}, this one has "
            f"{key}={now.get(key)}; give another folder, or delete that one."
        )
    log.info("%s holds an older state of this survey, or other packing options: packing it again.", folder)


def _as_given(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by the options that a user gives: what data.folder names below its root is a part of it."""
    given = {"data" if key == "reader" else key: value for key, value in settings.items() if key != "pattern"}
    if below := settings.get("pattern"):
        given["folder"] = f"{settings.get('folder')}/{below}"
    return given
