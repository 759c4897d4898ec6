"""Numbers and words out of JSON: what they are taken for, and what they must not be."""

from fractions import Fraction

import pytest

from understudy.base.stored import number, rate, whole, word


@pytest.mark.parametrize(
    ("value", "exact"),
    [("30000/1001", Fraction(30000, 1001)), ("25", 25), (25, 25), ("12.5", Fraction(25, 2)), (7.5, Fraction(15, 2))],
)
def test_a_rate_is_exact(value, exact):
    assert rate(value) == exact


@pytest.mark.parametrize(
    "value",
    [
        *("", "x", "0", "0/1", "1/0", "-3", "1/2/3", "1e9999999", "1e-9999999", "9" * 5000, "1001", "\u0661"),
        *(0, -1, 1001, True, None, [], {}, float("nan"), float("inf")),
    ],
)
def test_what_is_no_rate_is_refused_at_once(value):
    with pytest.raises(ValueError, match="rate"):
        rate(value)


@pytest.mark.parametrize("value", ["1", True, None, [], float("nan"), float("inf"), -float("inf"), 10**400])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match="is no number"):
        number(value)
    assert number(3) == 3.0


@pytest.mark.parametrize("value", ["1", True, None, 1.0, 0, 11, 10**400])
def test_what_is_no_whole_number_or_too_large_is_refused(value):
    with pytest.raises(ValueError, match="is no whole number from 1 to 10"):
        whole(value, 1, 10)
    assert whole(10, 1, 10) == 10


def test_what_is_refused_is_named_shortly():
    with pytest.raises(ValueError, match="is no text") as raised:
        word(list(range(10_000)))
    assert len(str(raised.value)) < 100
