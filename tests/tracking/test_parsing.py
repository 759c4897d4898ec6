"""The built-in parser: against exact labels of made-up people, by hand, and on a filmed person."""

import cv2
import numpy as np
import pytest

from clips import real_clip
from understudy.body.labels import LABEL, MIRRORED
from understudy.poses import pose as p
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.render import render
from understudy.synthetic.scene import make_scene
from understudy.tracking.body_regions import regions_of
from understudy.tracking.looks import MATERIALS, learn_looks, looks_of_clip, prior
from understudy.tracking.parsing import BuiltInParser, clothes_called, filled, looks_in, without_specks

WHOLE = [seed for seed in (951, 952, 953)]
"""held out: nothing was tuned on them"""


def filmed(seed, moment=60, side=256):
    motion = choreography(seed, 4, 30)
    return next(render(make_person(seed), motion[moment : moment + 1], make_scene(seed, (side, side))))


@pytest.fixture(scope="module")
def people():
    return [filmed(seed) for seed in WHOLE]


def arguments(rendered):
    return rendered.frame, rendered.matte, rendered.xy, rendered.confidence


def test_made_up_people_are_parsed_as_they_are(people):
    for one in people:
        labels = BuiltInParser()(*arguments(one))
        assert labels.dtype == np.uint8
        assert np.array_equal(labels > 0, one.matte >= 128)
        assert (labels == one.labels)[one.labels > 0].mean() > 0.9
        for name in ("face", "upper clothes"):
            here, truly = labels == LABEL[name], one.labels == LABEL[name]
            assert (here & truly).sum() > 0.6 * (here | truly).sum(), name


def test_a_mirrored_picture_gives_the_mirrored_labels(people):
    one = people[0]
    labels = BuiltInParser()(*arguments(one))
    order = list(p.EXCHANGED)
    xy = one.xy[order].copy()
    xy[:, 0] = one.frame.shape[1] - 1 - xy[:, 0]
    turned = BuiltInParser()(one.frame[:, ::-1], one.matte[:, ::-1], xy, one.confidence[order])
    expected = np.array(MIRRORED, np.uint8)[labels[:, ::-1]]
    assert (turned == expected)[expected > 0].mean() > 0.97


