"""What clips of a study say of themselves: what was generated says so, recordings do not, and the study stays known."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from understudy import verify
from understudy.consent import Consent
from understudy.judging.page import Study, study
from understudy.judging.results import study_results
from understudy.marks.marking import Marking
from understudy.marks.signing import signing
from understudy.marks.statement import Performer, Statement
from understudy.media.reading import VideoWriter

BY_ANNA = Statement((Performer("limb-warp", "ab" * 32, Consent("Anna agreed", "2026")),), True, "9.9.9")
COMPOSITE = "/compositeWithTrainedAlgorithmicMedia"


def filmed(path: Path, marked: bool, seed: int, seconds: int = 5) -> Path:
    room = np.random.default_rng(seed).integers(60, 180, (144, 192, 3)).astype(np.uint8)
    with VideoWriter(path, Fraction(12), marking=Marking(BY_ANNA, signing()) if marked else None) as writer:
        for _ in range(12 * seconds):
            writer.write(room)
    return path


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A film, a marked clone, one in another container, and what another program made, which says nothing."""
    folder = tmp_path_factory.mktemp("given")
    return {
        "film": filmed(folder / "film.mp4", False, 1),
        "clone": filmed(folder / "clone.mp4", True, 2),
        "second": filmed(folder / "second.mkv", True, 3),
        "silent": filmed(folder / "silent.mp4", False, 4),
    }


def verdicts(made: Study) -> dict[tuple[tuple[str, ...], bool], str]:
    """By the methods shown, and whether it is an attention check."""
    clips = made.page.parent / "clips"
    return {
        (item.methods, item.expected is not None): verify([clips / f"{item.item}.mp4"]).files[0].verdict
        for item in made.key.items
    }


def test_of_single_videos_all_but_the_recordings_say_that_they_were_generated(clips: dict[str, Path], tmp_path: Path):
    made = study(
        videos=[clips["clone"], clips["second"], clips["silent"]], real=[clips["film"]], output=tmp_path / "study"
    )
    found = verdicts(made)
    names = {"clone": "generated", "second": "generated", "silent": "generated", "real": "unmarked"}
    assert len(found) == 5
    assert all(verdict == names[methods[0]] for (methods, _), verdict in found.items())


def test_they_say_nothing_else_and_bear_no_manifest(clips: dict[str, Path], tmp_path: Path):
    made = study(videos=[clips["clone"]], real=[clips["film"]], output=tmp_path / "study")
    (item,) = [item for item in made.key.items if item.methods == ("clone",) and item.expected is None]
    file = made.page.parent / "clips" / f"{item.item}.mp4"
    (one,) = verify([file]).files
    assert one.manifest is None and str(one.metadata).endswith(COMPOSITE)
    (own,) = verify([clips["clone"]]).files
    assert one.invisible is not None and own.invisible is not None
    assert one.invisible.payload == own.invisible.payload, "the mark of the video itself came along, and no other"
    for secret in (b"Anna", b"limb-warp", b"abababab", b"clone.mp4"):
        assert secret not in file.read_bytes()


@pytest.mark.parametrize(
    ("pair", "verdict"),
    [(("clone", "film"), "generated"), (("second", "clone"), "generated"), (("silent", "film"), "unmarked")],
)
def test_a_pair_says_so_if_one_of_the_two_does(clips: dict[str, Path], tmp_path: Path, pair: tuple[str, str], verdict):
    made = study([clips[name] for name in pair], output=tmp_path / "study")
    (found,) = {verdict for (_, check), verdict in verdicts(made).items() if not check}
    assert found == verdict


def test_a_film_beside_its_spoilt_copy_says_nothing(clips: dict[str, Path], tmp_path: Path):
    """Of five seeds one at least spoils the film, and one the clone."""
    checks = set()
    for seed in range(5):
        made = study([clips["clone"], clips["film"]], output=tmp_path / f"study{seed}", seconds=1, seed=seed)
        checks |= {(methods[0], verdict) for (methods, check), verdict in verdicts(made).items() if check}
    assert checks == {("film", "unmarked"), ("clone", "generated")}


def test_a_marked_study_is_the_same_bit_for_bit_and_its_votes_match(clips: dict[str, Path], tmp_path: Path):
    pair = [clips["clone"], clips["film"]]
    first, second = (study(pair, output=tmp_path / name, seconds=2, seed=3) for name in ("a", "b"))
    for file in sorted((first.page.parent / "clips").iterdir()):
        assert file.read_bytes() == (second.page.parent / "clips" / file.name).read_bytes()
    assert first.key == second.key
    answers = []
    for item in first.key.items:
        choice = item.expected or "ab"[item.methods.index("film")]
        answers.append({"item": item.item, "choice": choice, "seconds": 1.0, "changed": 0, "at": "2026", "left": "a"})
    votes = {
        "understudy_study": 1, "study": first.key.study, "kind": "pairs", "judge": "j1", "answers": answers,
        "started": "2026-01-01T00:00:00Z", "finished": "2026-01-01T00:01:00Z",
    }  # fmt: skip
    (tmp_path / "votes-j1.json").write_text(json.dumps(votes))
    found = study_results([tmp_path / "votes-j1.json"], study=second.folder)
    assert found.judges == ("j1",) and not found.left_out
    (comparison,) = found.comparisons
    assert comparison.wins[[comparison.first, comparison.second].index("film")] == 1


def test_a_recording_that_says_that_it_was_generated_is_told_and_stays_marked(
    clips: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    made = study(videos=[clips["silent"]], real=[clips["clone"]], output=tmp_path / "study", seconds=1)
    assert "clone.mp4 is named as a recording, and says of itself that it was generated" in caplog.text
    assert set(verdicts(made).values()) == {"generated"}
