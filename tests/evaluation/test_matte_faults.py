"""Torn pieces and holes are those that the truth has not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from evaluation.visible_damage import blurred, doubled, made_up, shifted, torn
from understudy.evaluation.matte_faults import matte_faults

SIZE = 128


def standing() -> np.ndarray:
    """A trunk with legs apart, and an arm akimbo: the gap between arm and trunk is real."""
    matte = np.zeros((SIZE, SIZE), np.uint8)
    matte[20:70, 50:80] = 1
    matte[70:120, 50:60] = matte[70:120, 70:80] = 1
    cv2.polylines(matte, [np.array([(52, 25), (34, 45), (52, 64)])], False, 1, 7)
    return matte > 0


def cut(matte: np.ndarray, rows: slice, columns: slice) -> np.ndarray:
    found = matte.copy()
    found[rows, columns] = False
    return found


def with_piece(matte: np.ndarray) -> np.ndarray:
    found = matte.copy()
    found[30:40, 100:110] = True
    return found


TRUE = standing()
CASES = {
    "the truth": (TRUE, TRUE, 0),
    "a hole in the trunk": (cut(TRUE, slice(40, 46), slice(62, 68)), TRUE, 1),
    "a hole of a pixel": (cut(TRUE, slice(40, 41), slice(62, 63)), TRUE, 0),
    "a leg cut through": (cut(TRUE, slice(90, 94), slice(45, 65)), TRUE, 2),  # the slit, and what hangs below it
    "a slit from below": (cut(TRUE, slice(50, 75), slice(62, 67)), TRUE, 1),
    "the gap is filled": (cv2.morphologyEx(TRUE.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((25, 25))) > 0, TRUE, 0),
    "a piece beside": (with_piece(TRUE), TRUE, 1),
    "a piece that is true": (with_piece(TRUE), with_piece(TRUE), 0),
    "no piece where one is true": (TRUE, with_piece(TRUE), 0),
    "a leg missing": (cut(TRUE, slice(70, 128), slice(50, 60)), TRUE, 0),  # elsewhere measured: joints, features
    "nobody painted": (np.zeros_like(TRUE), TRUE, 0),
    "nobody there": (TRUE, np.zeros_like(TRUE), 0),
    "two pixels aside": (np.roll(TRUE, 2, axis=1), TRUE, 0),
}


@pytest.mark.parametrize("case", CASES)
def test_faults_are_counted(case: str) -> None:
    made, true, expected = CASES[case]
    assert matte_faults(made, true) == expected


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_on_a_made_up_person_a_torn_sleeve_counts_and_harmless_changes_do_not(seed: int) -> None:
    who = made_up(seed)
    true = who.alpha >= 0.5
    assert matte_faults(torn(who).alpha >= 0.5, true) >= 1
    for clone in (shifted(who, 2, 0), shifted(who, 0, 1.5), blurred(who, 1), doubled(who)):
        assert matte_faults(clone.alpha >= 0.5, true) == 0
