"""Faces by their points: labels within them, and crops in which they stand upright."""

from __future__ import annotations

import numpy as np
import pytest

import clips
from understudy.body.labels import FACE_LABELS, LABEL
from understudy.media.reading import VideoReader
from understudy.poses import pose as p
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.render import render
from understudy.synthetic.scene import make_scene
from understudy.tracking.blazepose import BlazePoseTracker
from understudy.tracking.face import aligned, face_labels, face_matrix, face_places, put_back

EYEBROWS, EYES, NOSE, LIPS, INNER = range(1, 6)


def face_points(side=224, scale=1.0, turn=0.0, shift=(0.0, 0.0), opened=8.0):
    """(133, 2) points of a face drawn by hand about the places of a crop, then scaled, turned (degrees) and shifted."""
    eyes_nose_mouth = face_places(side)
    right, left, tip, corner_right, corner_left = eyes_nose_mouth
    points = np.zeros((68, 2))
    points[:17] = np.stack([np.linspace(right[0] - 25, left[0] + 25, 17), np.full(17, corner_right[1] + 20)], axis=1)
    for brow, eye in ((slice(17, 22), right), (slice(22, 27), left)):
        points[brow] = eye + np.stack([np.linspace(-14, 14, 5), np.full(5, -16.0)], axis=1)
    ring = np.array([(-10, 0), (-4, -5), (4, -5), (10, 0), (4, 5), (-4, 5)], float)
    points[36:42], points[42:48] = right + ring, left + ring
    points[27:31] = np.linspace((right + left) / 2, tip, 4)
    points[31:36] = tip + np.stack([np.linspace(-9, 9, 5), np.full(5, 6.0)], axis=1)
    middle, half = (corner_right + corner_left) / 2, np.linalg.norm(corner_left - corner_right) / 2
    for start, count, wide, high in ((48, 12, half, opened / 2 + 5), (60, 8, half * 0.8, opened / 2)):
        angle = np.pi + np.arange(count) * 2 * np.pi / count
        points[start : start + count] = middle + np.stack([wide * np.cos(angle), high * np.sin(angle)], axis=1)
    points[48], points[54] = corner_right, corner_left
    radians = np.radians(turn)
    matrix = scale * np.array([[np.cos(radians), -np.sin(radians)], [np.sin(radians), np.cos(radians)]])
    xy = np.zeros((p.POINTS, 2), np.float32)
    xy[p.FACE] = points @ matrix.T + shift
    confidence = np.zeros(p.POINTS, np.float32)
    confidence[p.FACE] = 1
    return xy, confidence


@pytest.mark.parametrize("side", [224, 112, 448])
def test_a_face_at_its_places_stays_there(side):
    matrix = face_matrix(*face_points(side), side)
    assert np.allclose(matrix, [[1, 0, 0], [0, 1, 0]], atol=1e-5)


@pytest.mark.parametrize(("scale", "turn"), [(0.2, 0), (1.7, 35), (0.5, -120), (3, 180)])
def test_turn_scale_and_shift_are_taken_back(scale, turn):
    xy, confidence = face_points(scale=scale, turn=turn, shift=(400, 150))
    matrix = face_matrix(xy, confidence)
    back = np.concatenate([xy[p.FACE], np.ones((68, 1))], axis=1) @ matrix.T
    assert np.abs(back - face_points()[0][p.FACE]).max() < 1e-3


def test_the_tight_places_lie_within_the_wide_crop_of_the_same_face():
    tight, wide = face_places(112), face_places(224)
    assert (wide > 50).all() and (wide < 174).all()
    assert np.ptp(wide, axis=0) == pytest.approx(2 * 0.75 * np.ptp(tight, axis=0))


@pytest.mark.parametrize("broken", ["behind", "unseen", "half", "tiny"])
def test_without_a_face_there_is_neither_crop_nor_label(broken):
    xy, confidence = face_points(scale=0.5)
    if broken == "behind":
        xy[:, 0] = 112 - xy[:, 0]  # left of the person's where right was: the back of a head
    elif broken == "unseen":
        confidence[p.FACE] = 0.1
    elif broken == "half":
        confidence[p.FACE.start + 30 : p.FACE.stop] = 0  # brows and the nose's ridge alone
    else:
        xy *= 0.01
    assert face_matrix(xy, confidence) is None
    assert not face_labels(xy, confidence, (112, 112)).any()


def test_eyes_and_nose_of_the_body_are_enough_for_a_crop():
    xy, confidence = face_points(scale=0.4, turn=10, shift=(20, 30))
    whole = face_matrix(xy, confidence)
    face = xy[p.FACE]
    xy[[p.RIGHT_EYE, p.LEFT_EYE, p.NOSE]] = face[36:42].mean(0), face[42:48].mean(0), face[30]
    confidence[:] = 0
    confidence[[p.RIGHT_EYE, p.LEFT_EYE, p.NOSE]] = 1
    assert np.allclose(face_matrix(xy, confidence), whole, atol=1e-3)
    assert not face_labels(xy, confidence, (200, 200)).any()


def test_of_a_profile_the_ears_say_how_large_the_head_is():
    xy, confidence = np.zeros((p.POINTS, 2), np.float32), np.zeros(p.POINTS, np.float32)
    for point, place in ((p.NOSE, (50, 60)), (p.RIGHT_EYE, (56, 52)), (p.LEFT_EYE, (62, 50)), (p.LEFT_EAR, (95, 55))):
        xy[point], confidence[point] = place, 1
    matrix = face_matrix(xy, confidence)
    head = np.concatenate([xy[:5][confidence[:5] > 0], np.ones((4, 1))], axis=1) @ matrix.T
    assert np.hypot(*matrix[:, 0]) == pytest.approx(0.52 * 224 / np.hypot(45, 5), rel=1e-4)
    assert (head > 0).all() and (head < 223).all()


