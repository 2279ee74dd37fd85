"""The pruners that `sweep.pruner` can name, one per file. To add one:

1. Write NAME.py here, with one dataclass that derives from sweeps.study.pruner.Pruner (median.py is a short example).
2. Make each option a field with its default and bounds, such as `min_steps: int = number(1, at_least=1)`.
3. Return Optuna's pruner, or a subclass of optuna.pruners.BasePruner of your own, from `build`; import Optuna there.
4. Set class variables for what it judges ("steps" or "seeds"); refuse in `check` options that would never prune.
5. List new options in conf/sweep/default.yaml under `pruning`, as null, so that they can be given without a plus.
Then `sweep.pruner=NAME sweep.pruning.OPTION=...` uses it; there is no other list of pruners. A class outside this
package is given as `sweep.pruner=my_package.my_module:MyPruner`, and its own options with a plus.
"""
