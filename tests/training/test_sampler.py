"""Samplers: the content of a batch, which depends on seed, epoch and steps alone."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectral.configs.class_lists import in_class_order
from spectral.configs.sampler import samplers
from spectral.errors import UserError
from spectral.training.class_pools import systematic_counts

LABELS = np.random.default_rng(0).choice(4, size=1003, p=[0.91, 0.06, 0.02, 0.01])
NAMES = ["star", "unknown", "galaxy", "qso"]


def build(name, labels=LABELS, num_classes=4, batch_size=160, seed=7, num_epochs=5, **fields):
    config = samplers.typed({"name": name, **fields})
    return samplers.build(
        in_class_order(config, "sampler", NAMES[:num_classes]),
        labels=labels,
        num_classes=num_classes,
        batch_size=batch_size,
        seed=seed,
        num_epochs=num_epochs,
        class_names=NAMES[:num_classes],
    )


REFERENCE = [0.8, 0.1, 0.05, 0.05]


def every_kind():
    return [build("natural"), build("fractions", fractions=REFERENCE), build("balanced"), build("schedule")]


@pytest.mark.parametrize("sampler", every_kind(), ids=lambda s: type(s).__name__)
def test_batches_depend_on_seed_epoch_and_steps_alone(sampler):
    first = list(sampler.batches(3, 5))
    list(sampler.batches(0, 2))
    again = list(sampler.batches(3, 5))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first[0], next(sampler.batches(4, 5)))
    assert all(batch.dtype == np.int64 and len(batch) == 160 for batch in first)


def test_another_seed_gives_other_batches():
    for name in samplers.names:
        one, other = (next(build(name, seed=seed).batches(0, 1)) for seed in (1, 2))
        assert not np.array_equal(one, other)


def test_without_fractions_sampling_is_natural():
    given, natural = build("fractions").batches(3, 5), build("natural").batches(3, 5)
    assert all(np.array_equal(a, b) for a, b in zip(given, natural, strict=True))


def test_the_reference_batch():
    sampler = build("fractions", fractions=REFERENCE)
    for batch in sampler.batches(0, 20):
        assert np.bincount(LABELS[batch], minlength=4).tolist() == [128, 16, 8, 8]
    assert sampler.fractions(0).tolist() == [0.8, 0.1, 0.05, 0.05]


@st.composite
def simplexes(draw):
    parts = draw(st.lists(st.integers(0, 100), min_size=2, max_size=8).filter(any))
    return np.array(parts) / sum(parts)


@settings(max_examples=25, deadline=None)
@given(fractions=simplexes(), batch_size=st.integers(100, 1000), seed=st.integers(0, 2**31))
def test_counts_are_floored_and_the_first_class_takes_what_remains(fractions, batch_size, seed):
    num_classes = len(fractions)
    labels = np.arange(3 * num_classes) % num_classes
    first = np.flatnonzero(fractions)[0]
    expected = [int(f * batch_size + 1e-9) for f in fractions]
    expected[first] += batch_size - sum(expected)
    arguments = {"labels": labels, "num_classes": num_classes, "batch_size": batch_size, "seed": seed}
    if any(f > 0 and count == 0 for f, count in zip(fractions, expected, strict=True)):
        with pytest.raises(UserError, match="without a place in a batch"):
            samplers.build(samplers.typed({"name": "fractions", "fractions": fractions.tolist()}), **arguments)
        return
    sampler = samplers.build(samplers.typed({"name": "fractions", "fractions": fractions.tolist()}), **arguments)
    for batch in sampler.batches(1, 3):
        assert np.bincount(labels[batch], minlength=num_classes).tolist() == expected
    np.testing.assert_array_equal(sampler.fractions(1), np.array(expected) / batch_size)


def test_rows_are_drawn_with_replacement_and_evenly_inside_a_class():
    labels = np.array([0] * 50 + [1] * 5)
    sampler = build("fractions", labels=labels, num_classes=2, batch_size=100, fractions=[0.5, 0.5])
    drawn = np.bincount(np.concatenate(list(sampler.batches(0, 400))), minlength=55)
    assert drawn.sum() == 40_000
    # Each count is binomial: five standard deviations fail by chance about once in 30,000 seeds, and the seed is fixed.
    np.testing.assert_allclose(drawn[:50], 400, atol=5 * np.sqrt(400))
    np.testing.assert_allclose(drawn[50:], 4000, atol=5 * np.sqrt(4000))


@settings(max_examples=60, deadline=None)
@given(
    num_rows=st.integers(1, 60), batch_size=st.integers(1, 40), num_steps=st.integers(1, 12), epochs=st.integers(1, 4)
)
def test_natural_with_steps_draws_every_row_equally_often_across_epochs(num_rows, batch_size, num_steps, epochs):
    sampler = build("natural", labels=np.zeros(num_rows, int), num_classes=1, batch_size=batch_size)
    stream = [batch for epoch in range(epochs) for batch in sampler.batches(epoch, num_steps)]
    assert [len(batch) for batch in stream] == [batch_size] * (num_steps * epochs)
    drawn = np.bincount(np.concatenate(stream), minlength=num_rows)
    assert drawn.max() - drawn.min() <= 1


def test_natural_fractions_are_the_priors_of_the_labels():
    np.testing.assert_allclose(build("natural").fractions(0), np.bincount(LABELS) / len(LABELS))


@pytest.mark.parametrize("batch_size", [3, 160, 161])
def test_balanced_counts_differ_by_at_most_one(batch_size):
    sampler = build("balanced", batch_size=batch_size)
    assert sampler.fractions(0).tolist() == [0.25] * 4
    for batch in sampler.batches(0, 20):
        counts = np.bincount(LABELS[batch], minlength=4)
        assert counts.max() - counts.min() <= 1


def test_power_goes_from_balanced_to_natural_by_way_of_square_roots():
    labels = np.repeat([0, 1, 2], [8100, 900, 100])
    for power, expected in (
        (0.0, [1 / 3] * 3),
        (0.5, [90 / 130, 30 / 130, 10 / 130]),
        (1.0, np.bincount(labels) / 9100),
    ):
        sampler = build("power", labels=labels, num_classes=3, power=power)
        np.testing.assert_allclose(sampler.fractions(2), expected)
        drawn = np.bincount(labels[np.concatenate(list(sampler.batches(0, 50)))], minlength=3) / (50 * 160)
        np.testing.assert_allclose(drawn, expected, atol=1 / 160)


def test_power_leaves_a_class_without_training_spectra_out():
    sampler = build("power", labels=np.array([0] * 90 + [2] * 10), num_classes=3, power=0.0)
    assert sampler.fractions(0).tolist() == [0.5, 0, 0.5]


@settings(max_examples=80, deadline=None)
@given(fractions=simplexes(), batch_size=st.integers(1, 500), seed=st.integers(0, 2**31))
def test_systematic_counts_are_within_one_and_fill_the_batch(fractions, batch_size, seed):
    counts = systematic_counts(fractions, batch_size, np.random.default_rng(seed))
    assert counts.sum() == batch_size
    assert (np.abs(counts - fractions * batch_size) < 1 + 1e-9).all()
    assert (counts[fractions == 0] == 0).all()


def test_schedule_moves_in_a_straight_line():
    sampler = build("schedule", start="fractions", start_fractions=[1, 0, 0, 0], end="balanced", num_epochs=5)
    expected = [[1 - 0.75 * t, 0.25 * t, 0.25 * t, 0.25 * t] for t in (0, 0.25, 0.5, 0.75, 1)]
    np.testing.assert_allclose([sampler.fractions(epoch) for epoch in range(5)], expected)
    assert (LABELS[next(sampler.batches(0, 1))] == 0).all()
    assert np.bincount(LABELS[next(sampler.batches(4, 1))]).tolist() == [40] * 4


def test_schedule_draws_a_rare_class_as_often_as_its_fraction_says():
    labels = np.array([0] * 996 + [1] * 4)
    sampler = build("schedule", labels=labels, num_classes=2, batch_size=100, num_epochs=3)
    counts = np.array([(labels[batch] == 1).sum() for batch in sampler.batches(0, 2000)])
    assert set(counts) == {0, 1}
    # Bernoulli(0.4) of 2,000 batches: a standard deviation of 0.011.
    assert abs(counts.mean() - 0.4) < 0.05


def test_schedule_of_one_epoch_stays_at_its_start():
    assert build("schedule", num_epochs=1, start="balanced", end="natural").fractions(0).tolist() == [0.25] * 4


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ({"name": "fractions", "fractions": [0.5, 0.6, 0, 0]}, r"sampler\.fractions=.* sums to 1\.1: .*sum to 1\."),
        ({"name": "fractions", "fractions": [1.2, -0.2]}, r"sampler\.fractions=.* out of range"),
        ({"name": "fractions", "fractions": [1.0]}, r"sampler\.fractions=.* too short"),
        ({"name": "fractions", "fractions": [0.5, "half"]}, r"sampler\.fractions.*half"),
        ({"name": "schedule", "end": "uniform"}, r"sampler\.end=uniform .*balanced"),
        ({"name": "schedule", "end": "fractions"}, r"sampler\.end=fractions needs sampler\.end_fractions"),
        ({"name": "schedule", "start_fractions": [0.5, 0.5]}, r"sampler\.start_fractions=.* not used"),
        ({"name": "schedule", "end": "fractions", "end_fractions": [0.5, 0.4]}, r"end_fractions=.* sums to 0\.9"),
        ({"name": "fraction"}, r"did you mean 'fractions'"),
    ],
)
def test_mistakes_are_named_before_anything_starts(node, message):
    with pytest.raises(UserError, match=message):
        samplers.typed(node)


def test_rounding_within_a_millionth_is_allowed():
    samplers.typed({"name": "fractions", "fractions": [0.3333333, 0.3333333, 0.3333333]})


@settings(max_examples=30, deadline=None)
@given(order=st.permutations(range(4)), upper=st.sets(st.integers(0, 3)))
def test_fractions_by_name_draw_the_same_batches_as_the_list_in_whatever_order_and_case(order, upper):
    written = {c: NAMES[c].upper() if c in upper else NAMES[c] for c in order}
    by_name = {written[c]: REFERENCE[c] for c in order}
    for fields in ("fractions", "fractions"), ("schedule", "start_fractions"):
        options = {"start": "fractions"} if fields[0] == "schedule" else {}
        named, listed = (build(fields[0], **options, **{fields[1]: value}) for value in (by_name, REFERENCE))
        assert named.fractions(0).tolist() == listed.fractions(0).tolist()
        assert np.array_equal(next(named.batches(2, 1)), next(listed.batches(2, 1)))


def test_one_fraction_per_class():
    with pytest.raises(UserError, match=r"sampler\.fractions=.* has 2 values, but the data has 4 classes"):
        build("fractions", fractions=[0.5, 0.5])
    with pytest.raises(UserError, match=r"sampler\.end_fractions=.* has 2 values"):
        build("schedule", end="fractions", end_fractions=[0.5, 0.5])


@pytest.mark.parametrize(
    ("name", "options", "instead"),
    [
        ("fractions", {"fractions": REFERENCE}, "give it the fraction 0."),
        ("balanced", {}, "give sampler=power sampler.power=0, which draws the other classes equally often."),
        ("schedule", {}, "give sampler.end=fractions, with 0 for it in sampler.end_fractions."),
        (
            "schedule",
            {"start": "fractions", "start_fractions": REFERENCE, "end": "natural"},
            "give it the fraction 0 in sampler.start_fractions.",
        ),
    ],
)
def test_a_class_without_spectra_is_named_with_a_way_to_leave_it_out(name, options, instead):
    sentence = f"sampler draws class index 3 (qso), which has no training spectra: add some, or {instead}"
    with pytest.raises(UserError, match=f"^{re.escape(sentence)}$"):
        build(name, labels=LABELS[LABELS != 3], **options)


@pytest.mark.parametrize(
    ("name", "options", "share"),
    [
        ("fractions", {"fractions": [0.5, 0.25, 0.25, 0]}, 0.5),
        ("power", {"power": 0.0}, 1 / 3),
        ("schedule", {"end": "fractions", "end_fractions": [0.5, 0.25, 0.25, 0]}, 0.5),
    ],
)
def test_a_class_without_spectra_may_be_left_out(name, options, share):
    sampler = build(name, labels=LABELS[LABELS != 3], **options)
    assert sampler.fractions(4)[[0, 3]].tolist() == pytest.approx([share, 0])
    assert len(next(sampler.batches(0, 1))) == 160


def test_a_fraction_below_one_row_names_the_class_and_the_batch_it_needs():
    with pytest.raises(UserError, match=r"leaves galaxy without .* of 0\.05 needs schedule.batch_size=20 or more"):
        build("fractions", fractions=REFERENCE, batch_size=16)
    assert len(next(build("fractions", fractions=REFERENCE, batch_size=20).batches(0, 1))) == 20
