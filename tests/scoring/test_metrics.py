"""Metrics against the confusion matrix's formulas and against scikit-learn's own averages."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, f1_score, log_loss

from spectral.scoring.metrics import classification_metrics, confusion

NAMES = ["star", "unknown", "galaxy", "qso"]


def one_hot(predicted, num_classes):
    return np.eye(num_classes)[predicted] * 0.9 + 0.1 / num_classes


def from_confusion(labels, predicted, num_classes):
    matrix = np.zeros((num_classes, num_classes))
    for true, called in zip(labels, predicted, strict=True):
        matrix[true, called] += 1
    hits, actual, claimed = np.diag(matrix), matrix.sum(1), matrix.sum(0)
    return {
        "precision": hits / np.maximum(claimed, 1),
        "recall": hits / np.maximum(actual, 1),
        "f1": 2 * hits / np.maximum(actual + claimed, 1),
        "balanced_accuracy": (hits / np.maximum(actual, 1))[actual > 0].mean(),
        "accuracy": hits.sum() / matrix.sum(),
    }


@st.composite
def outcomes(draw):
    num_classes = draw(st.integers(2, 10))
    size = draw(st.integers(1, 60))
    classes = st.lists(st.integers(0, num_classes - 1), min_size=size, max_size=size)
    return num_classes, np.array(draw(classes)), np.array(draw(classes))


@settings(max_examples=25, deadline=None)
@given(outcome=outcomes())
def test_all_metrics(outcome):
    num_classes, labels, predicted = outcome
    names = [f"class{c}" for c in range(num_classes)]
    metrics = classification_metrics(labels, predicted, one_hot(predicted, num_classes), names)
    expected = from_confusion(labels, predicted, num_classes)
    for kind in ("precision", "recall", "f1"):
        np.testing.assert_allclose([metrics[f"{kind}/{name}"] for name in names], expected[kind])
    there = np.unique(labels)
    assert metrics["macro_f1"] == pytest.approx(expected["f1"][there].mean())
    assert metrics["macro_f1"] == pytest.approx(
        f1_score(labels, predicted, labels=there, average="macro", zero_division=0)
    )
    assert metrics["accuracy"] == pytest.approx(expected["accuracy"])
    assert metrics["balanced_accuracy"] == pytest.approx(expected["balanced_accuracy"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns of predicted classes without labels
        assert metrics["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(labels, predicted))
    assert metrics["log_loss"] == pytest.approx(
        log_loss(labels, one_hot(predicted, num_classes), labels=range(num_classes))
    )
    matrix = confusion_matrix(labels, predicted, labels=range(num_classes))
    np.testing.assert_array_equal(confusion(labels, predicted, num_classes), matrix)
    assert all(type(value) is float for value in metrics.values())


def test_a_class_without_labels_counts_for_nothing():
    labels = predicted = np.array([0, 1, 2, 0])
    metrics = classification_metrics(labels, predicted, one_hot(predicted, 4), NAMES)
    assert metrics["macro_f1"] == 1
    assert metrics["f1/qso"] == metrics["precision/qso"] == metrics["recall/qso"] == 0
    assert metrics["balanced_accuracy"] == metrics["accuracy"] == 1


def test_a_class_never_predicted_counts_as_zero():
    labels, predicted = np.array([0, 0, 1, 3]), np.array([0, 0, 1, 0])
    metrics = classification_metrics(labels, predicted, one_hot(predicted, 4), NAMES)
    assert metrics["f1/qso"] == 0
    assert metrics["macro_f1"] == pytest.approx((0.8 + 1 + 0) / 3)


def test_log_loss_of_float32_softmax_with_zeros():
    probabilities = np.array([[0.7, 0.2, 0.1], [0.3333333, 0.3333333, 0.3333333], [1.0, 0.0, 0.0]], np.float32)
    metrics = classification_metrics(np.array([0, 1, 0]), np.array([0, 0, 0]), probabilities, NAMES[:3])
    assert metrics["log_loss"] == pytest.approx(-(np.log(0.7) + np.log(1 / 3)) / 3, rel=1e-5)


def test_confusion_has_true_classes_in_rows_and_all_classes():
    matrix = confusion(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0]), 4)
    assert matrix.tolist() == [[1, 1, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    assert matrix.dtype == np.int64
