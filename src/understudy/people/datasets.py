"""People out of published data sets of human parsing: VIP, CIHP and MHPv2, as their folders come.

Gafni et al. 2021, section 4: VIP (Zhou et al. 2018) for poses, CIHP (Gong et al. 2018) and MHPv2 (Zhao et al. 2018) for
looks; "small and highly occluded people" are left out. All three are for research alone; none is fetched. One person
after the other is read, so that no data set lies in memory.

VIP and CIHP have the first 20 of our labels, numbered alike; the two hands are in none of them but MHPv2.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from understudy.body.labels import LABEL, LABELS
from understudy.errors import MediaError, UsageError
from understudy.media.images import read_image

UInt8Array = npt.NDArray[np.uint8]

SMALLEST = 128
"""pixels of a picture that a person must be high, or wide: a smaller one would be enlarged four times and more"""
MOST_HIDDEN = 0.3
"""share of a person's box that other people may cover"""
LEAST_OF_BOX = 0.12
"""share of the box that the person fills at least: whoever fills less is seen in pieces"""
MARGIN = 0.08
"""of a portrait's height and width, left free on each side of the person"""
PUBLISHED = 20
"""labels of VIP and CIHP, the background among them"""

MHP_LABELS: tuple[tuple[str, str], ...] = (
    ("background", "background"), ("cap or hat", "hat"), ("helmet", "hat"), ("face", "face"), ("hair", "hair"),
    ("left arm", "left arm"), ("right arm", "right arm"), ("left hand", "left hand"), ("right hand", "right hand"),
    ("protector", "upper clothes"), ("bikini or bra", "upper clothes"), ("jacket, windbreaker or hoodie", "coat"),
    ("T-shirt", "upper clothes"), ("polo shirt", "upper clothes"), ("sweater", "upper clothes"),
    ("singlet", "upper clothes"), ("torso skin", "torso skin"), ("pants", "pants"), ("shorts", "pants"),
    ("skirt", "skirt"), ("stockings", "pants"), ("socks", "socks"), ("left boot", "left shoe"),
    ("right boot", "right shoe"), ("left shoe", "left shoe"), ("right shoe", "right shoe"),
    ("left high heel", "left shoe"), ("right high heel", "right shoe"), ("left sandal", "left shoe"),
    ("right sandal", "right shoe"), ("left leg", "left leg"), ("right leg", "right leg"), ("left foot", "left leg"),
    ("right foot", "right leg"), ("coat", "coat"), ("dress", "dress"), ("robe", "dress"), ("jumpsuit", "dress"),
    ("other clothes of the whole body", "dress"), ("headwear", "hat"), ("backpack", "background"),
    ("ball", "background"), ("bats", "background"), ("belt", "pants"), ("bottle", "background"),
    ("carry bag", "background"), ("cases", "background"), ("sunglasses", "sunglasses"), ("eyewear", "sunglasses"),
    ("gloves", "gloves"), ("scarf", "scarf"), ("umbrella", "background"), ("wallet or purse", "background"),
    ("watch", "background"), ("wristband", "background"), ("tie", "scarf"), ("other accessories", "background"),
    ("other clothes above", "upper clothes"), ("other clothes below", "pants"),
)  # fmt: skip
"""MHPv2's 59 categories by number, and which of our labels each becomes. Boots, heels and sandals are shoes, bare feet
belong to the legs as in VIP, tights are pants; what is carried is no part of anybody. Watches and wristbands become the
arm they lie on (`_worn`)."""
_MHP = np.array([LABEL[label] for _, label in MHP_LABELS], np.uint8)
_WRIST = (53, 54)
"""watch and wristband"""


@dataclass(frozen=True, eq=False)
class PersonSeen:
    """One person in one picture of a data set.

    Attributes:
        frame: (H, W, 3) RGB, the whole picture.
        labels: (H, W) numbers of `LABELS`, of this person alone.
        others: (H, W), 255 where other people are.
        who: the video (or picture) and the person's number in it: the same for the same person.
        number: of the frame in the video; 0 in a still picture.
    """

    frame: UInt8Array
    labels: UInt8Array
    others: UInt8Array
    who: tuple[str, int]
    number: int


