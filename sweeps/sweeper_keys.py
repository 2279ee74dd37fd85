"""The keys of Hydra's own sweepers, in the words of this one."""

KEYS = {
    "params": "searches are on the command line, as in 'model.width=choice(8,16)', or in conf/sweep",
    "search_space": "searches are on the command line, as in 'model.width=choice(8,16)', or in conf/sweep",
    "custom_search_space": "conditions are the `when` of an axis in conf/sweep (docs/sweep-space.md)",
    "n_trials": "give sweep.num_trials",
    "n_jobs": "give hydra.launcher.jobs_per_device",
    "direction": "give sweep.direction",
    "study_name": "give sweep.study_name",
    "storage": "give sweep.storage",
    "sampler": "give sweep.sampler, such as tpe, and sweep.seed",
    "max_failure_rate": "give sweep.max_failures, a number of trials",
    "max_batch_size": "slots are refilled one by one; for launchers of whole batches give sweep.batch_size",
}


def sweeper_key_sentence(key: str) -> str:
    """The sentence for a key below hydra.sweeper, which has none of its own: what to give instead."""
    name = key.removeprefix("hydra.sweeper.").partition(".")[0]
    advice = KEYS.get(name, "the keys of a search are below sweep, see conf/sweep/default.yaml")
    return f"hydra.sweeper.{name} is not a key of hydra/sweeper=spectral: {advice}."
