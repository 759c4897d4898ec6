import numpy as np

from understudy.body.labels import LABEL
from understudy.body.surface_mesh import CHART
from understudy.recipes.parts.usual_labels import BINS, filled, usual_labels


def seen(*patches, u=0):
    """A surface map and a label map with a strip of pixels for each (chart, first V, last V, label)."""
    surface, labels = np.zeros((len(patches), 64, 3), np.uint8), np.zeros((len(patches), 64), np.uint8)
    for row, (chart, first, last, label) in enumerate(patches):
        surface[row, :, 0], labels[row] = CHART[chart], LABEL[label]
        surface[row, :, 1] = u
        surface[row, :, 2] = np.linspace(first, last, 64)
    return surface, labels


def test_what_a_photograph_shows_is_what_is_usual():
    usual = usual_labels(*seen(("left thigh, before", 0, 127, "pants"), ("left thigh, before", 128, 255, "left leg")))
    wanted = [LABEL["pants"]] * (BINS // 2) + [LABEL["left leg"]] * (BINS // 2)
    for chart in ("left thigh, before", "left thigh, behind"):
        assert (usual[CHART[chart]] == np.array(wanted)[:, None]).all()


def test_the_other_side_is_dressed_alike_with_its_own_labels():
    usual = usual_labels(*seen(("left forearm, before", 0, 255, "left arm"), ("right thigh, behind", 0, 255, "pants")))
    assert (usual[CHART["right forearm, behind"]] == LABEL["right arm"]).all()
    assert (usual[CHART["left thigh, before"]] == LABEL["pants"]).all()


def test_places_that_show_nothing_are_as_their_neighbours_or_as_people_mostly_are():
    usual = usual_labels(*seen(("front", 200, 255, "skirt")))
    assert (usual[CHART["front"]] == LABEL["skirt"]).all() and (usual[CHART["back"]] == LABEL["skirt"]).all()
    assert (usual[CHART["left hand"]] == LABEL["left hand"]).all()
    assert (usual[CHART["right foot"]] == LABEL["right shoe"]).all()
    assert (usual[0] == 0).all() and (usual[1:] > 0).all()


def test_a_head_has_hair_behind_if_it_has_any_before():
    """A face from the front, with hair above: none of its other side was seen, and it is not bald."""
    shown = [("head, left half", 0, 63, "hair"), ("head, left half", 64, 255, "face")]
    for half in ("left", "right"):
        usual = usual_labels(*seen(*shown, u=240))[CHART[f"head, {half} half"]]
        assert (usual[:5, 0] == LABEL["hair"]).all() and (usual[:2] == LABEL["hair"]).all()
        assert (usual[3:, 5:] == LABEL["face"]).all()


def test_who_is_bald_stays_so_and_long_hair_goes_on_behind():
    bald = usual_labels(*seen(("head, left half", 0, 255, "face"), u=240))[CHART["head, left half"]]
    assert (bald == LABEL["face"]).all()
    long = usual_labels(*seen(("head, left half", 0, 255, "hair"), u=100))[CHART["head, right half"]]
    assert (long[:, :4] == LABEL["hair"]).all() and (long[4:, 5:] == LABEL["face"]).all()


def test_a_beard_is_no_long_hair():
    bearded = usual_labels(*seen(("head, left half", 0, 63, "hair"), ("head, left half", 64, 191, "face"),
                                 ("head, left half", 192, 255, "hair"), u=240))[CHART["head, left half"]]  # fmt: skip
    assert (bearded[6:, 7] == LABEL["hair"]).all() and (bearded[6:, 3:6] == LABEL["face"]).all()


def test_a_head_that_was_not_seen_has_hair_behind_and_a_face_before():
    head = usual_labels(*seen(("front", 0, 255, "coat")))[CHART["head, left half"]]
    assert (head[:4, 0] == LABEL["hair"]).all() and (head[3:, 7] == LABEL["face"]).all()


def test_only_the_body_is_filled_and_what_is_known_stays():
    surface, labels = seen(("left hand", 0, 255, "gloves"))
    surface = np.concatenate([surface, np.zeros_like(surface)])
    known = np.concatenate([labels, labels * 0])
    known[0, :32] = 0
    shown = filled(known, surface, usual_labels(surface, np.concatenate([labels, labels])))
    assert (shown[0] == LABEL["gloves"]).all() and (shown[1] == 0).all()
