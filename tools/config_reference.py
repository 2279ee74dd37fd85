"""Write docs/config-reference.md: every group and key of the configs, from the dataclasses that check them.

    python tools/config_reference.py

Types, defaults and what is allowed are those of the dataclasses and of the yaml files. What a key means is the comment
behind its field, or else the comment in the yaml of its part.
"""

import dataclasses
import importlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from config_fields import CONF, Option, default_of, header_of, options, shown, values_of

from spectral.configs import root
from spectral.configs.baseline import BaselineConfig
from spectral.configs.baseline_run import BaselineRunConfig
from spectral.configs.commands import ApplyConfig, EvaluateConfig, ExportConfig, PackConfig, PredictConfig
from spectral.configs.data import DataConfig, GridConfig
from spectral.configs.inputs import InputsConfig, TransformConfig, augmentations, channels
from spectral.configs.methods import LinearConfig, MethodConfig, methods
from spectral.configs.pretraining import MaskingConfig, PretrainingConfig
from spectral.configs.registry import Registry
from spectral.configs.stages import ScheduleConfig, StageConfig
from spectral.configs.survey_files import SurveyFilesConfig
from sweeps.config import SweepConfig
from sweeps.launchers.config import LocalConfig, RayConfig, SlurmConfig
from sweeps.study.pruner import pruners
from sweeps.study.sampler import samplers

PAGE = Path(__file__).resolve().parents[1] / "docs" / "config-reference.md"
HEAD = """# Config reference

Every group, its names, and every key: type, default, what is allowed, meaning. `group=name` chooses a part,
`group.key=value` sets a key ([configs](configs.md)). `make reference` writes this page from the typed configs.

| group | names, the default first | page |
|---|---|---|
"""
PAGES = {  # group -> what explains it
    "data": "[data](data.md), [surveys](surveys.md), [simulated survey](simulated.md), [packing](packing.md)",
    "split": "[packing](packing.md#splits)",
    "transform": "[inputs](inputs.md#scale-transformname)",
    "sampler": "[sampling](sampling.md)",
    "model": "[models](models.md)",
    "loss": "[losses](losses.md)",
    "optimizer": "[training](training.md)",
    "lr_schedule": "[training](training.md)",
    "schedule": "[training](training.md)",
    "decision": "[metrics](metrics.md#decision-rules)",
    "tracker": "[tracking](tracking.md)",
    "method": "[baselines](baselines.md)",
    "experiment": "[whole experiments](#experimentname)",
    "sweep": "[sweeps](sweeps.md)",
    "hydra/launcher": "[launchers](launchers.md)",
}
SHARED = {  # base class -> which parts have its options
    DataConfig: "Options of every reader but `packed`",
    SurveyFilesConfig: "More options of the readers of survey files",
    TransformConfig: "Options of every transform",
    MethodConfig: "Options of every method",
    LinearConfig: "More options of the methods that end in logistic regression",
}
LAUNCHERS = {"local": LocalConfig, "ray": RayConfig, "slurm": SlurmConfig}
COLUMNS = ("key", "type", "default", "allowed", "meaning")


def page() -> str:
    """The whole text."""
    parts = [HEAD + "".join(f"| `{group}` | {', '.join(names_of(group))} | {PAGES[group]} |\n" for group in PAGES)]
    parts += [section("Keys of every experiment", table(top_level()))]
    for registry in root.REGISTRIES:
        parts += group_section(registry)
        if registry.group == "transform":
            parts += inputs_section()
        if registry.group == "lr_schedule":
            parts += schedule_section()
    parts += [section("`experiment=NAME`", listed(("experiment", name) for name in names_of("experiment")))]
    return "\n".join([*parts, *sweep_section(), *launcher_section(), *command_section()])


def names_of(group: str) -> list[str]:
    """The names that a group takes, its default first."""
    if group == "hydra/launcher":
        return list(LAUNCHERS)
    names = sorted(path.stem for path in (CONF / group).glob("*.yaml"))
    if group == "sweep":  # every search starts from the first, and its jobs get the second: no user chooses them
        return [name for name in names if name not in ("default", "none")]
    entries = [entry for entry in values_of(Path("config.yaml"))["defaults"] if isinstance(entry, dict)]
    return sorted(names, key=lambda name: {group: name} not in entries)


def top_level() -> list[Option]:
    nodes = {registry.group for registry in root.REGISTRIES} | {"inputs", "schedule", "sweep"}
    found = options(root.ExperimentConfig, "", Path("config.yaml"))
    return [option for option in found if option.key not in nodes]


def group_section(registry: Registry) -> Iterator[str]:
    """A group: the options that its parts share, then each part."""
    group = registry.group
    yield section(f"`{group}=NAME`", f"See {PAGES[group]}.")
    configs = {name: registry.entry(name).config for name in registry.names}
    for base, title in SHARED.items():
        if any(issubclass(config, base) for config in configs.values()):
            yield section(title, table(options(base, f"{group}.", left_out={"name": ""} | shared_defaults(base))), 3)
            if base is DataConfig:
                for key, config in (("grid", GridConfig), ("baseline", BaselineConfig)):
                    yield section(f"`data.{key}`", table(options(config, f"data.{key}.")), 3)
    for name in names_of(group):
        yaml = Path(group, f"{name}.yaml")
        stated = {key: value for key, value in values_of(yaml).items() if key != "defaults"}
        if (of_type := stated.pop("name")) == name:
            rows = table(options(configs[name], f"{group}.", yaml, {"name": name} | shared_defaults(configs[name])))
        else:
            given = ", ".join(f"`{group}.{key}={shown(value)}`" for key, value in stated.items())
            rows = f"The options of `{group}={of_type}`" + (f", with {given}." if given else ".")
        yield section(f"`{group}={name}`", "\n\n".join(filter(None, [header_of(yaml), rows])), 3)


