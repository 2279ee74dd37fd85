"""The samplers that `sweep.sampler` can name, one per file. To add one:

1. Write NAME.py here, with one dataclass that derives from sweeps.study.sampler.Sampler (gp.py is a short example).
2. Return Optuna's sampler, or a subclass of optuna.samplers.BaseSampler of your own, from `build`; import Optuna there.
3. Seed it with `draw.trial_seed`: it is built again for each trial, and machines that share a search never repeat one.
4. Set class variables for what it can and cannot do, such as `takes_several_objectives`.
Then `sweep.sampler=NAME` uses it; there is no other list of samplers. A class outside this package is given as
`sweep.sampler=my_package.my_module:MySampler`.
"""
