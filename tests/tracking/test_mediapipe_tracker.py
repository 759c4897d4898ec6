import subprocess
import sys
from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest

from clips import real_clip
from understudy.media.reading import VideoReader
from understudy.poses import pose as p
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.render import render
from understudy.synthetic.scene import make_scene
from understudy.tracking.mediapipe import FACE_FROM_MESH, MediaPipeTracker

PAIRS = [(p.LEFT_SHOULDER, p.RIGHT_SHOULDER), (p.LEFT_HIP, p.RIGHT_HIP), (p.LEFT_EAR, p.RIGHT_EAR)]


def last_detection(frames, landmarks="body"):
    tracker = MediaPipeTracker(landmarks)
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
    assert detection.mask.shape == truth.matte.shape
    inside, true = detection.mask > 127, truth.matte > 127
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


class Landmarks:
    """Landmark i at (i, 2 i) thousandths of the picture, with one visibility for all but a few."""

    def __init__(self, count, visibility=0.9, **others):
        self.landmark = [SimpleNamespace(x=i / 1000, y=2 * i / 1000, visibility=visibility) for i in range(count)]
        for name, values in others.items():
            vars(self.landmark[int(name[1:])]).update(values)


def told(monkeypatch, **found):
    """A tracker behind whose network somebody says what is found."""
    result = SimpleNamespace(**{"pose_landmarks": None, "segmentation_mask": None} | found)
    graph = SimpleNamespace(process=lambda _: result, close=lambda: None)
    solutions = SimpleNamespace(
        pose=SimpleNamespace(Pose=lambda **_: graph), holistic=SimpleNamespace(Holistic=lambda **_: graph)
    )
    monkeypatch.setitem(sys.modules, "mediapipe", SimpleNamespace(__version__="0", solutions=solutions))
    return MediaPipeTracker("wholebody")


def test_shares_of_the_picture_become_pixels_whose_middles_are_whole_numbers(monkeypatch):
    body = Landmarks(33, _15={"visibility": 0.05}, _16={"x": 1.0}, _27={"y": -0.01}, _23={"visibility": 0.1})
    mask = np.full((100, 200), 0.5, np.float32)
    detection = told(monkeypatch, pose_landmarks=body, segmentation_mask=mask)(np.zeros((100, 200, 3), np.uint8))
    for point, landmark in ((p.NOSE, 0), (p.LEFT_SHOULDER, 11), (p.RIGHT_HEEL, 30), (p.LEFT_BIG_TOE, 31)):
        expected = landmark / 1000 * 200 - 0.5, 2 * landmark / 1000 * 100 - 0.5
        assert detection.xy[point].tolist() == pytest.approx(expected, abs=1e-4)
        assert detection.confidence[point] == pytest.approx(0.9)
    # a guess, and two outside the picture; what is just sure enough stays
    assert not detection.confidence[[p.LEFT_WRIST, p.RIGHT_WRIST, p.LEFT_ANKLE]].any()
    assert detection.confidence[p.LEFT_HIP] == pytest.approx(0.1)
    assert (detection.mask == 128).all()
    assert told(monkeypatch)(np.zeros((9, 9, 3), np.uint8)) is None


def test_each_hand_and_the_face_are_filled_from_their_own_landmarks(monkeypatch):
    body = {"pose_landmarks": Landmarks(33)}
    picture = np.zeros((1000, 1000, 3), np.uint8)
    parts = {"face": (p.FACE, 468), "left_hand": (p.LEFT_HAND, 21), "right_hand": (p.RIGHT_HAND, 21)}
    for name, (points, count) in parts.items():
        detection = told(monkeypatch, **body, **{f"{name}_landmarks": Landmarks(count)})(picture)
        order = FACE_FROM_MESH if name == "face" else range(21)
        np.testing.assert_allclose(detection.xy[points, 0], np.array(order) - 0.5, atol=1e-3)
        assert (detection.confidence[points] == 1).all()
        assert not any(detection.confidence[other].any() for other, _ in parts.values() if other != points)


def test_face_points_are_in_the_order_of_the_68():
    """On MediaPipe's own canonical face: its mesh connections name the same outlines."""
    from mediapipe.python.solutions import face_mesh_connections as mesh

    def vertices(connections):
        return {vertex for pair in connections for vertex in pair}

    face = np.array(FACE_FROM_MESH)
    assert set(face[0:17]) <= vertices(mesh.FACEMESH_FACE_OVAL)
    assert set(face[17:22]) <= vertices(mesh.FACEMESH_RIGHT_EYEBROW) | {71}
    assert set(face[22:27]) <= vertices(mesh.FACEMESH_LEFT_EYEBROW) | {301}
    assert set(face[36:42]) <= vertices(mesh.FACEMESH_RIGHT_EYE)
    assert set(face[42:48]) <= vertices(mesh.FACEMESH_LEFT_EYE)
    assert set(face[48:68]) <= vertices(mesh.FACEMESH_LIPS)


def test_nothing_of_its_log_reaches_the_user(tmp_path, standing):
    np.save(tmp_path / "frame.npy", standing[-1].frame)
    code = (
        "import sys, numpy as np\n"
        "from understudy.tracking.mediapipe import MediaPipeTracker, SelfieSegmenter\n"
        f"frame = np.load({str(tmp_path / 'frame.npy')!r})\n"
        "tracker = MediaPipeTracker()\n"
        "print('still here', file=sys.stderr)\n"
        "assert tracker(frame) is not None and tracker(frame) is not None\n"
        "SelfieSegmenter()(frame)\n"
        "tracker.close()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "still here\n"
    assert done.stdout == ""
