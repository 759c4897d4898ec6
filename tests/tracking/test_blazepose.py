import json
import subprocess
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from clips import real_clip
from understudy.media.reading import VideoReader
from understudy.poses import pose as p
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.render import render
from understudy.synthetic.scene import make_scene
from understudy.tracking.blazepose import RATE, BlazePoseTracker, Body, Calmed, Follower, PoseNetworks, refined
from understudy.tracking.blazepose_points import FACE_FROM_MESH
from understudy.tracking.hands_and_face import Face, Hand
from understudy.tracking.regions import Region

PAIRS = [(p.LEFT_SHOULDER, p.RIGHT_SHOULDER), (p.LEFT_HIP, p.RIGHT_HIP), (p.LEFT_EAR, p.RIGHT_EAR)]


def last_detection(frames, landmarks="body"):
    tracker = BlazePoseTracker(landmarks)
    detections = [tracker(frame) for frame in frames]
    tracker.close()
    return detections[-1]


@pytest.fixture(scope="module")
def standing():
    """Two frames of a made-up person who faces the camera."""
    motion = choreography(2, 0.2, 10)
    return list(render(make_person(3), motion, make_scene(1, (480, 360))))


def test_a_made_up_person_is_found_where_she_is(standing):
    detection = last_detection([rendered.frame for rendered in standing])
    truth = standing[-1]
    body = [*range(5, 17)]
    assert (detection.confidence[body] > 0.5).all()
    height = np.ptp(truth.xy[:17, 1])
    assert np.linalg.norm(detection.xy - truth.xy, axis=1)[body].max() < 0.06 * height
    inside, true = detection.mask.laid(truth.matte.shape) > 127, truth.matte > 127
    assert (inside & true).sum() / (inside | true).sum() > 0.85


def test_left_is_the_persons_own(standing):
    detection = last_detection([rendered.frame for rendered in standing])
    for left, right in PAIRS:  # she faces us, so her left is on our right
        assert (detection.confidence[[left, right]] > 0.5).all()
        assert detection.xy[left, 0] > detection.xy[right, 0]


def test_small_toes_are_never_claimed_and_body_has_neither_face_nor_hands(standing):
    detection = last_detection([rendered.frame for rendered in standing])
    assert not detection.confidence[[p.LEFT_SMALL_TOE, p.RIGHT_SMALL_TOE]].any()
    assert not detection.confidence[p.FACE].any()
    assert not detection.confidence[[*range(91, 133)]].any()


def test_nobody_in_an_empty_room():
    assert last_detection([make_scene(1, (480, 360)).background] * 2) is None


def test_what_lies_outside_the_picture_is_not_seen(standing):
    frame = standing[-1].frame
    cut = np.ascontiguousarray(frame[: int(standing[-1].xy[p.LEFT_KNEE, 1])])
    detection = last_detection([cut, cut])
    assert not detection.confidence[[p.LEFT_ANKLE, p.RIGHT_ANKLE, p.LEFT_HEEL, p.RIGHT_HEEL]].any()
    seen = detection.xy[detection.confidence > 0]
    assert len(seen) > 10
    assert ((seen >= -0.5) & (seen <= [cut.shape[1] - 0.5, cut.shape[0] - 0.5])).all()


def frames_of(name, count=3):
    with VideoReader(real_clip(name), long_side=640) as reader:
        return list(islice(reader, count))


@pytest.mark.parametrize(
    ("clip", "left_is_on_our"),
    [
        pytest.param("balance_cam1.mp4", "right", id="from the front"),
        pytest.param("balance_cam3.mp4", "left", id="from behind"),
    ],
)
def test_left_and_right_on_a_real_man(clip, left_is_on_our):
    detection = last_detection(frames_of(clip))
    for left, right in PAIRS[:2]:
        assert (detection.confidence[[left, right]] > 0.5).all()
        assert (detection.xy[left, 0] > detection.xy[right, 0]) == (left_is_on_our == "right")


WRIST_OF = ((p.LEFT_HAND, p.LEFT_WRIST, p.RIGHT_WRIST), (p.RIGHT_HAND, p.RIGHT_WRIST, p.LEFT_WRIST))


