"""Published data sets, read out of small folders that are laid out as they are."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from understudy.body.labels import LABEL, LABELS
from understudy.errors import MediaError, UsageError
from understudy.people.datasets import MHP_LABELS, PersonSeen, is_large_and_whole, portrait, read_people

SIZE_HW = (200, 260)
LEFT_PART = np.arange(SIZE_HW[1]) < 40


def somebody(left, top=20, wide=50, high=150):
    """(H, W) labels: hair, face, clothes, pants and shoes, one below the other."""
    labels = np.zeros(SIZE_HW, np.uint8)
    names = ["hair", "face", "upper clothes", "upper clothes", "pants", "pants", "left shoe"]
    for number, name in enumerate(names):
        rows = slice(top + number * high // len(names), top + (number + 1) * high // len(names))
        labels[rows, left : left + wide] = LABEL[name]
    return labels


def picture(*people):
    """Each person in a colour of their own."""
    frame = np.full((*SIZE_HW, 3), 120, np.uint8)
    for number, labels in enumerate(people):
        frame[labels > 0] = [(250, 20, 20), (20, 250, 20), (20, 20, 250)][number]
    return frame


def save(path: Path, values: np.ndarray, palette: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(values)
    if palette:
        image.putpalette([(7 * value + channel) % 256 for value in range(256) for channel in range(3)])
    image.save(path, **({"quality": 95} if path.suffix == ".jpg" else {}))


def save_people(root: Path, name: str, people: dict[int, np.ndarray], palette: bool = False) -> None:
    """Category_ids and Human_ids, as VIP and CIHP have them."""
    category, humans = np.zeros(SIZE_HW, np.uint8), np.zeros(SIZE_HW, np.uint8)
    for number, labels in people.items():
        category[labels > 0], humans[labels > 0] = labels[labels > 0], number
    save(root / "Category_ids" / f"{name}.png", category, palette)
    save(root / "Human_ids" / f"{name}.png", humans, palette)


@pytest.fixture
def vip_folder(tmp_path):
    root = tmp_path / "VIP" / "VIP_Fine"
    for video, frames in (("videos10", [1]), ("videos2", [1, 26])):
        for frame in frames:
            ann, bob = somebody(20 + frame), somebody(150)
            save(root / "Images" / video / f"{frame:012}.jpg", picture(ann, bob))
            for kind, name in ((root / "Annotations", f"{video}/{frame:012}"),):
                save_people(kind, name, {1: ann, 3: bob}, palette=frame == 26)
    save(root / "Images" / "videos99" / "000000000001.jpg", picture())  # of the test set: no annotations
    return root.parent


@pytest.fixture
def cihp_folder(tmp_path):
    root = tmp_path / "instance-level_human_parsing"
    for name in ("0000006", "0000011"):
        ann, bob = somebody(20), somebody(150)
        save(root / "Training" / "Images" / f"{name}.jpg", picture(ann, bob))
        save_people(root / "Training", name, {1: ann, 2: bob})
    (root / "Training" / "train_id.txt").write_text("0000011\n0000006\n")
    return root


@pytest.fixture
def mhp_folder(tmp_path):
    root = tmp_path / "LV-MHP-v2"
    (root / "list").mkdir(parents=True)
    (root / "list" / "train.txt").write_text("4\n")
    ann, bob = somebody(20), somebody(150)
    save(root / "train" / "images" / "4.jpg", picture(ann, bob))
    for number, person in enumerate((ann, bob), start=1):
        numbers = np.zeros(SIZE_HW, np.uint8)
        for ours, theirs in (("hair", 4), ("face", 3), ("upper clothes", 12), ("pants", 17), ("left shoe", 22)):
            numbers[person == LABEL[ours]] = theirs
        save(root / "train" / "parsing_annos" / f"4_02_{number:02}.png", np.repeat(numbers[..., None], 3, axis=2))
    return root


def test_vip_video_for_video_and_frame_for_frame(vip_folder):
    people = list(read_people(vip_folder))
    assert [(one.who, one.number) for one in people] == [
        (("videos2", 1), 1), (("videos2", 3), 1), (("videos2", 1), 26), (("videos2", 3), 26),
        (("videos10", 1), 1), (("videos10", 3), 1),
    ]  # fmt: skip
    ann, bob = people[:2]
    assert np.array_equal(ann.labels, somebody(21)) and np.array_equal(bob.labels, somebody(150))
    assert np.array_equal(ann.others > 0, bob.labels > 0) and set(np.unique(ann.others)) == {0, 255}
    assert ann.frame[100, 40, 0] > 200 and bob.frame[100, 170, 1] > 200
    assert np.array_equal(people[2].labels, somebody(46))  # kept with a palette


def test_cihp_in_the_order_of_its_list(cihp_folder):
    people = list(read_people(cihp_folder))
    assert [one.who for one in people] == [("0000011", 1), ("0000011", 2), ("0000006", 1), ("0000006", 2)]
    assert np.array_equal(people[1].labels, somebody(150)) and {one.number for one in people} == {0}
    (cihp_folder / "Training" / "train_id.txt").unlink()
    assert [one.who[0] for one in read_people(cihp_folder)][::2] == ["0000006", "0000011"]


def test_mhp_has_a_file_for_each_person(mhp_folder):
    ann, bob = read_people(mhp_folder)
    assert (ann.who, bob.who) == (("4", 1), ("4", 2))
    assert np.array_equal(ann.labels, somebody(20)) and np.array_equal(ann.others > 0, bob.labels > 0)


def test_every_category_of_mhp_has_one_of_our_labels():
    table = dict(MHP_LABELS)
    assert len(MHP_LABELS) == len(table) == 59 and set(table.values()) <= set(LABELS)
    assert [table[name] for name in ("left boot", "right high heel", "left sandal", "right foot")] == [
        "left shoe", "right shoe", "left shoe", "right leg"
    ]  # fmt: skip
    for side, other in (("left ", "right "), ("right ", "left ")):
        for name, label in MHP_LABELS:
            if name.startswith(side):
                assert table[name.replace(side, other)] == label.replace(side, other)


def test_a_watch_is_part_of_the_arm_it_lies_on(mhp_folder):
    path = mhp_folder / "train" / "parsing_annos" / "4_02_01.png"
    numbers = np.asarray(Image.open(path))[..., 0].copy()
    numbers[60:90, 10:20], numbers[90:95, 10:20], numbers[60:90, 70:80] = 6, 53, 5  # right arm, watch, left arm
    save(path, np.repeat(numbers[..., None], 3, axis=2))
    ann = next(read_people(mhp_folder))
    assert (ann.labels[90:95, 10:20] == LABEL["right arm"]).all() and (
        ann.labels[60:90, 70:80] == LABEL["left arm"]
    ).all()


def test_it_reads_one_picture_at_a_time(vip_folder):
    """A damaged picture is noticed when it is reached, not before."""
    (vip_folder / "VIP_Fine" / "Images" / "videos10" / "000000000001.jpg").write_bytes(b"nothing")
    people = read_people(vip_folder)
    assert [next(people).who[0] for _ in range(4)] == ["videos2"] * 4
    with pytest.raises(MediaError, match=r"videos10.000000000001\.jpg is not a PNG or JPEG"):
        next(people)


@pytest.mark.parametrize(
    ("labels", "others", "kept"),
    [
        (somebody(20), somebody(150), True),
        (somebody(20, high=100), somebody(150), False),
        (somebody(20), np.where(somebody(20) > 0, 0, 255), True),
        (
            np.where(np.arange(SIZE_HW[1]) < 40, somebody(20), 0),
            np.where(np.arange(SIZE_HW[1]) < 40, 0, somebody(20)),
            True,
        ),
        (somebody(20) * (np.indices(SIZE_HW).sum(0) % 9 == 0), np.zeros(SIZE_HW), False),
        (somebody(20) * (np.indices(SIZE_HW)[0] % 2 == 0), somebody(20) * (np.indices(SIZE_HW)[0] % 2 == 1), False),
    ],
    ids=["beside another", "small", "filling the box", "box around what is seen", "in pieces", "behind a fence"],
)
def test_small_and_hidden_people_are_left_out(labels, others, kept):
    person = PersonSeen(picture(), labels.astype(np.uint8), others.astype(np.uint8), ("a", 1), 0)
    assert is_large_and_whole(person) is kept


def break_it(folder: Path, how: str) -> None:
    mark = folder / "Training" / "Human_ids" / "0000011.png"
    category = folder / "Training" / "Category_ids" / "0000011.png"
    image = folder / "Training" / "Images" / "0000011.jpg"
    if how.startswith("no "):
        {"no picture": image, "no people": mark, "no labels": category}[how].unlink()
    elif how == "cut":
        mark.write_bytes(mark.read_bytes()[:60])
    elif how == "other size":
        save(mark, np.zeros((20, 20), np.uint8))
    elif how == "other labels":
        save(category, np.full(SIZE_HW, 45, np.uint8))


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("no picture", r"there is no .*0000011\.jpg, which belongs to 0000011\.png: unpack the data set again"),
        ("no people", r"there is no .*Human_ids.0000011\.png: unpack the data set again"),
        ("no labels", r"there is no .*Category_ids.0000011\.png, which belongs to"),
        ("cut", r"Human_ids.0000011\.png is damaged or cut off: unpack"),
        ("other size", r"0000011\.png is 20x20 and its picture 260x200: they do not belong together"),
        ("other labels", r"0000011\.png has the label 45, and there are 20: it is of another data set"),
    ],
)
def test_damage_is_one_line(cihp_folder, how, words):
    break_it(cihp_folder, how)
    with pytest.raises(MediaError, match=words) as caught:
        list(read_people(cihp_folder))
    assert "\n" not in str(caught.value)


def test_mhp_without_a_persons_file(mhp_folder):
    (mhp_folder / "list" / "train.txt").write_text("4\n5\n")
    with pytest.raises(MediaError, match=r"parsing_annos has no 5_NN_MM\.png for 5\.jpg"):
        list(read_people(mhp_folder))


@pytest.mark.parametrize("there", [True, False])
def test_other_folders_are_refused(tmp_path, there):
    folder = tmp_path if there else tmp_path / "gone"
    with pytest.raises(UsageError, match="is no data set that is read here" if there else "there is no folder"):
        read_people(folder)


@pytest.mark.parametrize("high", [150, 60])
def test_a_portrait_holds_the_whole_person_in_the_middle(high):
    labels = somebody(200, top=40, high=high)
    made = portrait(PersonSeen(picture(labels), labels, somebody(20), ("a", 1), 3), (256, 160))
    x, y, wide, tall = cv2.boundingRect((made.labels > 0).astype(np.uint8))
    assert made.frame.shape == (256, 160, 3) and (made.who, made.number) == (("a", 1), 3)
    assert max(tall / 256, wide / 160) == pytest.approx(0.84, abs=0.02)
    assert abs(x + wide / 2 - 80) < 2 and abs(y + tall / 2 - 128) < 2
    assert set(np.unique(made.labels)) == set(np.unique(labels))
    inside = cv2.erode((made.labels > 0).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    assert np.abs(made.frame[inside].astype(int) - [250, 20, 20]).max() < 10