def read_people(folder: Path) -> Iterator[PersonSeen]:
    """The people of a data set's folder, whichever of the three it is; `folder` or one above it, as it is unpacked.

    Raises:
        UsageError: it is none of the three.
        MediaError: a file is missing, damaged or does not belong to the others.
    """
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}: give one of VIP, CIHP or MHPv2, as published")
    for place in (folder, *sorted(one for one in folder.iterdir() if one.is_dir())):
        if (place / "Images").is_dir() and (place / "Annotations" / "Human_ids").is_dir():
            return vip(place)
        if (place / "Training" / "Images").is_dir():
            return cihp(place)
        if (place / "train" / "parsing_annos").is_dir():
            return mhp(place)
    raise UsageError(
        f"{folder} is no data set that is read here: VIP has Images and Annotations, CIHP has Training/Images, and "
        "MHPv2 train/parsing_annos"
    )


def vip(folder: Path) -> Iterator[PersonSeen]:
    """VIP_Fine: every 25th frame of its videos, in the order of the videos and frames.

        Images/videos1/000000000001.jpg
        Annotations/Category_ids/videos1/000000000001.png
        Annotations/Human_ids/videos1/000000000001.png

    Numbers of people go through a video; where somebody leaves, some annotations number the rest anew, which cannot be
    told from the files. Frames without annotations (of the test set) are left out.
    """
    for video in _in_order(one for one in (folder / "Images").iterdir() if one.is_dir()):
        marks = folder / "Annotations" / "Human_ids" / video.name
        if not marks.is_dir():
            continue
        for mark in _in_order(marks.glob("*.png")):
            category = folder / "Annotations" / "Category_ids" / video.name / mark.name
            frame = _beside(video / f"{mark.stem}.jpg", mark)
            yield from _people_of(frame, category, mark, video.name, _frame_number(mark))


def cihp(folder: Path, part: str = "Training") -> Iterator[PersonSeen]:
    """CIHP (`instance-level_human_parsing`): still pictures with several people each.

        Training/Images/0000006.jpg
        Training/Category_ids/0000006.png
        Training/Human_ids/0000006.png
        Training/train_id.txt

    As published it says nothing of who is the same in two pictures. The paper counts 1,700 people of 25 pictures each,
    which it must have found by other means; here everybody is somebody else.
    """
    root = folder / part
    listed = sorted(root.glob("*_id.txt"))
    names = _lines(listed[0]) if listed else [one.stem for one in _in_order((root / "Human_ids").glob("*.png"))]
    for name in names:
        mark = root / "Human_ids" / f"{name}.png"
        frame = _beside(root / "Images" / f"{name}.jpg", mark)
        yield from _people_of(frame, root / "Category_ids" / f"{name}.png", mark, name, 0)


def mhp(folder: Path, part: str = "train") -> Iterator[PersonSeen]:
    """MHPv2 (`LV-MHP-v2`): still pictures with several people each, a file for each person (of NN, the MM-th).

    train/images/4.jpg
    train/parsing_annos/4_02_01.png
    list/train.txt
    """
    root = folder / part
    files: dict[str, list[Path]] = defaultdict(list)
    for file in (root / "parsing_annos").glob("*.png"):
        if re.fullmatch(r"\w+_\d+_\d+", file.stem):
            files[file.stem.rsplit("_", 2)[0]].append(file)
    listed = folder / "list" / f"{part}.txt"
    names = _lines(listed) if listed.is_file() else [one.name for one in _in_order(Path(name) for name in files)]
    for name in names:
        marks = sorted(files.get(name, ()))
        if not marks:
            raise MediaError(
                f"{root / 'parsing_annos'} has no {name}_NN_MM.png for {name}.jpg: unpack the data set again"
            )
        frame = read_image(_beside(root / "images" / f"{name}.jpg", marks[0]))
        maps = []
        for mark in marks:
            worn = _numbers(mark, frame.shape[:2], len(MHP_LABELS))
            maps.append(_worn(worn))
        for index, labels in enumerate(maps):
            rest = [other > 0 for place, other in enumerate(maps) if place != index]
            others = np.any(rest, axis=0) & (labels == 0) if rest else np.zeros(labels.shape, bool)
            person = PersonSeen(frame, labels, np.where(others, 255, 0).astype(np.uint8), (name, index + 1), 0)
            if is_large_and_whole(person):
                yield person


def _worn(numbers: UInt8Array) -> UInt8Array:
    """MHPv2's categories as our labels; what is worn at the wrist becomes the nearer arm or hand."""
    labels = _MHP[numbers]
    wrist = np.isin(numbers, _WRIST)
    if wrist.any():
        arms = np.isin(labels, [LABEL[name] for name in ("left arm", "right arm", "left hand", "right hand")])
        if arms.any():
            _, nearest = cv2.distanceTransformWithLabels(
                (~arms).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
            )
            values = np.zeros(int(nearest.max()) + 1, np.uint8)
            values[nearest[arms]] = labels[arms]
            labels[wrist] = values[nearest[wrist]]
    return labels


