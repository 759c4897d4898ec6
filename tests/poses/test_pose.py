import numpy as np
import pytest

from understudy.poses import pose as p
from understudy.poses.pose import Pose
from understudy.poses.similarity import IDENTITY, Similarity

SIZE_HW = (480, 640)
COCO_NAMES = [
    "nose",
    "left eye",
    "right eye",
    "left ear",
    "right ear",
    "left shoulder",
    "right shoulder",
    "left elbow",
    "right elbow",
    "left wrist",
    "right wrist",
    "left hip",
    "right hip",
    "left knee",
    "right knee",
    "left ankle",
    "right ankle",
    "left big toe",
    "left small toe",
    "left heel",
    "right big toe",
    "right small toe",
    "right heel",
]


def numbered(frames: int = 2) -> Pose:
    """Point i of frame t lies at (i, 100 t + i / 2), with its own confidence."""
    index = np.arange(p.POINTS, dtype=np.float32)
    xy = np.stack([np.stack([index, 100 * t + index / 2], axis=-1) for t in range(frames)])
    return Pose(xy, np.tile((index + 1) / p.POINTS, (frames, 1)), SIZE_HW)


def test_constants_name_the_cocos_order() -> None:
    for index, name in enumerate(COCO_NAMES):
        assert getattr(p, name.upper().replace(" ", "_")) == index
    lengths = [len(range(p.POINTS)[part]) for part in (p.BODY, p.FEET, p.FACE, p.LEFT_HAND, p.RIGHT_HAND)]
    assert lengths == [17, 6, 68, 21, 21]
    assert p.LEFT_HAND.stop == p.RIGHT_HAND.start


@pytest.mark.parametrize("joint", range(18), ids=p.OPENPOSE18_NAMES)
def test_openpose18_takes_the_joint_of_that_name(joint: int) -> None:
    pose = numbered()
    xy, confidence = pose.openpose18()
    name = p.OPENPOSE18_NAMES[joint]
    assert xy.shape == (2, 18, 2)
    assert xy.dtype == confidence.dtype == np.float32
    if name == "neck":
        shoulders = pose.xy[:, [p.LEFT_SHOULDER, p.RIGHT_SHOULDER]]
        assert np.allclose(xy[:, joint], shoulders.mean(axis=1))
        assert np.allclose(confidence[:, joint], pose.confidence[:, p.LEFT_SHOULDER])
    else:
        assert np.array_equal(xy[:, joint], pose.xy[:, COCO_NAMES.index(name)])
        assert np.array_equal(confidence[:, joint], pose.confidence[:, COCO_NAMES.index(name)])


def test_neck_is_not_seen_unless_both_shoulders_are() -> None:
    pose = numbered(1)
    confidence = pose.confidence.copy()
    confidence[:, p.RIGHT_SHOULDER] = 0
    assert Pose(pose.xy, confidence, SIZE_HW).openpose18()[1][0, p.OPENPOSE18_NECK] == 0


def test_openpose18_there_and_back() -> None:
    pose = numbered()
    again = Pose.from_openpose18(*pose.openpose18(), SIZE_HW)
    assert np.array_equal(again.xy[:, p.BODY], pose.xy[:, p.BODY])
    assert np.array_equal(again.confidence[:, p.BODY], pose.confidence[:, p.BODY])
    assert (again.confidence[:, p.FEET.start :] == 0).all()


def test_the_seventeen_limbs_make_one_tree() -> None:
    reached = {p.OPENPOSE18_NECK}
    for parent, child in p.OPENPOSE18_LIMBS:
        assert parent in reached and child not in reached
        reached.add(child)
    assert reached == set(range(18))


