"""Limbs do not break off, and cloth has no spots of other cloth; what may be so is left as it is."""

import cv2
import numpy as np
import pytest

from understudy.body.labels import LABEL
from understudy.body.surface_mesh import CHARTS
from understudy.conditioning.limb_warps import with_made_up_points
from understudy.people.made_up import made_up_views
from understudy.recipes.parts.label_repairs import with_whole_limbs, without_spots


@pytest.fixture(scope="module")
def view():
    return made_up_views(97, 1, (256, 160))[0]


def forearms(view):
    numbers = [number for number, name in enumerate(CHARTS) if "forearm" in name]
    return np.isin(view.surface[..., 0], numbers) & (view.labels > 0)


def test_a_limb_that_breaks_off_is_made_whole(view):
    _, seen = with_made_up_points(view.xy, np.ones(133, np.float32))
    lost = forearms(view)
    assert lost.sum() > 60
    broken = np.where(lost, np.uint8(0), view.labels)
    whole = with_whole_limbs(broken, view.surface, view.labels, seen)
    assert (whole[lost] > 0).mean() > 0.8 and np.array_equal(whole[~lost], broken[~lost])
    assert np.array_equal(with_whole_limbs(view.labels, view.surface, view.labels, seen), view.labels)


def test_a_limb_of_which_nothing_is_known_may_be_missing(view):
    confidence = np.ones(133, np.float32)
    confidence[[9, 10]] = 0  # the wrists
    confidence[91:] = 0  # the hands
    _, seen = with_made_up_points(view.xy, confidence)
    broken = np.where(forearms(view), np.uint8(0), view.labels)
    assert np.array_equal(with_whole_limbs(broken, view.surface, view.labels, seen), broken)


def test_an_outline_that_is_narrower_than_the_body_stays(view):
    _, seen = with_made_up_points(view.xy, np.ones(133, np.float32))
    inner = cv2.erode((view.labels > 0).astype(np.uint8), np.ones((3, 3)))
    fingers = [number for number, name in enumerate(CHARTS) if "hand" in name]  # as narrow as that themselves
    narrower = np.where((inner > 0) | np.isin(view.surface[..., 0], fingers), view.labels, np.uint8(0))
    lost = narrower != view.labels
    assert lost.sum() > 600
    given_back = with_whole_limbs(narrower, view.surface, view.labels, seen) != narrower
    assert given_back.sum() < 0.1 * lost.sum()  # but where trunk and arm, or two shins, almost touch


def test_a_spot_of_cloth_is_what_lies_around_it():
    labels = np.zeros((64, 64), np.uint8)
    labels[4:30, 20:44], labels[30:60, 20:44] = LABEL["upper clothes"], LABEL["pants"]
    clean = labels.copy()
    labels[40:42, 30:33] = LABEL["upper clothes"]
    labels[10:12, 25:27] = LABEL["pants"]
    bare = np.zeros((64, 64, 3), np.uint8)
    assert np.array_equal(without_spots(labels, bare), clean)
    assert np.array_equal(without_spots(clean, bare), clean)


def test_a_sleeve_before_trousers_is_no_spot():
    labels, surface = np.zeros((64, 64), np.uint8), np.zeros((64, 64, 3), np.uint8)
    labels[4:30, 20:44], labels[30:60, 20:44] = LABEL["upper clothes"], LABEL["pants"]
    labels[40:44, 28:34] = LABEL["upper clothes"]
    surface[40:42, 26:36, 0] = CHARTS.index("left forearm, before")
    assert np.array_equal(without_spots(labels, surface), labels)


def test_what_may_be_small_stays():
    labels = np.zeros((64, 64), np.uint8)
    labels[4:60, 20:44] = LABEL["dress"]
    labels[4:6, 20:22] = LABEL["left hand"]
    labels[50:52, 20:22] = LABEL["left hand"]  # another finger
    labels[8:10, 30:32] = LABEL["hair"]  # all of it
    labels[20:32, 25:35] = LABEL["coat"]
    labels[40:50, 25:35] = LABEL["coat"]  # both are large
    assert np.array_equal(without_spots(labels, np.zeros((64, 64, 3), np.uint8)), labels)
    assert not without_spots(np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3), np.uint8)).any()
