"""Data sets in their published layout, of made-up people, become files that networks learn from."""

import shutil
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from understudy.body.labels import LABEL
from understudy.errors import UsageError
from understudy.people.pairs import pairs_of
from understudy.poses.pose import LEFT_HAND
from understudy.recipes.parts.freestyle_datasets import _persons, gather_dataset, with_hands
from understudy.recipes.parts.freestyle_samples import PersonFile
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.render import render
from understudy.synthetic.scene import make_scene

SIZE = (128, 80)


@pytest.fixture(scope="module")
def vip(tmp_path_factory):
    """Two frames of one made-up person, 25 frames apart, whose hands count as arms, as VIP has it."""
    root = tmp_path_factory.mktemp("data") / "VIP_Fine"
    film = list(render(make_person(3), choreography(4, 2, 30)[::25][:2], make_scene(2, (400, 300))))
    for number, shown in zip((1, 26), film, strict=True):
        labels = np.where(shown.labels == LABEL["left hand"], LABEL["left arm"], shown.labels)
        labels = np.where(labels == LABEL["right hand"], LABEL["right arm"], labels).astype(np.uint8)
        for kind, picture, ending in (
            ("Images", cv2.cvtColor(shown.frame, cv2.COLOR_RGB2BGR), "jpg"),
            ("Annotations/Category_ids", labels, "png"),
            ("Annotations/Human_ids", (labels > 0).astype(np.uint8), "png"),
        ):
            path = root / kind / "videos1" / f"{number:012d}.{ending}"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), picture)
    return root


def test_a_person_of_a_data_set_becomes_a_file_with_pose_surface_and_hands(tmp_path, vip):
    (path,) = gather_dataset(tmp_path, vip, SIZE)
    person = PersonFile(path)
    assert len(person) == 2  # each of the two frames from the other
    pair = person.pair(0)
    assert pair.wanted.frame.shape == (*SIZE, 3) and (pair.wanted.frame != pair.reference.frame).any()
    view = pair.wanted
    inside = view.labels > 0
    assert (view.surface[..., 0] > 0)[inside].mean() > 0.6
    assert (view.confidence[:17] > 0).sum() > 10
    again = path.stat().st_mtime_ns
    assert gather_dataset(tmp_path, vip, SIZE) == [path] and path.stat().st_mtime_ns == again


@pytest.mark.parametrize("every", [1, 25, 150])
@pytest.mark.parametrize("count", [1, 2, 5, 7, 12, 13, 40, 200])
def test_the_pictures_of_a_person_are_spread_over_the_video_and_each_has_a_partner(count, every):
    seen = [SimpleNamespace(who=("video", 3), number=1 + every * place) for place in range(count)]
    (chosen,) = _persons(iter(seen)).values()
    numbers = [one.number for one in chosen]
    assert numbers == sorted(set(numbers)) and min(count, 5) <= len(numbers) <= 6
    assert numbers[0] == 1 and numbers[-1] >= 0.75 * seen[-1].number
    if count > 1 and every * count < 12 * 120:
        pairs = pairs_of([(("", 0), number) for number in numbers], most=6)
        assert all(one != other for one, other in pairs)


def test_two_folders_of_one_name_are_two_data_sets(tmp_path, vip):
    copy = tmp_path / "other" / vip.name
    shutil.copytree(vip, copy)
    (one,), (other,) = (gather_dataset(tmp_path / "people", data, SIZE) for data in (vip, copy))
    assert one != other


def test_hands_are_arms_within_the_points_of_a_hand():
    labels = np.full((60, 60), LABEL["left arm"], np.uint8)
    labels[:, 40:] = LABEL["upper clothes"]
    xy, confidence = np.zeros((133, 2), np.float32), np.zeros(133, np.float32)
    turn = np.linspace(0, 6, 21)
    xy[LEFT_HAND] = np.stack([30 + 15 * np.cos(turn), 30 + 15 * np.sin(turn)], axis=1)
    confidence[LEFT_HAND] = 1
    shown = with_hands(labels, xy, confidence)
    assert shown[30, 30] == LABEL["left hand"] and shown[5, 5] == LABEL["left arm"]
    assert (shown[:, 40:] == LABEL["upper clothes"]).all()
    np.testing.assert_array_equal(with_hands(labels, xy, 0 * confidence), labels)


def test_a_folder_that_is_no_data_set_is_one_line(tmp_path):
    with pytest.raises(UsageError, match="no data set that is read here"):
        gather_dataset(tmp_path, tmp_path, SIZE)
