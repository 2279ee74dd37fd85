"""Shares: uniform on the simplex, exact sums, minimum shares."""

import math
from typing import Any

import numpy as np
import optuna
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf
from scipy import stats

from spectral.errors import UserError
from sweeps.space import Space
from sweeps.space.domains.simplex import UNITS, Simplex, apportion
from sweeps.space.values import key_text

optuna.logging.set_verbosity(optuna.logging.ERROR)


def drawn(simplex: Simplex, num_draws: int, seed: int) -> np.ndarray:
    """[num_draws, K] of shares whose parameters are uniform, as a random sampler's are."""
    rng = np.random.default_rng(seed)
    names = list(simplex.params("k", simplex.extremes()[0]))
    return np.array(
        [
            simplex.suggest(
                optuna.trial.FixedTrial(dict(zip(names, rng.uniform(1e-9, 1, len(names)), strict=True))), "k"
            )
            for _ in range(num_draws)
        ]
    )


@pytest.mark.parametrize("size", [2, 4, 7])
def test_shares_are_uniform_on_the_simplex(size: int) -> None:
    """Each share of Dirichlet(1, ..., 1) is Beta(1, K-1).

    4,000 draws, 17 comparisons with those of the next test: a p-value below 1e-6 comes up by chance in one of 60,000
    seeds, while x_i = u_i in place of -log(u_i), the mistake to guard against, gives p < 1e-20. Rounding to 1e-4 moves
    the distribution function by at most (K-1) * 1e-4, far below the 0.04 that 4,000 draws resolve.
    """
    shares = drawn(Simplex((0.0,) * size), 4000, seed=size)
    for column in shares.T:
        assert stats.kstest(column, stats.beta(1, size - 1).cdf).pvalue > 1e-6


