"""What users of Hydra's own sweepers give, in the words of this one. See docs/coming-from-other-sweepers.md."""

SWEEPER_KEYS = ("hydra.sweeper.", "hydra/sweeper/")

AXES = "searches are on the command line, as in 'model.width=choice(8,16)', or in conf/sweep"
SAMPLER = "give sweep.sampler, such as tpe, and sweep.seed"
KEYS = {
    "params": AXES,
    "search_space": AXES,
    "custom_search_space": "conditions are the `when` of an axis in conf/sweep (docs/sweep-space.md)",
    "n_trials": "give sweep.num_trials{value}, the total of the study over all its commands",
    "n_jobs": "give hydra.launcher.jobs_per_device{value}",
    "direction": "give sweep.direction{value}",
    "study_name": "give sweep.study_name{value}",
    "storage": "give sweep.storage{value}",
    "sampler": SAMPLER,
    "max_failure_rate": "give sweep.max_failures, a number of trials",
    "max_batch_size": "slots are refilled one by one; for launchers of whole batches give sweep.batch_size{value}",
}
SAMPLERS = {
    "TPESampler": "tpe",
    "GPSampler": "gp",
    "CmaEsSampler": "cmaes",
    "RandomSampler": "random",
    "QMCSampler": "qmc",
    "GridSampler": "grid",
    "NSGAIISampler": "nsga2",
}
OTHERS = {
    "hydra/sweeper": ("optuna", "ax", "nevergrad"),
    "hydra/launcher": ("submitit_slurm", "submitit_local"),
}


def sweeper_key_sentence(key: str, value: object = "") -> str:
    """The sentence for a key below hydra.sweeper, which has none of its own: what to give instead.

    Args:
        value: as it was given; empty if it is not known.
    """
    name, _, rest = key.removeprefix(SWEEPER_KEYS[0]).removeprefix(SWEEPER_KEYS[1]).partition(".")
    advice = KEYS.get(name, "the keys of a search are below sweep, see conf/sweep/default.yaml")
    if name == "sampler" and (known := SAMPLERS.get(str(value).rpartition(".")[2])):
        advice = f"give sweep.sampler={known}"
    if value != "" and not rest:
        advice = advice.replace("{value}", f"={value}")
    where = f"hydra.sweeper.{name}" if "/" not in key else key
    return f"{where} is not a key of hydra/sweeper=spectral: {advice.replace('{value}', '')}."


def other_plugin_sentence(group: str, name: str) -> str | None:
    """The sentence for a plugin of Hydra that others use for their sweeps; None for other choices."""
    if name not in OTHERS.get(group, ()):
        return None
    if group == "hydra/launcher":
        return f"{group}={name} is not there: give hydra/launcher={'slurm' if 'slurm' in name else 'local'}."
    return (
        f"{group}={name} is not there: leave it out, hydra/sweeper=spectral searches with Optuna by itself; "
        "what its keys are called here: docs/coming-from-other-sweepers.md."
    )
