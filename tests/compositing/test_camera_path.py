"""How a camera moved is read off the room behind the person: exact on a stand, to a fraction of a pixel otherwise."""

import cv2
import numpy as np
import pytest

from filmed_shot import room_of
from understudy.compositing.camera_path import CameraWatch, moved_points

SIZE_HW = (180, 260)
CORNERS = np.array([[0.0, 0.0], [259, 0], [0, 179], [259, 179]])


def watched(matrices, seeds=None, person=True, room=None):
    """The path of a camera that sees a room through these (2, 3) or (3, 3) matrices, and somebody who walks in it."""
    watch = CameraWatch()
    for number, matrix in enumerate(matrices):
        seen = room_of((260, 520), (seeds or [1] * len(matrices))[number]) if room is None else room
        whole = np.vstack([matrix, [0, 0, 1]]) if len(matrix) == 2 else matrix
        frame = np.asarray(cv2.warpPerspective(seen, whole, SIZE_HW[::-1], flags=cv2.INTER_CUBIC), np.uint8)
        hidden = np.zeros(SIZE_HW, np.uint8)
        if person:  # a third of the picture, with a texture that moves by itself
            left = 20 + 5 * number
            frame[30:170, left : left + 80] = room_of((140, 80), 9)
            hidden[26:174, max(0, left - 4) : left + 84] = 255
        watch.add(frame, hidden)
    return watch.path


def shift(x, y=0.0):
    return np.array([[1.0, 0, -x], [0, 1, -y]])


def apart(path, matrices):
    whole = [np.vstack([one, [0, 0, 1]]) if len(one) == 2 else one for one in matrices]
    return [
        np.abs(
            moved_points(path.between(moment, 0), CORNERS) - moved_points(whole[0] @ np.linalg.inv(one), CORNERS)
        ).max()
        for moment, one in enumerate(whole)
    ]


def test_a_camera_on_a_stand_is_told_as_such():
    path = watched([shift(100, 40)] * 20)
    assert path.still and len(path) == 20 and not path.scene.any()
    assert not watched([shift(100 + 0.2 * number) for number in range(20)]).still


@pytest.mark.parametrize("speed", [0.7, 4.0, -9.0], ids=["slow", "swift", "back"])
def test_a_pan_is_followed_to_a_third_of_a_pixel(speed):
    start = 10 if speed > 0 else 250
    matrices = [shift(start + speed * number, 40) for number in range(25)]
    path = watched(matrices)
    assert not path.scene.any() and not path.still
    assert max(apart(path, matrices)) < 0.35


def test_a_turned_shaken_and_zooming_camera_is_followed():
    matrices = []
    for number in range(20):
        turned = cv2.getRotationMatrix2D((260.0, 130.0), 2 * np.sin(number / 3), 1 + 0.004 * number)
        turned[:, 2] -= (130 + 6 * np.sin(number), 40 + 5 * np.cos(number / 2))
        matrices.append(turned)
    assert max(apart(watched(matrices), matrices)) < 0.6


def test_a_camera_that_turns_about_itself_changes_the_perspective():
    focal, middle = 300.0, np.array([[1, 0, 129.5], [0, 1, 89.5], [0, 0, 1.0]])
    lens = middle @ np.diag([focal, focal, 1.0])
    matrices = []
    for angle in np.linspace(-0.12, 0.12, 25):
        turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
        one = lens @ turn @ np.linalg.inv(lens) @ np.vstack([shift(130, 40), [0, 0, 1]])
        matrices.append(one / one[2, 2])
    away = apart(watched(matrices), matrices)
    assert np.median(away) < 0.7 and max(away) < 1.7


def test_another_shot_is_another_scene_between_which_nothing_is_known():
    path = watched([shift(100, 40)] * 16, seeds=[1] * 8 + [77] * 8)
    assert path.scene.tolist() == [0] * 8 + [1] * 8 and not path.still
    np.testing.assert_allclose(path.between(9, 15), np.eye(3), atol=0.05)  # pixels: features are found to a tenth
    with pytest.raises(ValueError, match="different scenes"):
        path.between(7, 8)


def test_a_blank_wall_is_taken_to_be_still():
    assert watched([shift(0)] * 10, room=np.full((260, 520, 3), 200, np.uint8)).still


def test_it_is_the_same_path_in_larger_pictures():
    matrices = [shift(20 + 3 * number, 40) for number in range(12)]
    path = watched(matrices)
    larger = path.enlarged((360, 520))
    # the middle of the small picture's first pixel lies between the first two of the large one
    small = moved_points(path.between(8, 0), [[10.0, 20.0]])
    np.testing.assert_allclose(moved_points(larger.between(8, 0), [[20.5, 40.5]]), 2 * small + 0.5, atol=1e-6)
