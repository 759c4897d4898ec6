"""Where joints of a small generated frame lie, when the tracker has looked at a larger one."""

import numpy as np
import pytest

from understudy.evaluation.joint_tracking import JointTracking
from understudy.poses.pose import LEFT_WRIST, POINTS
from understudy.tracking.detection import Detection


@pytest.mark.parametrize(
    ("size", "looked_at", "place"),
    [
        (64, 256, (10.5 / 4 - 0.5, 6.5 / 4 - 0.5)),
        (128, 256, (10.5 / 2 - 0.5, 6.5 / 2 - 0.5)),
        (256, 256, (10, 6)),
        (512, 512, (10, 6)),
    ],
)
def test_joints_come_back_in_pixels_of_the_frame(monkeypatch, size, looked_at, place):
    class Pointing:
        name, version = "pointing", "1"

        def __call__(self, frame):
            shapes.append(frame.shape)
            xy, confidence = np.zeros((POINTS, 2), np.float32), np.zeros(POINTS, np.float32)
            xy[LEFT_WRIST], confidence[LEFT_WRIST] = (10, 6), 0.7
            return Detection(xy, confidence, None) if len(shapes) != 2 else None

        def close(self):
            shapes.append("closed")

    shapes = []
    monkeypatch.setattr("understudy.tracking.blazepose.BlazePoseTracker", Pointing)
    with JointTracking() as tracking:
        for _ in range(3):
            tracking.look(np.zeros((size, size, 3), np.uint8))
        found = tracking.pose((size, size))
    assert shapes == [(looked_at, looked_at, 3)] * 3 + ["closed"] and tracking.tracker == "pointing 1"
    assert found.size_hw == (size, size)
    np.testing.assert_allclose(found.xy[[0, 2], LEFT_WRIST], [place] * 2)
    assert found.confidence[:, LEFT_WRIST].tolist() == pytest.approx([0.7, 0, 0.7])