def test_wholebody_finds_face_and_hands_where_the_truth_says(standing):
    detection, truth = last_detection([rendered.frame for rendered in standing], "wholebody"), standing[-1]
    trunk = np.linalg.norm(truth.xy[p.LEFT_SHOULDER] - truth.xy[p.LEFT_HIP])
    for points in (p.FACE, p.LEFT_HAND, p.RIGHT_HAND):
        assert detection.confidence[points].all()
        # Within a face or hand points lie up to 0.4 trunks apart: in another order they would be off by 0.1 and more
        assert np.linalg.norm(detection.xy[points] - truth.xy[points], axis=1).mean() < 0.05 * trunk


def test_wholebody_finds_a_real_womans_face_and_hands():
    detection = last_detection(frames_of("studio_squats_5fps.mp4"), "wholebody")
    assert len(FACE_FROM_MESH) == 68
    xy, confidence = detection.xy, detection.confidence
    assert confidence[5:17].all() and confidence[p.FACE].all()
    trunk = np.linalg.norm(xy[p.LEFT_SHOULDER] - xy[p.LEFT_HIP])
    assert np.linalg.norm(xy[p.FACE].mean(0) - xy[p.NOSE]) < 0.2 * trunk
    brows, lips = xy[p.FACE][17:27], xy[p.FACE][48:68]
    assert brows[:, 1].max() < lips[:, 1].min()
    for hand, own, other in WRIST_OF:
        assert confidence[hand].all()
        assert np.linalg.norm(xy[hand][0] - xy[own]) < 0.2 * trunk < np.linalg.norm(xy[hand][0] - xy[other])


class Saying:
    """A hand or a face that is where it is told."""

    def __init__(self, found):
        self.found = found

    def __call__(self, picture, body, visibility):
        return self.found


def told(monkeypatch, visibility=None, **found):
    """A tracker to which its networks say that landmark i is at (i, 2 i), and what its parts find."""
    xy = np.arange(39)[:, None] * np.array([1.0, 2.0])
    seen = np.full(39, 0.9, np.float32)
    for landmark, (place, value) in (visibility or {}).items():
        xy[landmark] = xy[landmark] if place is None else place
        seen[landmark] = value
    body = Body(xy, seen, np.zeros((256, 256), np.float32), Region(100, 50, 400, 400))
    tracker = BlazePoseTracker("wholebody")
    monkeypatch.setattr(tracker, "_body", lambda frame: body)
    named = zip(tracker._whole._parts, ("face", "left_hand", "right_hand"), strict=True)
    stood_in = [(points, order, Saying(found.get(name))) for (points, order, _), name in named]
    monkeypatch.setattr(tracker._whole, "_parts", stood_in)
    return tracker


def test_points_become_pixels_whose_middles_are_whole_numbers(monkeypatch):
    special = {15: (None, 0.05), 16: ((200.0, 32.0), 0.9), 27: ((27.0, -0.1), 0.9), 23: (None, 0.1)}
    detection = told(monkeypatch, special)(np.zeros((100, 200, 3), np.uint8))
    for point, landmark in ((p.NOSE, 0), (p.LEFT_SHOULDER, 11), (p.RIGHT_HEEL, 30), (p.LEFT_BIG_TOE, 31)):
        assert detection.xy[point].tolist() == pytest.approx((landmark - 0.5, 2 * landmark - 0.5), abs=1e-4)
        assert detection.confidence[point] == pytest.approx(0.9)
    # a guess, and two outside the picture; what is just sure enough stays
    assert not detection.confidence[[p.LEFT_WRIST, p.RIGHT_WRIST, p.LEFT_ANKLE]].any()
    assert detection.confidence[p.LEFT_HIP] == pytest.approx(0.1)
    assert (detection.mask.laid((100, 200)) == 128).all()


def test_each_hand_and_the_face_are_filled_from_their_own_landmarks(monkeypatch):
    picture = np.zeros((1000, 1000, 3), np.uint8)
    parts = {"face": (p.FACE, 468), "left_hand": (p.LEFT_HAND, 21), "right_hand": (p.RIGHT_HAND, 21)}
    for name, (points, count) in parts.items():
        found = np.arange(count)[:, None] * np.array([1.0, 2.0])
        detection = told(monkeypatch, **{name: found})(picture)
        order = FACE_FROM_MESH if name == "face" else range(21)
        np.testing.assert_allclose(detection.xy[points, 0], np.array(order) - 0.5, atol=1e-3)
        assert (detection.confidence[points] == 1).all()
        assert not any(detection.confidence[other].any() for other, _ in parts.values() if other != points)


