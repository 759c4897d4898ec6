from understudy.body.labels import LABEL, LABELS, MIRRORED, SEGMENTS, other_side


def test_there_are_the_papers_twenty_two_labels():
    """Gafni et al. 2021, section 3.1: 20 labels of VIP and two hands."""
    assert len(LABELS) == 22 and len(set(LABELS)) == 22
    assert LABELS[0] == "background" and LABELS[20:] == ("left hand", "right hand")


def test_a_mirrored_label_mirrored_again_is_itself():
    assert [MIRRORED[MIRRORED[number]] for number in range(22)] == list(range(22))
    assert other_side("left arm") == "right arm" and other_side("hair") == "hair"
    assert MIRRORED[LABEL["left shoe"]] == LABEL["right shoe"]


def test_every_label_of_a_person_is_in_one_segment():
    named = [label for labels in SEGMENTS.values() for label in labels]
    assert sorted([*named, "background"]) == sorted(LABELS)
