"""What a thing is, and that every command says so of what it cannot use, before any work."""

import numpy as np
import pytest

from tiny import tiny_performance
from understudy import coverage, inspect, perform, track, train
from understudy.base.things import pasted, what_is
from understudy.errors import UnderstudyError
from understudy.media.images import write_image
from understudy.media.reading import VideoWriter
from understudy.verbs.train import train as trained


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One of everything."""
    root = tmp_path_factory.mktemp("things")
    reference = tiny_performance(root / "me.performance", 1)
    trained(reference, root / "me.actor", preset="instant", consent="I am it", device="cpu")
    with VideoWriter(root / "me.mp4", 10) as writer:
        for level in range(12):
            picture = np.full((48, 40, 3), (200, 40, 60), np.uint8)
            picture[level : level + 20, 10:30] = (30, 160, 200)
            writer.write(picture)
    (root / "pictures").mkdir()
    write_image(root / "pictures" / "000000.png", np.zeros((8, 8, 3), np.uint8))
    (root / "poses").mkdir()
    (root / "poses" / "a_0001_keypoints.json").write_text("{}")
    (root / "nothing").mkdir()
    (root / "dance.bvh").write_text("HIERARCHY")
    (root / "poses.json").write_text("[]")
    (root / "empty.mp4").write_bytes(b"")
    (root / "broken.actor").write_bytes(b"nonsense of some length")
    return root


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("me.performance", "a performance"),
        ("me.actor", "an actor"),
        ("me.actor.run", "the run folder of a training"),
        ("me.mp4", "a video"),
        ("pictures", "a folder of pictures"),
        ("pictures/000000.png", "a picture"),
        ("poses", "a folder of pose files"),
        ("poses.json", "a file of poses"),
        ("dance.bvh", "a motion capture"),
        ("nothing", "an empty folder"),
        ("empty.mp4", "an empty file"),
        ("broken.actor", "a damaged actor"),
        ("gone", "something that cannot be read"),
    ],
)
def test_everything_is_known(folder, name, kind):
    assert what_is(folder / name) == kind


def test_every_command_says_what_it_was_given_instead(folder, monkeypatch):
    monkeypatch.chdir(folder)

    def performed(actor, driving, **asked):
        return lambda: perform(actor, driving, "o.mp4", device="cpu", **asked)

    no_video = "cannot read me.actor: it is an actor, not a video"
    for call, message in [
        (performed("me.mp4", "me.performance"), "me.mp4 is a video, not an actor: train one with"),
        (performed("me.performance", "me.mp4"), "me.performance is a performance, not an actor"),
        (performed("me.actor.run", "me.mp4"), "me.actor.run is the run folder of a training, not an actor"),
        (performed("broken.actor", "me.mp4"), "broken.actor is not a safetensors file, or it is cut off"),
        (performed("me.actor", "me.actor"), no_video),
        (performed("me.actor", "me.performance", background="me.actor"), no_video),
        (performed("me.actor", "pictures"), "pictures is a folder of pictures, not a performance"),
        (lambda: coverage("me.actor", "me.performance"), no_video),
        (lambda: inspect("pictures"), "pictures is a folder of pictures, not a performance"),
        (lambda: inspect("me.actor.run"), "me.actor.run is the run folder of a training, not a performance"),
        (lambda: track("pictures", "p.performance"), "pictures is a folder of pictures: give a video file"),
        (lambda: train("me.actor", "you.actor", consent="x"), no_video),
        (lambda: track("me.mp4", "p.performance", matte="me.mp4"), "the matte me.mp4 is the video itself"),
        (lambda: track("me.mp4", "p.performance", matte="gone.mp4"), "there is no matte gone.mp4"),
    ]:
        with pytest.raises(UnderstudyError) as raised:
            call()
        assert message in str(raised.value), str(raised.value)
        assert len(str(raised.value).splitlines()) == 1


def test_advice_can_be_pasted():
    assert pasted("my clip.mp4") == "'my clip.mp4'" and pasted("me.mp4") == "me.mp4"