def test_face_points_lie_where_the_68_do(standing):
    """On a face that looks straight ahead each outline goes its own way, and right and left mirror each other."""
    detection = last_detection([rendered.frame for rendered in standing], "wholebody")
    face = detection.xy[p.FACE]
    eyes, brows, lips = face[36:48].mean(0), face[17:27].mean(0), face[48:68].mean(0)
    nose = face[27:36].mean(0)
    assert brows[1] < eyes[1] < nose[1] < lips[1] < face[8, 1], "the chin is below everything"
    assert (np.diff(face[0:17, 0]) > 0).mean() > 0.8, "the jaw runs from the person's right, which is on our left"
    assert (np.diff(face[27:31, 1]) > 0).all(), "down the nose"
    across = face[45] - face[36]
    along = across / np.linalg.norm(across)
    for right, left in ((0, 16), (4, 12), (17, 26), (21, 22), (36, 45), (39, 42), (31, 35), (48, 54), (60, 64)):
        middle = (face[right] + face[left]) / 2 - face[27]
        assert abs(middle @ along) < 0.12 * np.linalg.norm(across), (right, left)
    inner, outer = face[60:68], face[48:60]
    assert np.ptp(inner[:, 0]) < np.ptp(outer[:, 0]) and np.ptp(inner[:, 1]) < np.ptp(outer[:, 1])


RECORD = json.loads((Path(__file__).parent / "mediapipe_0_10_21.json").read_text())
NEAR = 0.05 if cv2.__version__.startswith("4.") else 0.4
"""pixels of 640: OpenCV 5 reads between pixels more exactly than MediaPipe does"""


@pytest.mark.parametrize("clip", ["juggler.mp4", "studio_squats_5fps.mp4"])
def test_with_its_ways_the_networks_say_what_mediapipe_says(clip):
    networks, parts = PoseNetworks(middle=0.0), (Face(0.0), Hand("left", 0.0), Hand("right", 0.0))
    far = {"body": [], "face": [], "left hand": [], "right hand": []}
    for frame, said in zip(frames_of(clip, 4), RECORD[clip], strict=True):
        body = networks.look(frame, networks.detect(frame)[0])
        far["body"].append(np.linalg.norm(body.xy[:33] - said["body"], axis=1))
        np.testing.assert_allclose(body.visibility[:33], said["visibility"], atol=0.02)
        for name, part in zip(("face", "left hand", "right hand"), parts, strict=True):
            found = part(frame, body.xy, body.visibility)
            assert (found is None) == (said[name] is None), name
            if found is not None:
                order = list(FACE_FROM_MESH) if name == "face" else slice(None)
                far[name].append(np.linalg.norm(found[order] - said[name], axis=1))
        mask = body.mask(0.0).laid(frame.shape[:2]) > 127
        count, *middle = said["mask"]
        assert mask.sum() == pytest.approx(count, rel=0.01)
        assert np.argwhere(mask).mean(axis=0) == pytest.approx(middle, abs=0.2)
    assert np.concatenate(far["body"]).mean() < NEAR
    seen = ("face", "left hand") if clip == "juggler.mp4" else ("face", "left hand", "right hand")
    for name in seen:  # squares out of squares: what differs grows
        assert np.concatenate(far[name]).mean() < 6 * NEAR, name


def test_a_landmark_goes_to_the_middle_of_what_its_heat_map_shows_near_it():
    heat = np.full((64, 64, 39), -50.0, np.float32)
    heat[30, 22, 0] = heat[30, 24, 0] = 50  # two cells alike: the middle between them
    heat[10, 10, 1] = -0.1  # less than half sure
    heat[40, 45, 2] = 50  # five cells away: out of reach
    heat[0, 63, 3] = 50  # at the edge of the map
    shares = np.full((39, 2), -0.1, np.float32)
    shares[:4] = [(20.9 / 64, 30.2 / 64), (10.5 / 64, 10.5 / 64), (40.5 / 64, 40.5 / 64), (62.5 / 64, 2.5 / 64)]
    better = refined(shares, heat)
    assert better[0] == pytest.approx((23 / 64, 30 / 64)) and better[3] == pytest.approx((63 / 64, 0), abs=1e-6)
    np.testing.assert_array_equal(better[[1, 2, *range(4, 39)]], shares[[1, 2, *range(4, 39)]])


