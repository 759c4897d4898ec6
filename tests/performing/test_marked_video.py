"""What performances say of themselves: whose they are, what of it was filmed, and nothing where nothing is wanted."""

from dataclasses import replace

import pytest

import understudy
from filmed_shot import shot
from tiny import tiny_performance
from tiny_actor import drawing_actor, tiny_actor
from understudy import perform, verify
from understudy.errors import UsageError
from understudy.marks import signing
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
    driving = shot(tmp_path / "shot", frames=4).performance if background == "driving" else driving
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


@pytest.fixture
def studio(tmp_path):
    """A certificate and key in files of their own, as somebody else's program makes them."""
    pem = signing.made()
    cut = pem.index(b"-----BEGIN CERTIFICATE-----")
    folder = tmp_path / "a studio's secrets"
    folder.mkdir()
    (folder / "studio.pem").write_bytes(pem[cut:])
    (folder / "studio.key").write_bytes(pem[:cut])
    return {"sign_cert": folder / "studio.pem", "sign_key": folder / "studio.key"}


def certificates_of(*files):
    return {one.manifest.certificate for one in verify(files).files}


@pytest.mark.parametrize("together", [False, True], ids=["alone", "two"])
def test_the_key_that_is_given_signs_and_nothing_says_where_it_lies(tmp_path, driving, studio, together):
    actors = [tiny_actor(), drawing_actor()] if together else tiny_actor()
    perform(actors, driving, tmp_path / "own.mp4")
    perform(actors, driving, tmp_path / "out.mp4", compare=True, **studio)
    signed = tmp_path / "out.mp4", tmp_path / "out.compare.mp4"
    assert len(certificates_of(*signed)) == 1 and certificates_of(*signed) != certificates_of(tmp_path / "own.mp4")
    assert all(b"a studio's secrets" not in file.read_bytes() for file in signed)


def test_clone_signs_with_it_and_actor_and_run_do_not_record_it(tmp_path, driving, studio):
    me = tiny_performance(tmp_path / "me.performance", 8)
    understudy.clone(me, driving, tmp_path / "out.mp4", recipe="nearest-neighbour", consent="made up", **studio)
    assert certificates_of(tmp_path / "out.mp4") == certificates_of(tmp_path / "out.mp4")
    perform(tmp_path / "out.actor", driving, tmp_path / "own.mp4")
    assert certificates_of(tmp_path / "out.mp4").isdisjoint(certificates_of(tmp_path / "own.mp4"))
    left = [file for file in tmp_path.rglob("*") if file.is_file() and file.parent != studio["sign_key"].parent]
    assert tmp_path / "out.actor" in left
    assert all(b"studio" not in file.read_bytes() for file in left)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sign_key": None}, "`sign_cert` and `sign_key` go together: give both, or neither"),
        ({"sign_cert": None}, "`sign_cert` and `sign_key` go together: give both, or neither"),
        ({"sign_key": "gone.key"}, "cannot read gone.key: No such file or directory"),
        ({"sign_cert": ""}, "`sign_cert` names no file, it is empty: name one, or leave both out"),
        ({"marks": False}, "`sign_cert` and `sign_key` sign marks, which `marks=False` leaves out: give either"),
    ],
    ids=["certificate alone", "key alone", "gone", "empty", "no marks"],
)
@pytest.mark.parametrize("verb", ["perform", "clone", "reenact", "demo"])
def test_what_cannot_sign_is_said_before_anything_is_read(tmp_path, studio, verb, change, message):
    if verb == "demo" and "marks" in change:
        return  # which is always marked
    asked = {**studio, **change}
    given = {
        "perform": ["me.actor", "dance.mp4", tmp_path / "out.mp4"],
        "clone": ["me.mp4", "dance.mp4", tmp_path / "out.mp4"],
        "reenact": ["me.jpg", "dance.mp4", tmp_path / "out.mp4"],
        "demo": [tmp_path / "demo"],
    }
    with pytest.raises(UsageError) as refused:
        getattr(understudy, verb)(*given[verb], **asked)
    assert str(refused.value) == message
    assert {one.name for one in tmp_path.iterdir()} == {"a studio's secrets"}
