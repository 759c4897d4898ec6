"""What performances say of themselves: whose they are, what of it was filmed, and nothing where nothing is wanted."""

from dataclasses import replace

import pytest

from tiny import tiny_performance
from tiny_actor import drawing_actor, tiny_actor
from understudy import perform, verify
from understudy.performing.marked_video import performer_of

COMPOSITE, GENERATED = "compositeWithTrainedAlgorithmicMedia", "trainedAlgorithmicMedia"


@pytest.fixture(scope="module")
def driving(tmp_path_factory):
    return tiny_performance(tmp_path_factory.mktemp("driving") / "dance.performance", 2)


def kinds_of(*files):
    """How each file says that it came to be, which manifest and metadata say alike."""
    found = verify(files).files
    assert all(one.manifest.intact and one.metadata == one.manifest.source_type for one in found)
    return [one.metadata.rpartition("/")[2] for one in found]


@pytest.mark.parametrize(("background", "kind"), [("reference", COMPOSITE), ("driving", COMPOSITE), ("red", GENERATED)])
def test_a_room_that_was_filmed_makes_it_a_composite_and_so_does_the_driver_beside(tmp_path, driving, background, kind):
    perform(tiny_actor(), driving, tmp_path / "out.mp4", background=background, compare=True)
    assert kinds_of(tmp_path / "out.mp4", tmp_path / "out.compare.mp4") == [kind, COMPOSITE]


def test_every_performer_is_named_once(tmp_path, driving):
    other = replace(tiny_actor(), weights={name: value + 1 for name, value in tiny_actor().weights.items()})
    actors = [tiny_actor(), other, tiny_actor()]
    perform(actors, driving, tmp_path / "out.mp4", compare=True)
    for one in verify([tmp_path / "out.mp4", tmp_path / "out.compare.mp4"]).files:
        told = [performer["actor_sha256"] for performer in one.manifest.ours["performers"]]
        assert told == [performer_of(actor).actor_sha256 for actor in actors[:2]] and len(set(told)) == 2


@pytest.mark.parametrize("together", [False, True], ids=["alone", "two"])
def test_without_marks_nothing_is_said(tmp_path, driving, together):
    actors = [tiny_actor(), drawing_actor()] if together else tiny_actor()
    perform(actors, driving, tmp_path / "out.mp4", compare=True, marks=False)
    found = verify([tmp_path / "out.mp4", tmp_path / "out.compare.mp4"]).files
    assert [one.verdict for one in found] == ["unmarked", "unmarked"]
    for file in ("out.mp4", "out.compare.mp4"):
        assert tiny_actor().consent.text.encode() not in (tmp_path / file).read_bytes()
