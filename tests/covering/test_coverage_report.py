from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from understudy.covering.coverage import coverage
from understudy.covering.measure import measure
from understudy.covering.plots import limb_strips, time_line
from understudy.covering.report import _with_limbs
from understudy.errors import UnderstudyError
from understudy.pictures import pages
from understudy.poses.pose import Pose
from understudy.poses.similarity import Similarity

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Collects text and pictures, and notices tags that do not close."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.pictures: list[dict[str, str | None]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.pictures.append(dict(attributes))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def clips(stick_people, write_stick_performance):  # type: ignore[no-untyped-def]
    """A reference that stands still and a driver that, among other things, lifts the left forearm."""
    reference = write_stick_performance("me <b>", stick_people([{}] * 3))
    frames = [{}] * 6 + [{"left forearm": 90}] * 4 + [{}] * 2
    return reference, write_stick_performance(
        "dance", Similarity(1.2, (-20, 4)).of_pose(stick_people(frames), (256, 256))
    )


def test_report(clips, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    reference, driving = clips
    output = tmp_path / "reports" / "report.html"
    found = coverage(reference, driving, output)
    html = output.read_text(encoding="utf-8")
    page = Page(html)
    assert page.open == []
    text = " ".join(page.text.split())
    for expected in (
        "The reference does not cover this driver: film more.",
        "In 33 % of the driver's 12 frames",
        "Left forearm straight out to the side, horizontally (about 90 degrees from straight down).",
        "33 % of the driver's frames, see 0:00.8 With all of these filmed, 0 % of the driver's frames would still",
        "Left and right are the person's own",
        "driver 0:00.6 (frame 6)",
        "Not covered: left forearm (40 px).",
        "me <b>.mp4",
    ):
        assert expected in text
    assert "me <b>" not in html  # names are escaped
    assert [worst.frame for worst in found.worst] == [6]
    assert [path.name for path in output.parent.iterdir()] == ["report.html"]


def test_report_asks_nothing_of_the_network(clips, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    output = tmp_path / "report.html"
    coverage(*clips, output)
    html = output.read_text(encoding="utf-8")
    assert not re.search(r"https?:|//[a-z]|<script|<link|@import|url\(", re.sub(r"base64,[^\"]*", "", html))
    page = Page(html)
    assert page.pictures
    assert all((picture["src"] or "").startswith("data:image/") and picture["alt"] for picture in page.pictures)
    sizes = [cv2.imdecode(_bytes(picture["src"]), cv2.IMREAD_COLOR).shape for picture in page.pictures]
    assert len(sizes) == 4  # two plots, one pair of frames
    assert sizes[2] == sizes[3] == (360, 360, 3)


def test_uncovered_limbs_are_drawn_thick_where_the_aligned_driver_is(clips, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    output = tmp_path / "report.html"
    found = coverage(*clips, output)
    driver = cv2.imdecode(_bytes(Page(output.read_text()).pictures[2]["src"]), cv2.IMREAD_COLOR)[..., ::-1].astype(int)
    orange = np.abs(driver - (255, 140, 0)).sum(axis=2) < 80
    aligned = found.alignment.of_pose(clips[1].poses, (256, 256))
    xy, _ = aligned.openpose18()
    rows, columns = np.nonzero(orange)
    forearm = xy[6, 6:8].mean(axis=0) * 360 / 256
    assert (columns.mean(), rows.mean()) == pytest.approx(forearm, abs=3)


def test_limbs_are_drawn_where_they_are_on_an_enlarged_frame(
    stick_people, write_stick_performance, tmp_path: Path
) -> None:  # type: ignore[no-untyped-def]
    """Frames of 64 pixels are shown with 360: half a pixel of theirs is three of the picture's."""

    def small(frames):  # type: ignore[no-untyped-def]
        return Similarity(0.25, (-0.375, -0.375)).of_pose(stick_people(frames), (64, 64))

    driving = small([{}] * 2 + [{"left forearm": 90}] * 2)
    clips = write_stick_performance("me", small([{}] * 3)), write_stick_performance("dance", driving)
    found = coverage(*clips, tmp_path / "report.html")
    page = Page((tmp_path / "report.html").read_text())
    picture = cv2.imdecode(_bytes(page.pictures[2]["src"]), cv2.IMREAD_COLOR)[..., ::-1].astype(int)
    rows, columns = np.nonzero(np.abs(picture - (255, 140, 0)).sum(axis=2) < 80)
    xy, _ = found.alignment.of_pose(clips[1].poses, (64, 64)).openpose18()
    forearm = (xy[found.worst[0].frame, 6:8].mean(axis=0) + 0.5) * 360 / 64 - 0.5
    assert (columns.mean(), rows.mean()) == pytest.approx(forearm, abs=1)


@pytest.mark.parametrize(
    ("frames", "beyond", "verdict"),
    [
        (20, 1, "The reference covers this driver."),
        (10, 1, "The reference covers most of this driver."),
        (10, 3, "The reference covers most of this driver."),
        (10, 4, "The reference does not cover this driver: film more."),
    ],
    ids=["5 %", "10 %", "30 %", "40 %"],
)
def test_the_verdict_goes_by_the_share_of_frames(
    stick_people, write_stick_performance, tmp_path: Path, frames: int, beyond: int, verdict: str
) -> None:  # type: ignore[no-untyped-def]
    dance = stick_people([{"left forearm": 90}] * beyond + [{}] * (frames - beyond))
    clips = write_stick_performance("me", stick_people([{}] * 3)), write_stick_performance("dance", dance)
    coverage(*clips, tmp_path / "report.html")
    assert verdict in " ".join(Page((tmp_path / "report.html").read_text()).text.split())


def test_covered_driver_has_a_short_report(stick_people, write_stick_performance, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    clip = write_stick_performance("me", stick_people([{}] * 3))
    coverage(clip, clip, tmp_path / "report.html")
    text = " ".join(Page((tmp_path / "report.html").read_text()).text.split())
    assert "The reference covers this driver." in text
    assert "Nothing more: no gap is large enough to be worth a take." in text
    assert "Worst moments" not in text


def test_report_with_limbs_never_seen(stick_people, write_stick_performance, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    pose = stick_people([{}] * 4)
    no_legs, no_left_arm = pose.confidence.copy(), pose.confidence.copy()
    no_legs[:, 13:17] = 0
    no_left_arm[:, [7, 9]] = 0
    no_left_arm[0] = 0
    reference = write_stick_performance("me", Pose(pose.xy, no_legs, pose.size_hw))
    driving = write_stick_performance("dance", Pose(pose.xy, no_left_arm, pose.size_hw))
    coverage(reference, driving, tmp_path / "report.html")
    text = " ".join(Page((tmp_path / "report.html").read_text()).text.split())
    assert "Never visible in the reference: right thigh, right shin, left thigh, left shin." in text
    assert "right thigh (never filmed)" in text
    assert "left forearm n/a n/a n/a 0 %" in text


def test_a_report_that_fails_leaves_the_old_one(clips, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    output = tmp_path / "out" / "report.html"
    coverage(*clips, output)
    before = output.read_bytes()

    def full_disk(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full_disk)
    with pytest.raises(UnderstudyError, match=r"cannot write .*report\.html: No space left on device"):
        coverage(*clips, output)
    monkeypatch.undo()
    assert output.read_bytes() == before
    assert [path.name for path in output.parent.iterdir()] == ["report.html"]


def test_long_drivers_are_drawn_by_stretches() -> None:
    assert pages.stretches(5).tolist() == [0, 1, 2, 3, 4]
    first = pages.stretches(36_000)
    assert len(first) == pages.MOST_COLUMNS
    assert first[0] == 0
    assert set(np.diff(first)) == {60}


def test_plots_survive_any_length(stick_people) -> None:  # type: ignore[no-untyped-def]
    from fractions import Fraction

    for frames in (1, 700):
        found = measure(stick_people([{}]), stick_people([{}] * frames), Fraction(30000, 1001))
        for plot in (
            time_line(found.distance, found.limb_distance, found.gamma, found.fps),
            limb_strips(found.limb_distance, found.gamma, found.fps),
        ):
            assert pages.plot_uri(plot).startswith("data:image/png;base64,")


def _bytes(source: str | None) -> np.ndarray:
    return np.frombuffer(base64.b64decode((source or "").split(",", 1)[1]), np.uint8)


def test_limbs_lie_on_an_enlarged_frame_where_they_are(stick_people) -> None:  # type: ignore[no-untyped-def]
    pose = Similarity.resized(20 / 256).of_pose(stick_people([{}]), (20, 20))
    drawn = _with_limbs(np.zeros((20, 20, 3), np.uint8), pose, 0, (11,))  # 18 times as large
    rows, columns = np.nonzero(np.abs(drawn.astype(int) - (255, 140, 0)).sum(axis=2) < 80)
    forearm = (pose.openpose18()[0][0, 6:8].mean(axis=0) + 0.5) * 18 - 0.5
    assert (columns.mean(), rows.mean()) == pytest.approx(forearm, abs=1.5)
