import numpy as np

from understudy.body.figure import Build
from understudy.body.skeleton import Body
from understudy.body.surface_mesh import CHART, CHARTS, drawn, surface_mesh


def standing(scale=200.0):
    mesh = surface_mesh(Body(), Build())
    screen = mesh.vertices[:, :2] * (scale, -scale) + (200.0, 380.0)
    return mesh, screen.astype(np.float32), (10 - mesh.vertices[:, 2]).astype(np.float32)


def test_there_are_twenty_four_charts_and_each_is_used():
    mesh = surface_mesh(Body(), Build())
    assert len(CHARTS) == 25
    assert sorted(np.unique(mesh.charts)) == list(range(1, 25))
    assert mesh.uv.min() == 0 and mesh.uv.max() == 1


def test_no_triangle_runs_across_a_seam():
    """One that did would have corners at both ends of a chart, and paint all that lies between into a sliver."""
    mesh = surface_mesh(Body(), Build())
    span = mesh.uv.max(axis=1) - mesh.uv.min(axis=1)
    assert span.max() < 0.25


def test_somebody_in_the_rest_pose_shows_the_front_and_has_left_limbs_on_the_pictures_right():
    shown = drawn(*standing(), (400, 400))
    seen = set(np.unique(shown[..., 0])) - {0}
    assert CHART["front"] in seen and CHART["back"] not in seen
    assert {CHART["left thigh, before"], CHART["right shin, before"], CHART["head, left half"]} <= seen
    columns = {name: np.nonzero(shown[..., 0] == CHART[name])[1].mean() for name in ("left hand", "right hand")}
    assert columns["left hand"] > 250 > 150 > columns["right hand"]


def test_v_of_a_limb_runs_from_the_trunk_to_its_end():
    shown = drawn(*standing(), (400, 400))
    rows, _ = np.nonzero(shown[..., 0] == CHART["left thigh, before"])
    v = shown[shown[..., 0] == CHART["left thigh, before"]][:, 2].astype(int)
    assert np.corrcoef(rows, v)[0, 1] > 0.99


def test_seen_from_behind_it_shows_the_back():
    mesh, screen, depth = standing()
    screen = screen * (-1, 1) + (400, 0)
    behind = drawn(mesh, screen.astype(np.float32), 20 - depth, (400, 400))
    assert CHART["back"] in behind[..., 0] and CHART["front"] not in behind[..., 0]