@pytest.mark.parametrize(
    ("limb", "ends"),
    [
        ("right side of the trunk", ("neck", "right hip")),
        ("right thigh", ("right hip", "right knee")),
        ("right shin", ("right knee", "right ankle")),
        ("left side of the trunk", ("neck", "left hip")),
        ("left thigh", ("left hip", "left knee")),
        ("left shin", ("left knee", "left ankle")),
        ("right shoulder", ("neck", "right shoulder")),
        ("right upper arm", ("right shoulder", "right elbow")),
        ("right forearm", ("right elbow", "right wrist")),
        ("left shoulder", ("neck", "left shoulder")),
        ("left upper arm", ("left shoulder", "left elbow")),
        ("left forearm", ("left elbow", "left wrist")),
    ],
)
def test_descriptor_limbs(limb: str, ends: tuple[str, str]) -> None:
    first, last = p.DESCRIPTOR_LIMBS[p.DESCRIPTOR_LIMB_NAMES.index(limb)]
    assert (p.OPENPOSE18_NAMES[first], p.OPENPOSE18_NAMES[last]) == ends
    assert len(p.DESCRIPTOR_LIMBS) == len(p.DESCRIPTOR_LIMB_NAMES) == 12


def test_hand_and_face_lines_touch_every_point() -> None:
    assert {joint for limb in p.HAND_LIMBS for joint in limb} == set(range(21))
    assert len(p.HAND_LIMBS) == 20
    assert sorted({point for line in p.FACE_LINES for point in line}) == list(range(68))


def test_slices_keep_their_frames() -> None:
    pose = numbered(5)
    part = pose[1:4]
    assert len(part) == 3
    assert np.array_equal(part.xy, pose.xy[1:4])
    assert len(pose[5:]) == 0
    with pytest.raises(TypeError, match="cut with a slice"):
        pose[0]  # type: ignore[index]


def test_found_needs_a_body_joint() -> None:
    confidence = np.zeros((3, p.POINTS))
    confidence[0, p.LEFT_ANKLE] = 0.1
    confidence[1, p.FACE.start] = 1
    assert Pose(np.zeros((3, p.POINTS, 2)), confidence, SIZE_HW).found.tolist() == [True, False, False]


def test_moved_and_concatenated() -> None:
    pose = numbered(2)
    moved = Similarity(2, (10, -5)).of_pose(pose, (960, 1280))
    assert np.allclose(moved.xy, pose.xy * 2 + [10, -5])
    assert moved.size_hw == (960, 1280)
    assert moved.xy.dtype == np.float32
    both = Pose.concatenate([pose, pose[:1]])
    assert len(both) == 3
    assert np.array_equal(both.xy[2], pose.xy[0])


def test_the_hash_knows_points_and_confidence_and_nothing_else() -> None:
    pose = numbered()
    assert pose.sha256() == Pose(pose.xy.copy(), pose.confidence.copy(), SIZE_HW).sha256()
    moved, doubted = pose.xy.copy(), pose.confidence.copy()
    moved[1, p.LEFT_ANKLE, 0] += 1
    doubted[1, p.LEFT_ANKLE] /= 2
    hashes = {one.sha256() for one in (pose, Pose(moved, pose.confidence, SIZE_HW), Pose(pose.xy, doubted, SIZE_HW))}
    assert len(hashes) == 3


def test_lines_of_hands_and_feet_stay_on_their_side() -> None:
    left = {p.LEFT_ANKLE, *range(p.LEFT_BIG_TOE, p.LEFT_HEEL + 1)}
    assert {point for limb in p.FOOT_LIMBS[:3] for point in limb} == left
    assert {point for limb in p.FOOT_LIMBS[3:] for point in limb} == {p.EXCHANGED[point] for point in left}
    for name, points in (
        ("left foot", left),
        ("right foot", {p.EXCHANGED[point] for point in left}),
        ("left hand", set(range(p.LEFT_HAND.start, p.LEFT_HAND.stop))),
        ("right hand", set(range(p.RIGHT_HAND.start, p.RIGHT_HAND.stop))),
    ):
        assert {point for line in p.PARTS[p.PART_NAMES.index(name)] for point in line} == points