def test_shares_above_the_minimum_are_uniform() -> None:
    minimum = (0.1, 0.0, 0.3, 0.05)
    shares = drawn(Simplex(minimum), 4000, seed=0)
    assert (shares >= minimum).all()
    for column, least in zip(shares.T, minimum, strict=True):
        assert stats.kstest((column - least) / 0.55, stats.beta(1, 3).cdf).pvalue > 1e-6


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_shares_sum_to_one_respect_their_minimum_and_can_be_enqueued(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 30))
    minimum = data.draw(st.lists(st.integers(0, UNITS // size - 1), min_size=size, max_size=size))
    simplex = Simplex(tuple(units / UNITS for units in minimum))
    uniform = data.draw(st.lists(st.floats(1e-9, 1), min_size=size, max_size=size))
    names = list(simplex.params("k", simplex.extremes()[0]))
    shares = simplex.suggest(optuna.trial.FixedTrial(dict(zip(names, uniform, strict=True))), "k")
    assert abs(sum(shares) - 1) <= 1e-9
    assert all(share >= least for share, least in zip(shares, simplex.minimum, strict=True))
    assert simplex.contains(shares)
    params = simplex.params("k", shares)
    assert all(1e-9 <= u <= 1 for u in params.values())
    assert simplex.suggest(optuna.trial.FixedTrial(params), "k") == shares


def test_the_published_fractions_come_back_exactly() -> None:
    simplex = Simplex((0.02,) * 4)
    params = simplex.params("k", [0.8, 0.1, 0.05, 0.05])
    assert simplex.suggest(optuna.trial.FixedTrial(params), "k") == [0.8, 0.1, 0.05, 0.05]


def test_shares_finer_than_a_unit_are_rounded_and_still_sum_to_one() -> None:
    simplex = Simplex((0.0,) * 3)
    shares = simplex.suggest(optuna.trial.FixedTrial(simplex.params("k", [1 / 3] * 3)), "k")
    assert sorted(shares) == [0.3333, 0.3333, 0.3334]


def test_corners_are_one_class_alone() -> None:
    simplex = Simplex((0.1, 0.0, 0.0))
    assert simplex.extremes() == [[1.0, 0.0, 0.0], [0.1, 0.9, 0.0], [0.1, 0.0, 0.9]]
    for corner in simplex.extremes():
        assert simplex.suggest(optuna.trial.FixedTrial(simplex.params("k", corner)), "k") == corner


def test_parameters_that_are_all_one_give_equal_shares() -> None:
    simplex = Simplex((0.0,) * 4)
    ones = dict.fromkeys(simplex.params("k", simplex.extremes()[0]), 1.0)
    assert simplex.suggest(optuna.trial.FixedTrial(ones), "k") == [0.25] * 4


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20).filter(lambda x: sum(x) > 0), st.integers(0, 10**6))
def test_rounded_shares_are_within_one_of_the_exact_number(weights: list[float], total: int) -> None:
    shares = [weight / math.fsum(weights) for weight in weights]
    counts = apportion(shares, total)
    assert sum(counts) == total
    assert all(abs(count - share * total) < 1 + 1e-6 for count, share in zip(counts, shares, strict=True))


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_shares_by_class_are_those_of_the_list_under_their_names(data: st.DataObject) -> None:
    """The parameters are the same too; a value may be given in whatever order, and comes back through an override."""
    names = data.draw(st.lists(st.from_regex(r"[a-z][a-z0-9_]{0,5}|[1-9]", fullmatch=True), min_size=2, unique=True))
    names = [name for name in names if name not in ("null", "true", "false", "inf", "nan")]
    assume(len(names) > 1)
    listed, space = Simplex((0.0,) * len(names)), Space.read({"k": {"type": "simplex", "classes": names}})
    uniform = data.draw(st.lists(st.floats(1e-9, 1), min_size=len(names), max_size=len(names)))
    params = dict(zip(listed.params("k", listed.extremes()[0]), uniform, strict=True))
    shares = space.suggest(optuna.trial.FixedTrial(params))["k"]
    assert shares == dict(zip(names, listed.suggest(optuna.trial.FixedTrial(params), "k"), strict=True))
    shuffled = {name: shares[name] for name in data.draw(st.permutations(names))}
    assert space.params({"k": shuffled}) == listed.params("k", list(shares.values()))
    (override,) = space.overrides({"k": shuffled})
    read = OverridesParser.create().parse_override(override).value()
    assert [(key_text(name), share) for name, share in read.items()] == list(shares.items())
    assert space.axes["k"].domain.contains(read)


@pytest.mark.parametrize(
    "value",
    [
        [0.5, 0.3, 0.2],
        {"star": 0.5, "galaxy": 0.5},
        {"star": 0.5, "galaxy": 0.3, "quasar": 0.2},
        {"star": 0.5, "galaxy": 0.4, "qso": 0.2},
        {"star": 0.05, "galaxy": 0.45, "qso": 0.5},
        {"star": 0.5, "galaxy": 0.3, "qso": "much"},
    ],
)
def test_values_that_are_not_shares_cannot_be_enqueued(value: Any) -> None:
    space = Space.read({"k": {"type": "simplex", "classes": ["star", "galaxy", "qso"], "minimum": {"star": 0.1}}})
    with pytest.raises(UserError, match=r"allowed is a mapping of shares .* \{star: 0\.1, galaxy: 0, qso: 0\};"):
        space.params({"k": value})
    space.params({"k": {"qso": 0.2, "star": 0.5, "galaxy": 0.3}})


def test_the_command_line_can_set_and_remove_named_shares() -> None:
    """As sweep.space is merged; the list form is how a study that began with lists is resumed."""
    base = OmegaConf.create({"k": {"type": "simplex", "classes": ["a", "b"], "minimum": 0.1}})
    for given_, expected in (
        ("{k:{classes:[c,d,e]}}", Simplex((0.1,) * 3, ("c", "d", "e"))),
        ("{k:{minimum:{a:0.3}}}", Simplex((0.3, 0.0), ("a", "b"))),
        ("{k:{classes:null,size:2}}", Simplex((0.1,) * 2)),
    ):
        merged = OmegaConf.merge(base, OverridesParser.create().parse_override(f"+sweep.space={given_}").value())
        assert Space.read(OmegaConf.to_container(merged)).axes["k"].domain == expected  # type: ignore[arg-type]  # a mapping, as given
