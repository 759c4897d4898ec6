import sys
import types

import numpy as np
import pytest

from understudy.errors import PoseError
from understudy.poses import pose as p
from understudy.tracking.rtmlib import PATIENCE, RtmlibTracker

FRAME = np.zeros((200, 300, 3), np.uint8)
SMALL, LARGE = [10, 20, 50, 120], [120, 10, 220, 190]


class StandIn:
    """rtmlib's Wholebody as far as it is used: finds the boxes it is told, and puts points at a box's middle."""

    boxes: list = []
    settings: dict = {}
    seen: list = []

    def __init__(self, **settings):
        StandIn.settings, StandIn.seen = settings, []

    def det_model(self, image):
        StandIn.seen.append(image[0, 0].tolist())
        return np.array(StandIn.boxes, np.float32).reshape(-1, 4)

    def pose_model(self, image, bboxes):
        (x0, y0, x1, y1) = bboxes[0]
        xy = np.full((1, 133, 2), [(x0 + x1) / 2, (y0 + y1) / 2])
        xy[0, p.LEFT_WRIST] = 310, 50
        scores = np.full((1, 133), 1.4)
        scores[0, p.RIGHT_WRIST] = 0.2
        return xy, scores


@pytest.fixture
def rtmlib(monkeypatch):
    providers = types.SimpleNamespace(get_available_providers=lambda: ["CPUExecutionProvider"])
    monkeypatch.setitem(sys.modules, "onnxruntime", providers)
    monkeypatch.setitem(sys.modules, "rtmlib", types.SimpleNamespace(Wholebody=StandIn))
    return StandIn


def middle(detection):
    return None if detection is None else detection.xy[p.NOSE].tolist()


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        pytest.param([[]], [None], id="nobody"),
        pytest.param([[SMALL, LARGE]], [[170, 100]], id="the largest"),
        pytest.param([[SMALL], [LARGE, SMALL]], [[30, 70], [30, 70]], id="stays with the first"),
        pytest.param([[SMALL], [LARGE], [SMALL]], [[30, 70], None, [30, 70]], id="does not jump"),
        pytest.param([[SMALL], *[[LARGE]] * (PATIENCE + 2)], [[30, 70], *[None] * (PATIENCE + 1), [170, 100]],
                     id="gives up waiting"),
        pytest.param([[SMALL], *[[LARGE]] * PATIENCE, [SMALL], *[[LARGE]] * PATIENCE],
                     [[30, 70], *[None] * PATIENCE, [30, 70], *[None] * PATIENCE], id="waits anew each time"),
        pytest.param([[SMALL], [[35, 20, 75, 120]]], [[30, 70], [55, 70]], id="overlaps by 0.23"),
        pytest.param([[SMALL], [[37, 20, 77, 120]]], [[30, 70], None], id="overlaps by 0.19"),
        pytest.param([[SMALL], [[20, 25, 60, 125]]], [[30, 70], [40, 75]], id="goes along"),
    ],
)  # fmt: skip
def test_one_person_is_followed(rtmlib, boxes, expected):
    tracker = RtmlibTracker()
    found = []
    for rtmlib.boxes in boxes:
        found.append(middle(tracker(FRAME)))
    assert found == expected


def test_confidence_is_clipped_and_guesses_and_outsiders_are_dropped(rtmlib):
    rtmlib.boxes = [LARGE]
    detection = RtmlibTracker("wholebody")(FRAME)
    assert detection.confidence.max() == 1
    assert detection.confidence[[p.LEFT_WRIST, p.RIGHT_WRIST]].tolist() == [0, 0]
    assert detection.confidence[p.FACE].all()
    assert detection.xy.shape == (133, 2)
    assert detection.mask is None
    assert rtmlib.settings["device"] == "cpu"


def test_body_has_neither_face_nor_hands(rtmlib):
    rtmlib.boxes = [LARGE]
    detection = RtmlibTracker("body")(FRAME)
    assert not detection.confidence[p.FACE].any()
    assert detection.confidence[p.FEET].all()


def test_the_network_sees_blue_green_red(rtmlib):
    rtmlib.boxes = []
    tracker = RtmlibTracker()
    frame = FRAME.copy()
    frame[..., 0] = 200
    tracker(frame)
    assert rtmlib.seen == [[0, 0, 200]]


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "rtmlib", None)
    with pytest.raises(PoseError, match=r'pip install "understudy\[rtmpose\]"') as raised:
        RtmlibTracker()
    assert "\n" not in str(raised.value)


def test_without_a_network_the_weights_are_named(monkeypatch, rtmlib):
    def offline(**settings):
        raise OSError("no route to host")

    monkeypatch.setattr(sys.modules["rtmlib"], "Wholebody", offline)
    with pytest.raises(PoseError, match=r"cannot fetch RTMPose's weights \(no route to host\)"):
        RtmlibTracker()