def shared_defaults(config: type) -> dict[str, Any]:
    """What a part has from the bases whose options have tables of their own."""
    bases = [base for base in SHARED if issubclass(config, base) and base is not config]
    return {
        field.name: default_of(field) for base in bases for field in dataclasses.fields(base) if field.name != "name"
    }


def inputs_section() -> Iterator[str]:
    yield section("`inputs`", "See [inputs](inputs.md).\n\n" + table(options(InputsConfig, "inputs.")))
    for key, registry in (("channels", channels), ("augmentations", augmentations)):
        for name in registry.names:
            config = registry.entry(name).config
            yield section(
                f"`{name}` of `inputs.{key}`",
                f"{config.__doc__}\n\n" + table(options(config, "", left_out={"name": name})),
                3,
            )


def schedule_section() -> Iterator[str]:
    yield section(
        "`schedule=NAME`", f"See {PAGES['schedule']}.\n\n" + listed(("schedule", n) for n in names_of("schedule"))
    )
    yield section("`schedule`", table(options(ScheduleConfig, "schedule.", Path("schedule/default.yaml"))), 3)
    yield section("One of `schedule.stages`", table(options(StageConfig, "schedule.stages.0.")), 3)


def sweep_section() -> Iterator[str]:
    yield section("`sweep=NAME`", f"See {PAGES['sweep']}.\n\n" + listed(("sweep", name) for name in names_of("sweep")))
    yield section("`sweep`", table(options(SweepConfig, "sweep.", Path("sweep/default.yaml"))), 3)
    lines = [
        f"- `{name}`: {summary(importlib.import_module(samplers.find(name).__module__))}" for name in samplers.names
    ]
    yield section("`sweep.sampler`", "\n".join(lines), 3)
    for name in pruners.names:
        pruner = pruners.find(name)
        text = summary(importlib.import_module(pruner.__module__))
        yield section(f"`sweep.pruner={name}`", f"{text}\n\n" + table(options(pruner, "sweep.pruning.")), 3)


def launcher_section() -> Iterator[str]:
    yield section("`hydra/launcher=NAME`", f"See {PAGES['hydra/launcher']}.")
    for name, config in LAUNCHERS.items():
        rows = table(options(config, "hydra.launcher."))
        yield section(f"`hydra/launcher={name}`", f"{config.__doc__}\n\n{rows}", 3)


def command_section() -> Iterator[str]:
    yield section("Other commands", "Keys of the commands next to `run.py`. `data` is chosen as for an experiment.")
    common = {field.name: default_of(field) for field in dataclasses.fields(ApplyConfig)}
    yield section("Keys of evaluate and predict", table(options(ApplyConfig, "")), 3)
    yield from baseline_section()
    yield from pretraining_section()
    for config in (EvaluateConfig, PredictConfig, PackConfig, ExportConfig):
        left_out = common if issubclass(config, ApplyConfig) else {}
        title = str(config.__doc__).removeprefix("python -m ")
        yield section(f"`{title}`", table(options(config, "", left_out=left_out)), 3)


def baseline_section() -> Iterator[str]:
    keys = [field.name for field in dataclasses.fields(BaselineRunConfig) if field.name != "method"]
    shared = ", ".join(f"`{key}`" for key in keys)
    yield section("`spectral.baseline`", f"`method`, and these keys, which are those of an experiment: {shared}.", 3)
    yield from group_section(methods)


def pretraining_section() -> Iterator[str]:
    own = {field.name for field in dataclasses.fields(MaskingConfig)} | {"objective"}
    keys = [field.name for field in dataclasses.fields(PretrainingConfig) if field.name not in own]
    left_out = {field.name: default_of(field) for field in dataclasses.fields(PretrainingConfig) if field.name in keys}
    shared = ", ".join(f"`{key}`" for key in keys)
    rows = table(options(PretrainingConfig, "", left_out=left_out))
    yield section("`spectral.pretrain`", f"These keys are those of an experiment: {shared}. Its own:\n\n{rows}", 3)


def section(title: str, text: str, level: int = 2) -> str:
    return f"{'#' * level} {title}\n{text.strip()}\n"


def table(rows: list[Option]) -> str:
    """The rows as a table of Markdown; empty if there are none."""
    if not rows:
        return ""
    lines = [" | ".join(COLUMNS), "|".join("---" for _ in COLUMNS)]
    for row in rows:
        cells = (
            f"`{row.key}`",
            row.kind,
            row.default and f"`{row.default}`",
            row.allowed,
            row.meaning.replace("*", "\\*"),
        )
        lines.append(" | ".join(cell.replace("|", "\\|") for cell in cells))
    return "\n".join(f"|{line}|" if line.startswith("---") else f"| {line} |" for line in lines)


def listed(parts: Iterable[tuple[str, str]]) -> str:
    """Yaml files that set keys of other groups, with what each does."""
    return "\n".join(f"- `{group}={name}`: {header_of(Path(group, f'{name}.yaml'))}" for group, name in parts)


def summary(module: Any) -> str:
    """The first line of a module's docstring."""
    return str(module.__doc__).partition("\n")[0]


def main() -> int:
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
