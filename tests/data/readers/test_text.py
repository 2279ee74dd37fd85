"""Numbers from text, against Python's own float()."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from spectral.data.readers.text import parse_numbers

FORMATS = ["%.6g", "%r", "%e", "%.3f", "%+.8G"]
tokens = st.one_of(
    st.builds(lambda form, value: form % value, st.sampled_from(FORMATS), st.floats()),
    st.integers().map(str),
    st.sampled_from(["nan", "NaN", "inf", "-Infinity", ".5", "5.", "-0", "007", "1e400", "1e-400", "1E5", "3.5e38"]),
)
separators = st.sampled_from([",", ", ", " ,", ",\n", ",\r\n", "\t,", " ", "\n"])


def as_float32(texts):
    with np.errstate(over="ignore"):
        return np.array([float(text) for text in texts]).astype(np.float32)


@example([("-9223372036854775809", ",")], "")  # one less than the least integer of 64 bits
@given(st.lists(st.tuples(tokens, separators), min_size=1), st.sampled_from(["", ",", "\n", ",\r\n", "  "]))
def test_numbers_are_read_as_python_reads_them(pairs, end):
    raw = "".join(token + separator for token, separator in pairs[:-1]) + pairs[-1][0] + end
    np.testing.assert_array_equal(parse_numbers(raw.encode()), as_float32([token for token, _ in pairs]))


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=1))
def test_float32_written_in_full_is_read_back_exactly(values):
    raw = ",".join(repr(value) for value in values).encode()
    assert parse_numbers(raw).tobytes() == np.array(values, dtype=np.float32).tobytes()


@given(st.binary())
def test_any_bytes_give_numbers_or_a_value_error(raw):
    try:
        numbers = parse_numbers(raw)
    except ValueError:
        return
    assert numbers.dtype == np.float32 and numbers.ndim == 1 and len(numbers)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "no numbers"),
        (b" \r\n", "no numbers"),
        (b"1,2,abc", "not a number: 'abc' in place 3"),
        (b"1,NA,3", r"not a number: 'NA' in place 2 \(NaN is written as nan\)"),
        (b"1,,3", "not a number: '' in place 2"),
        (b"1,2,,", "not a number: '' in place 3"),
        (b",1", "not a number: '' in place 1"),
        (b"1,[2],3", r"not a number: '\[2\]' in place 2"),
        (b"1],[2", "not a number"),
        (b"true,1", "not a number: 'true' in place 1"),
        (b'1,"2"', "not a number"),
        (b"null", "not a number"),
        (b"1_000", "not a number"),
        (b"0x10", "not a number"),
        (b"1.5,2.5e", "not a number: '2.5e' in place 2"),  # cut off within a number
        (b"1,-", "not a number: '-' in place 2"),
        (b"1\x00,2", "not a number"),
        (b"\xff\xfe1,2", "text is not UTF-8"),
        (b"1," + b"x" * 500, r"not a number: 'x{20}\.\.\.' in place 2"),
    ],
)
def test_text_that_is_not_a_number_is_refused_with_its_position(raw, reason):
    with pytest.raises(ValueError, match=f"^{reason}"):
        parse_numbers(raw)


def test_a_byte_order_mark_is_skipped():
    np.testing.assert_array_equal(parse_numbers(b"\xef\xbb\xbf1,2"), [1, 2])


def test_blanks_are_nan_if_the_caller_allows_them():
    np.testing.assert_array_equal(parse_numbers(b"1,,3", blank_is_nan=True), [1, np.nan, 3])