@pytest.mark.parametrize(
    "poses",
    [
        pytest.param(lambda: [], id="none"),
        pytest.param(lambda: [numbered(), IDENTITY.of_pose(numbered(), (10, 10))], id="two sizes"),
    ],
)
def test_what_cannot_be_concatenated(poses) -> None:
    with pytest.raises(ValueError, match="must have one frame size"):
        Pose.concatenate(poses())


@pytest.mark.parametrize(
    ("xy", "confidence", "size_hw", "message"),
    [
        pytest.param(np.zeros((2, 18, 2)), np.zeros((2, 18)), SIZE_HW, "xy must be", id="eighteen points"),
        pytest.param(np.zeros((133, 2)), np.zeros(133), SIZE_HW, "xy must be", id="no time axis"),
        pytest.param(np.zeros((2, 133, 2)), np.zeros((3, 133)), SIZE_HW, "confidence must be", id="lengths differ"),
        pytest.param(np.full((1, 133, 2), np.nan), np.zeros((1, 133)), SIZE_HW, "not finite", id="NaN"),
        pytest.param(np.zeros((1, 133, 2)), np.full((1, 133), 1.5), SIZE_HW, r"in \[0, 1\]", id="sure of too much"),
        pytest.param(np.zeros((1, 133, 2)), np.full((1, 133), np.nan), SIZE_HW, r"in \[0, 1\]", id="NaN confidence"),
        pytest.param(np.zeros((1, 133, 2)), np.zeros((1, 133)), (0, 5), "size_hw must be", id="no height"),
    ],
)
def test_poses_that_cannot_be(xy: np.ndarray, confidence: np.ndarray, size_hw: tuple[int, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Pose(xy, confidence, size_hw)


def test_from_openpose18_wants_eighteen() -> None:
    with pytest.raises(ValueError, match=r"need \(T, 18, 2\)"):
        Pose.from_openpose18(np.zeros((2, 25, 2)), np.zeros((2, 25)), SIZE_HW)


def test_exchanging_sides_twice_changes_nothing_and_once_calls_left_right():
    rng = np.random.default_rng(0)
    pose = Pose(rng.uniform(0, 100, (2, 133, 2)), rng.uniform(0, 1, (2, 133)), (100, 100))
    exchanged = pose.sides_exchanged()
    for left, right in (
        (p.LEFT_SHOULDER, p.RIGHT_SHOULDER), (p.LEFT_ANKLE, p.RIGHT_ANKLE), (p.LEFT_EAR, p.RIGHT_EAR),
        (p.LEFT_BIG_TOE, p.RIGHT_BIG_TOE), (p.LEFT_HEEL, p.RIGHT_HEEL), (p.LEFT_HAND, p.RIGHT_HAND),
    ):  # fmt: skip
        assert np.array_equal(exchanged.xy[:, left], pose.xy[:, right])
        assert np.array_equal(exchanged.confidence[:, right], pose.confidence[:, left])
    assert np.array_equal(exchanged.xy[:, p.NOSE], pose.xy[:, p.NOSE])
    again = exchanged.sides_exchanged()
    assert np.array_equal(again.xy, pose.xy) and np.array_equal(again.confidence, pose.confidence)


def test_points_of_the_face_are_exchanged_across_its_middle():
    """Numbers of the 68 points as they are commonly drawn: eye corners, mouth corners, ends of jaw and brows."""
    face = [point - p.FACE.start for point in p.EXCHANGED[p.FACE]]
    for one, other in (
        (0, 16),
        (17, 26),
        (21, 22),
        (31, 35),
        (36, 45),
        (39, 42),
        (41, 46),
        (48, 54),
        (60, 64),
        (67, 65),
    ):
        assert (face[one], face[other]) == (other, one)
    assert [point for point in range(68) if face[point] == point] == [8, 27, 28, 29, 30, 33, 51, 57, 62, 66]