def test_the_pair_of_a_square_is_calmed_by_hand():
    calmed, first = Calmed(), np.array([[100.0, 200.0], [100.0, 100.0]])
    assert calmed(first) is first
    moved = first + np.array([[2.0, 0.0], [0.0, 0.0]])

    def share(cutoff):
        return 1 / (1 + RATE / (2 * np.pi * cutoff))

    size = 2 * np.hypot(2, 100)
    speed = share(1.0) * 2 * RATE / size
    expected = first + np.array([[2 * share(0.01 + 10 * speed), 0.0], [0.0, 0.0]])
    np.testing.assert_allclose(calmed(moved), expected)


def test_the_square_of_the_next_frame_is_about_the_calmed_pair():
    def networks(xy):
        return SimpleNamespace(look=lambda picture, region: Body(xy, np.ones(39), np.zeros((2, 2)), region))

    still = np.tile([100.0, 200.0], (39, 1))
    still[34] = 100.0, 100.0
    jumped = still + np.array([10.0, 0.0])
    follower = Follower(networks(still), Region(0, 0, 1, 1))
    assert follower(np.zeros((9, 9, 3), np.uint8)).region == Region(0, 0, 1, 1)
    assert (follower.region.x, follower.region.y, follower.region.width) == pytest.approx((100, 200, 250))
    follower._networks = networks(jumped)
    follower(np.zeros((9, 9, 3), np.uint8))
    assert 100 < follower.region.x < 109.9, "it goes after the jump, and not the whole way"


LIMBS = [11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28]
MIRRORED = [12, 11, 14, 13, 16, 15, 24, 23, 26, 25, 28, 27]


@pytest.mark.parametrize("clip", ["juggler.mp4", "studio_squats_5fps.mp4"])
def test_a_mirrored_picture_has_mirrored_joints_if_pixels_have_their_middles_at_one_half(clip):
    frames = frames_of(clip, 20)[::2]

    def off(middle):
        networks, each = PoseNetworks(middle), []
        for frame in frames:
            region = networks.detect(frame)[0]
            mirrored = replace(region, x=frame.shape[1] - region.x, rotation=-region.rotation)
            one = networks.look(frame, region)
            other = networks.look(np.ascontiguousarray(frame[:, ::-1]), mirrored)
            sure = one.visibility[LIMBS] > 0.9
            each.append((one.xy[LIMBS, 0] + other.xy[MIRRORED, 0] - frame.shape[1])[sure].mean() / 2)
        return abs(np.mean(each))

    assert off(0.5) < 0.7 * off(0.0)


@pytest.mark.parametrize(
    "first",
    ["", "import sys; held = open(sys.executable, 'rb'); assert held.fileno() == 2; "],
    ids=["closed", "its number taken"],
)
def test_a_process_without_stderr_can_track(first):
    """Also where another file has got its number since, as one that Python 3.14 itself keeps open does."""
    code = f"{first}from understudy.tracking.blazepose import PoseNetworks; PoseNetworks(); print('loaded')"
    done = subprocess.run(f'"{sys.executable}" -c "{code}" 2>&-', shell=True, stdout=subprocess.PIPE, text=True)
    assert done.stdout == "loaded\n"


def test_nothing_of_its_log_reaches_the_user(tmp_path, standing):
    np.save(tmp_path / "frame.npy", standing[-1].frame)
    code = (
        "import sys, numpy as np\n"
        "from understudy.tracking.blazepose import BlazePoseTracker\n"
        "from understudy.tracking.selfie import SelfieSegmenter\n"
        f"frame = np.load({str(tmp_path / 'frame.npy')!r})\n"
        "tracker = BlazePoseTracker()\n"
        "print('still here', file=sys.stderr)\n"
        "assert tracker(frame) is not None and tracker(frame) is not None\n"
        "SelfieSegmenter()(frame)\n"
        "tracker.close()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "still here\n"
    assert done.stdout == ""