def test_the_matte_bounds_the_labels_and_nobody_has_none(people):
    one = people[0]
    parser = BuiltInParser()
    half = one.matte.copy()
    half[:, : half.shape[1] // 2] = 0
    labels = parser(one.frame, half, one.xy, one.confidence)
    assert labels.any()
    assert not labels[half < 128].any()
    assert not parser(one.frame, np.zeros_like(one.matte), one.xy, one.confidence).any()
    assert not parser(one.frame, one.matte, one.xy, np.zeros(133, np.float32)).any()


@pytest.mark.parametrize(
    "unseen",
    [
        pytest.param(range(23, 133), id="neither face nor hands"),
        pytest.param([*range(13, 23)], id="cut off above the knees"),
        pytest.param([p.LEFT_ELBOW, p.LEFT_WRIST, *range(91, 112)], id="one arm"),
        pytest.param([*range(11, 23)], id="no hips"),
    ],
)
def test_what_is_not_seen_of_a_pose_costs_little(people, unseen):
    for one in people:
        confidence = one.confidence.copy()
        confidence[list(unseen)] = 0
        labels = BuiltInParser()(one.frame, one.matte, one.xy, confidence)
        upper = LABEL["upper clothes"]
        assert ((labels == upper) & (one.labels == upper)).sum() > 0.7 * (one.labels == upper).sum()


def test_looks_of_a_clip_serve_a_frame_that_shows_no_face(people):
    one = people[1]
    others = [filmed(WHOLE[1], moment) for moment in (10, 30, 90)]
    parser = BuiltInParser.of_clip([arguments(other) for other in others])
    assert parser.looks is not None
    confidence = one.confidence.copy()
    confidence[23:] = 0
    labels = parser(one.frame, one.matte, one.xy, confidence)
    assert (labels == one.labels)[one.labels > 0].mean() > 0.88


def test_any_size_gives_much_the_same(people):
    one = people[0]
    small = BuiltInParser()(*arguments(one))
    large = cv2.resize(one.frame, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    matte = cv2.resize(one.matte, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    labels = BuiltInParser()(large, matte, one.xy * 2 + 0.5, one.confidence)
    assert (labels[::2, ::2] == small)[small > 0].mean() > 0.93


def test_priors_and_colours_add_up_to_one(people):
    one = people[0]
    regions = regions_of(one.xy, one.confidence, one.matte.shape)
    assert np.allclose(sum(regions.weights().values()), 1, atol=1e-5)
    looks = learn_looks(one.frame, (one.matte > 200).astype(np.uint8), regions)
    assert looks.colours.shape == (len(MATERIALS), 16 * 32 * 32)
    assert np.allclose(looks.colours.sum(axis=1), 1, atol=1e-3)
    for known in (None, looks):
        assert np.allclose(prior(regions, known).sum(axis=0), 1, atol=1e-5)


def test_regions_lie_where_the_bones_are():
    """A stick figure by hand: a trunk of 40 pixels, one arm hanging, one leg."""
    xy, confidence = np.zeros((133, 2), np.float32), np.zeros(133, np.float32)
    for point, place in {
        p.LEFT_SHOULDER: (60, 40),
        p.RIGHT_SHOULDER: (40, 40),
        p.LEFT_HIP: (57, 80),
        p.RIGHT_HIP: (43, 80),
        p.LEFT_ELBOW: (70, 60),
        p.LEFT_WRIST: (72, 80),
    }.items():
        xy[point], confidence[point] = place, 1
    regions = regions_of(xy, confidence, (128, 100))
    assert set(regions.parts) == {"head", "neck", "trunk", "left arm", "left hand"}
    arm = regions.parts["left arm"]
    assert arm.outside[60, 70] == pytest.approx(-0.10, abs=0.005)
    assert arm.along[60, 70] == pytest.approx(0.5, abs=0.02)
    assert arm.along[70, 71] == pytest.approx(0.75, abs=0.02)
    assert regions.parts["trunk"].along[60, 50] == pytest.approx(0.5, abs=0.02)
    assert regions_of(xy, confidence * (np.arange(133) < 6), (128, 100)) is None


def test_specks_take_the_label_round_them_and_holes_the_nearest():
    labels = np.full((40, 40), LABEL["pants"], np.uint8)
    labels[:20] = LABEL["upper clothes"]
    expected = labels.copy()
    labels[30, 30] = LABEL["upper clothes"]
    assert np.array_equal(without_specks(labels), expected)
    holes = np.zeros((40, 40), bool)
    holes[18:20] = True
    assert (filled(expected, holes)[18:20] == LABEL["pants"]).sum() == 40


def test_looks_of_no_picture_are_none(people):
    with pytest.raises(ValueError, match="at least one"):
        looks_of_clip([])
    one = looks_in(*arguments(people[0]))
    assert np.allclose(looks_of_clip([one, one]).colours, one.colours, atol=1e-6)
    assert clothes_called(one)[0] in ("upper clothes", "dress")


def test_a_filmed_person_has_face_clothes_and_limbs_in_their_places(tmp_path):
    from understudy.performance import Performance
    from understudy.tracking.track import track

    track(real_clip("juggler.mp4"), tmp_path / "j.performance", landmarks="wholebody", size=256, end=0.5)
    performance = Performance.load(tmp_path / "j.performance")
    frame, matte = next(performance.frames(5, 6)), next(performance.mattes(5, 6))
    xy, confidence = performance.poses.xy[5], performance.poses.confidence[5]
    labels = BuiltInParser()(frame, matte, xy, confidence)

    def at(*points):
        x, y = xy[list(points)].mean(axis=0).round().astype(int)
        return labels[y, x]

    assert at(p.NOSE) == LABEL["face"]
    shoulders, hips = (p.LEFT_SHOULDER, p.RIGHT_SHOULDER), (p.LEFT_HIP, p.RIGHT_HIP)
    assert at(*shoulders, *shoulders, *hips) == LABEL["upper clothes"]
    assert at(p.LEFT_KNEE) == LABEL["pants"]  # he wears long trousers and a shirt with short sleeves
    assert at(p.LEFT_ELBOW, p.LEFT_WRIST) == LABEL["left arm"]
