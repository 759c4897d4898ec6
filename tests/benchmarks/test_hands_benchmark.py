"""The hands' benchmark: where it looks, and what it leaves out of the poses of those who are to have none."""

from pathlib import Path

import numpy as np
import pytest

from understudy.poses.pose import LEFT_HAND, LEFT_WRIST, RIGHT_HAND, RIGHT_WRIST


@pytest.fixture(scope="module")
def hands():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
        import hands

        yield hands


def seen_hand(knuckle=(120, 100), **lost):
    """(133, 2) and (133,): a right hand from (100, 100) on, all of it seen but the points that are named."""
    xy = np.zeros((133, 2), np.float32)
    xy[RIGHT_HAND] = 100, 100
    xy[RIGHT_HAND.start + 9] = knuckle
    confidence = np.zeros(133, np.float32)
    confidence[[RIGHT_WRIST, *range(RIGHT_HAND.start, RIGHT_HAND.stop)]] = 1
    confidence[list(lost.values())] = 0
    return xy, confidence


def test_a_square_about_the_middle_knuckle_holds_the_hand(hands):
    assert hands._box(*seen_hand(), RIGHT_WRIST, RIGHT_HAND, 200) == (92, 72, 148, 128)  # 1.4 of 20 pixels each way
    assert hands._box(*seen_hand(knuckle=(105, 100)), RIGHT_WRIST, RIGHT_HAND, 200) == (89, 84, 121, 116)  # 16, not 7


def test_hands_that_are_lost_or_cut_off_are_not_looked_at(hands):
    assert hands._box(*seen_hand(), RIGHT_WRIST, RIGHT_HAND, 140) is None
    assert hands._box(*seen_hand(tip=RIGHT_HAND.start + 12), RIGHT_WRIST, RIGHT_HAND, 200) is None
    assert hands._box(*seen_hand(wrist=RIGHT_WRIST), RIGHT_WRIST, RIGHT_HAND, 200) is None
    assert hands._box(*seen_hand(), LEFT_WRIST, LEFT_HAND, 200) is None


def test_who_has_no_fingers_keeps_all_else(hands):
    confidence = np.random.default_rng(0).random((4, 133)).astype(np.float32)
    bare = hands.without_fingers(confidence)
    assert not bare[:, LEFT_HAND].any() and not bare[:, RIGHT_HAND].any()
    np.testing.assert_array_equal(bare[:, : LEFT_HAND.start], confidence[:, : LEFT_HAND.start])
    assert confidence[:, RIGHT_HAND].all()  # which stays as it was