def test_the_labels_of_a_face_drawn_by_hand():
    xy, confidence = face_points()
    labels = face_labels(xy, confidence, (224, 224))
    right, left, tip, corner, other = np.round(face_places(224)).astype(int)
    assert labels.dtype == np.uint8 and set(np.unique(labels)) == set(range(len(FACE_LABELS)))
    assert labels[right[1], right[0]] == labels[left[1], left[0]] == EYES
    assert labels[right[1] - 14, right[0]] == labels[left[1] - 14, left[0]] == EYEBROWS
    assert labels[tip[1], tip[0]] == NOSE
    middle = (corner + other) // 2
    assert labels[middle[1], middle[0]] == INNER
    assert labels[middle[1] - 7, middle[0]] == labels[middle[1] + 7, middle[0]] == LIPS
    assert labels[0, 0] == labels[right[1], (right[0] + left[0]) // 2 - 13] == 0
    # an eye's hexagon has 10 x 10 / 2 + 8 x 10 / 2 + ... = 140 pixels between its corners; its outline comes on top
    assert 120 < (labels == EYES).sum() / 2 < 180


def test_a_closed_mouth_has_no_inside():
    xy, confidence = face_points(opened=0.0)
    labels = face_labels(xy, confidence, (224, 224))
    assert not (labels == INNER).any() and (labels == LIPS).any()


def test_a_face_half_out_of_the_picture_is_drawn_as_far_as_it_goes():
    labels = face_labels(*face_points(shift=(-112, 0)), (224, 224))
    assert (labels == EYES).any() and (labels[:, 112:] == 0).all()


def test_what_is_cut_out_and_put_back_is_the_picture():
    random = np.random.default_rng(0)
    small = random.integers(0, 256, (24, 24, 3), np.uint8)
    picture = np.kron(small, np.ones((16, 16, 1), np.uint8))
    xy, confidence = face_points(scale=0.5, turn=20, shift=(150, 100))
    matrix = face_matrix(xy, confidence)
    crop = aligned(picture, matrix)
    assert crop.shape == (224, 224, 3)
    same = put_back(picture, crop, matrix)
    assert np.abs(same.astype(int) - picture).mean() < 2
    changed = put_back(picture, 255 - crop, matrix)
    x, y = np.round(xy[p.FACE][30]).astype(int)
    assert np.abs(changed[y, x].astype(int) - (255 - picture[y, x].astype(int))).max() < 40
    assert np.array_equal(changed[:50], picture[:50]) and np.array_equal(changed[:, :90], picture[:, :90])
    assert np.array_equal(put_back(picture, 255 - crop, matrix, np.zeros((224, 224))), picture)


def test_a_large_face_is_averaged_not_skipped():
    """A pattern of single pixels is grey from afar."""
    picture = np.zeros((2000, 2000), np.uint8)
    picture[::2, ::2] = picture[1::2, 1::2] = 255
    matrix = face_matrix(*face_points(scale=8.0))
    crop = aligned(picture, matrix)
    assert np.abs(crop[20:-20, 20:-20].astype(int) - 127).max() < 16


def test_made_up_faces_are_labelled_within_their_faces():
    drawn = 0
    for number in range(5):
        motion = choreography(number, 8, 30)[::60]
        for shown in render(make_person(number), motion, make_scene(number, (384, 384))):
            labels = face_labels(shown.xy, shown.confidence, (384, 384))
            if labels.any():
                drawn += 1
                assert {EYES, LIPS} <= set(np.unique(labels))
                assert (shown.labels[labels > 0] == LABEL["face"]).mean() > 0.8
    assert drawn >= 8


def test_parts_that_are_not_seen_are_not_drawn():
    xy, confidence = face_points()
    whole = face_labels(xy, confidence, (224, 224))
    confidence[p.FACE.start + 36 : p.FACE.start + 40] = 0  # four points of the right eye
    labels = face_labels(xy, confidence, (224, 224))
    right, left = (slice(None), slice(None, 112)), (slice(None), slice(112, None))
    assert not np.isin(labels[right], [EYES, EYEBROWS]).any()
    assert np.array_equal(labels[left] == EYES, whole[left] == EYES)
    assert np.allclose(face_matrix(xy, confidence), [[1, 0, 0], [0, 1, 0]], atol=1e-4)


def test_real_faces_stand_upright_in_their_crops():
    with VideoReader(clips.real_clip("studio_squats_5fps.mp4"), start=1.0, long_side=1280, say_notes=False) as reader:
        frame = next(iter(reader))
    tracker = BlazePoseTracker("wholebody")
    detection = tracker(frame)
    tracker.close()
    matrix = face_matrix(detection.xy, detection.confidence)
    crop = aligned(frame, matrix)
    points = np.concatenate([detection.xy[p.FACE], np.ones((68, 1))], axis=1) @ matrix.T
    assert np.abs(points[[48, 54]] - face_places(224)[3:]).max() < 8
    assert np.abs(points[30] - face_places(224)[2]).max() < 20  # the tip of a nose moves most when a head turns
    labels = face_labels(detection.xy, detection.confidence, frame.shape[:2])
    assert {EYEBROWS, EYES, NOSE, LIPS} <= set(np.unique(labels))
    lips = frame[labels == LIPS].mean(axis=0)
    assert crop.std() > 30 and lips[0] > lips[1]  # red