def _people_of(frame: Path, category: Path, mark: Path, video: str, number: int) -> Iterator[PersonSeen]:
    """Everybody large and whole in one picture of VIP or CIHP."""
    picture = read_image(frame)
    people = _numbers(mark, picture.shape[:2], 256)
    labels = _numbers(_beside(category, mark), picture.shape[:2], PUBLISHED)
    for person in np.unique(people[people > 0]):
        own = people == person
        others = np.where((people > 0) & ~own, 255, 0).astype(np.uint8)
        seen = PersonSeen(picture, np.where(own, labels, 0).astype(np.uint8), others, (video, int(person)), number)
        if is_large_and_whole(seen):
            yield seen


def is_large_and_whole(person: PersonSeen) -> bool:
    """Whether somebody is large enough to learn from and not hidden by others for the most part."""
    x, y, width, height = cv2.boundingRect((person.labels > 0).astype(np.uint8))
    if max(width, height) < SMALLEST:
        return False
    box = slice(y, y + height), slice(x, x + width)
    filled, hidden = (person.labels[box] > 0).mean(), (person.others[box] > 0).mean()
    return bool(hidden <= MOST_HIDDEN and filled >= LEAST_OF_BOX)


def portrait(person: PersonSeen, size_hw: tuple[int, int]) -> PersonSeen:
    """The same person cut out to a portrait, about the middle and as large as fits.

    Beyond the picture its last pixels go on, without labels.

    Args:
        person: with some label.
        size_hw: of the portrait, pixels.
    """
    x, y, wide, high = cv2.boundingRect((person.labels > 0).astype(np.uint8))
    height, width = size_hw
    scale = min(height * (1 - 2 * MARGIN) / high, width * (1 - 2 * MARGIN) / wide)
    middle = np.array([x + (wide - 1) / 2, y + (high - 1) / 2])
    shift = np.array([(width - 1) / 2, (height - 1) / 2]) - scale * middle
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    frame = person.frame
    if scale < 0.5:  # pixels would be skipped
        frame = np.asarray(cv2.GaussianBlur(frame, (0, 0), 0.35 / scale), np.uint8)
    size = (width, height)
    return PersonSeen(
        frame=np.asarray(cv2.warpAffine(frame, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.uint8),
        labels=np.asarray(cv2.warpAffine(person.labels, matrix, size, flags=cv2.INTER_NEAREST), np.uint8),
        others=np.asarray(cv2.warpAffine(person.others, matrix, size, flags=cv2.INTER_NEAREST), np.uint8),
        who=person.who,
        number=person.number,
    )


def _numbers(path: Path, size_hw: tuple[int, ...], count: int) -> UInt8Array:
    """(H, W) below `count`, as stored: of palettes the index, of three equal channels the first.

    Pillow, since OpenCV turns a palette's numbers into its colours.
    """
    from PIL import Image

    try:
        with Image.open(path) as picture:
            found = np.asarray(picture)
    except FileNotFoundError:
        raise MediaError(f"there is no {path}: unpack the data set again") from None
    except (OSError, SyntaxError, ValueError) as error:
        raise MediaError(f"{path} is damaged or cut off: unpack the data set again ({error})") from None
    numbers = found[..., 0] if found.ndim == 3 else found
    if numbers.shape != tuple(size_hw):
        raise MediaError(
            f"{path} is {numbers.shape[1]}x{numbers.shape[0]} and its picture {size_hw[1]}x{size_hw[0]}: "
            "they do not belong together"
        )
    highest = int(numbers.max(initial=0))
    if highest >= count:
        raise MediaError(f"{path} has the label {highest}, and there are {count}: it is of another data set")
    return np.array(numbers, np.uint8)


def _beside(path: Path, of: Path) -> Path:
    if not path.is_file():
        raise MediaError(f"there is no {path}, which belongs to {of.name}: unpack the data set again")
    return path


def _lines(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise MediaError(f"cannot read {path}: {error}") from None


def _frame_number(path: Path) -> int:
    if not path.stem.isdecimal():
        raise MediaError(f"{path} is not called by the number of its frame: it is of another data set")
    return int(path.stem)


def _in_order(paths: Iterable[Path]) -> list[Path]:
    """By the numbers in their names: videos2 before videos10."""

    def key(path: Path) -> list[int | str]:
        return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", path.name)]

    return sorted(paths, key=key)


assert len(MHP_LABELS) == 59 and all(label in LABELS for _, label in MHP_LABELS)
