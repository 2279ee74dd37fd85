"""The pruners that `sweep.pruner` takes, one a file. To add one:

1. Write NAME.py here, with one dataclass that derives from sweeps.study.pruner.Pruner (median.py is a short example).
2. Make each option a field with its default and bounds, such as `min_steps: int = number(1, at_least=1)`.
3. Return Optuna's pruner, or a subclass of optuna.pruners.BasePruner of your own, from `build`; import Optuna there.
4. Say by class variables what it judges ("steps" or "seeds"); refuse in `check` what would never prune.
5. List new options in conf/sweep/default.yaml under `pruning`, as null, so that they are given without a plus.
Then `sweep.pruner=NAME sweep.pruning.OPTION=...` uses it: nothing else names the pruners. A class outside this
package is given as `sweep.pruner=my_package.my_module:MyPruner`, and options of its own with a plus.
"""
