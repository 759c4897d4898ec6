from dataclasses import replace

import cv2
import numpy as np
import pytest

from understudy.body.labels import LABEL
from understudy.body.surface_mesh import CHART
from understudy.errors import TrainingError
from understudy.people.made_up import made_up_views
from understudy.recipes.parts.freestyle_samples import (
    PersonFile,
    copies_of,
    drawn_pairs,
    photograph_of,
    write_person,
)
from understudy.recipes.parts.photograph import palette_of
from understudy.recipes.parts.usual_labels import belongs

SIZE = (256, 160)


@pytest.fixture(scope="module")
def views():
    return made_up_views(77, 3, SIZE)


def test_views_are_the_same_again_and_hold_what_they_say(views):
    again = made_up_views(77, 3, SIZE)
    for one, other in zip(views, again, strict=True):
        np.testing.assert_array_equal(one.frame, other.frame)
        np.testing.assert_array_equal(one.surface, other.surface)
        assert one.frame.shape == (*SIZE, 3) and one.labels.shape == SIZE and one.surface.shape == (*SIZE, 3)
        inside = one.labels > 0
        assert inside.sum() > 1500 and (one.surface[..., 0] > 0)[inside].mean() > 0.7
        assert (one.frame != one.background)[inside].any(axis=-1).mean() > 0.9


def test_somebody_copied_into_the_own_pose_looks_the_same(views):
    """Where a copy shows anything, it is within a few levels of the truth; and it shows nearly all."""
    view = views[0]
    copies, labels = copies_of(photograph_of(view), view)
    copies = copies.astype(int)
    inside = view.labels > 0
    for copy in copies:
        opaque = inside & (copy[..., 3] > 250)
        assert opaque.sum() > 0.7 * inside.sum()
        assert np.abs(copy[opaque][:, :3] - view.frame[opaque]).mean() < 9
    assert (labels == view.labels).mean() > 0.95  # bodies stand out a little where clothes are tight


def test_a_copy_never_shows_another_label_than_the_one_wanted(views):
    """What hung before the body in the photograph is no part of it."""
    copies, _ = copies_of(photograph_of(views[0]), views[1])
    assert not copies[0][views[1].labels == 0].any()


def test_the_room_does_not_shine_through_at_the_edges(views):
    """A soft matte's colours are mixed with what was behind; copies have the person's own."""
    view = views[0]
    photograph = photograph_of(view)
    soft = cv2.GaussianBlur(photograph.picture[..., 3], (0, 0), 2)
    share = soft[..., None] / 255
    green = np.array([0, 255, 0])
    mixed = (photograph.picture[..., :3] * share + green * (1 - share)).astype(np.uint8)
    filmed = replace(photograph, picture=np.dstack([mixed, soft]))
    edge = (soft > 60) & (soft < 200)

    def greener(picture):
        return (picture[edge][:, 1].astype(int) - picture[edge][:, ::2].max(axis=1)).mean()

    assert greener(filmed.picture) > 30 > 10 > greener(filmed.clean)
    np.testing.assert_array_equal(filmed.clean[..., 3], soft)
    sure = cv2.erode(soft, np.ones((5, 5))) > 240
    np.testing.assert_array_equal(filmed.clean[sure], filmed.picture[sure])


def test_an_arm_before_the_trunk_is_not_copied_onto_it(views):
    """Whatever the surface map and the cuts of the limbs say there."""
    view = views[0]
    photograph = photograph_of(view)
    trunk = np.isin(photograph.surface[..., 0], (CHART["front"], CHART["back"])) & (photograph.labels > 0)
    rows, _ = np.nonzero(trunk)
    across = trunk & (np.abs(np.arange(len(trunk)) - rows.mean()) < 0.15 * np.ptp(rows))[:, None]
    assert across.sum() > 100
    picture, labels = photograph.picture.copy(), photograph.labels.copy()
    picture[across, :3], labels[across] = (0, 255, 0), LABEL["left arm"]
    hidden = replace(photograph, picture=picture, labels=labels)
    along = hidden.along(photograph.xy, photograph.confidence, photograph.surface)
    assert not (along.labels[across] == LABEL["left arm"]).any()
    assert (along.complete[across] > 0).all() and not (along.complete[across] == LABEL["left arm"]).any()
    surface, limbs, _ = hidden.copies(along, photograph.labels)
    inner = cv2.erode(across.astype(np.uint8), np.ones((5, 5))) > 0
    for copy in (surface, limbs):
        assert not ((copy[inner][:, 1] > 150) & (copy[inner][:, 0] < 80)).any()


@pytest.mark.parametrize(
    ("chart", "label", "belong"),
    [
        ("front", "left arm", False), ("front", "upper clothes", True), ("front", "face", False),
        ("front", "hair", True), ("head, left half", "face", True), ("head, left half", "pants", False),
        ("left forearm, before", "left hand", True), ("left forearm, before", "pants", False),
        ("left thigh, behind", "right leg", True), ("left thigh, behind", "left hand", False),
        ("nobody", "face", False), ("front", "background", False),
    ],
)  # fmt: skip
def test_what_belongs_on_which_chart(chart, label, belong):
    charts, labels = (
        np.array([[names[name]]], np.uint8) for names, name in ((CHART | {"nobody": 0}, chart), (LABEL, label))
    )
    assert belongs(charts, labels).item() == belong


def test_colours_that_are_not_seen_come_from_what_looks_alike():
    picture, labels = np.zeros((20, 20, 3), np.uint8), np.zeros((20, 20), np.uint8)
    picture[:10], labels[:10] = (200, 150, 120), LABEL["face"]
    picture[10:15], labels[10:15] = (10, 20, 30), LABEL["left shoe"]
    picture[15, :4], labels[15, :4] = (9, 9, 9), LABEL["pants"]  # too few to say
    palette = palette_of(picture, labels)
    assert tuple(palette[LABEL["face"]]) == (200, 150, 120)
    assert tuple(palette[LABEL["right arm"]]) == (200, 150, 120)
    assert tuple(palette[LABEL["right shoe"]]) == (10, 20, 30)
    assert tuple(palette[LABEL["pants"]]) == (128, 128, 128)


def test_a_file_of_a_person_gives_back_what_was_written(tmp_path, views):
    pairs = drawn_pairs(views, np.random.default_rng(0))
    assert [wanted for _, wanted in pairs] == [0, 1, 2] and all(one != other for one, other in pairs)
    write_person(tmp_path / "one.safetensors", views, pairs)
    read = PersonFile(tmp_path / "one.safetensors")
    assert len(read) == 3
    pair = read.pair(1)
    np.testing.assert_array_equal(pair.wanted.labels, views[1].labels)
    np.testing.assert_array_equal(pair.reference.surface, views[pairs[1][0]].surface)
    copies, labels = copies_of(photograph_of(views[pairs[1][0]]), views[1])
    np.testing.assert_array_equal(pair.copies, copies)
    np.testing.assert_array_equal(pair.copied_labels, labels)
    assert np.abs(pair.wanted.frame.astype(int) - views[1].frame).mean() < 2  # JPEG


def test_a_single_view_is_made_of_itself(views):
    assert drawn_pairs(views[:1], np.random.default_rng(0)) == [(0, 0)]


def test_a_file_of_another_kind_is_refused(tmp_path):
    from understudy.base.files import save_tensors

    save_tensors(tmp_path / "x.safetensors", {"pairs": np.zeros((1, 2), np.int64)}, {"kind": "prior", "version": 1})
    with pytest.raises(TrainingError, match="delete its folder"):
        PersonFile(tmp_path / "x.safetensors")
