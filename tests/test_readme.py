"""Every command of the README and of the pages in docs/ runs, as it stands there, on small clips and small networks."""

import itertools
import re
import shlex
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

import one_process
from tiny import shrunk
from tiny_actor import tiny_actor
from understudy.cli import main as cli
from understudy.evaluation import evaluate as evaluating
from understudy.jobs import workers
from understudy.media.images import write_image
from understudy.recipes import copy_then_refine, every, pix2pix
from understudy.synthetic.clip import write_clip
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.render import render
from understudy.synthetic.scene import make_scene

pytestmark = pytest.mark.usefixtures("copied_rooms")

ROOT = Path(__file__).parents[1]
PAGES = {
    page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8")
    for page in [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md"))]
}
# person, dance, seconds, frames a second: few frames, and yet as many seconds as `evaluate` needs of "me"
CLIPS = {"me": (1, 5, 3.2, 5), "dance": (4, 6, 0.6, 10), "another": (4, 7, 0.6, 10), "held_out": (1, 8, 1, 5)}
WITH_COMMANDS = [
    "README.md", "docs/commands.md", "docs/detection.md", "docs/exporting.md", "docs/filming.md", "docs/first-clone.md",
    "docs/installing.md", "docs/licences.md", "docs/marks.md", "docs/methods.md",
]  # fmt: skip
NOT_TO_BE_TYPED = ["CHANGELOG.md", "docs/results.md"]  # what once was, and what was measured in many minutes


def commands(page):
    """The arguments of every command on a page; a word in capitals stands for something else and makes it a pattern."""
    text = re.sub(r"\\\n\s*", "", PAGES[page])
    found = re.findall(r"^(?: {4})?(?:\.venv/bin/)?(understudy .*)$|`(understudy [a-z]+ [^`]*)`", text, re.M)
    for line in (line or inline for line, inline in found):
        words = shlex.split(line, comments=True)[1:]
        if words[0] != "demo" and not any(re.fullmatch(r"[A-Z]{2,}(\.\.\.)?", word) for word in words):
            yield words


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    where = tmp_path_factory.mktemp("clips")
    room = make_scene(1, (256, 192))
    for name, (person, dance, seconds, fps) in CLIPS.items():
        write_clip(where / f"{name}.mp4", make_person(person), choreography(dance, seconds, Fraction(fps)), room)
    write_image(where / "photo.jpg", next(render(make_person(1), choreography(5, 1, Fraction(10))[:1], room)).frame)
    return where


@pytest.fixture
def here(clips, tmp_path, monkeypatch):
    """The current folder, empty but for the videos that the pages speak of."""
    for name in CLIPS:
        (tmp_path / f"{name}.mp4").hardlink_to(clips / f"{name}.mp4")
    (tmp_path / "photo.jpg").hardlink_to(clips / "photo.jpg")
    (tmp_path / "jobs.json").write_text(re.search(r"^```json\n(.*?)^```", PAGES["docs/commands.md"], re.M | re.S)[1])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNDERSTUDY_CACHE", str(clips / "cache"))
    for _, one in every():
        for preset in {"preview", "instant"} & one.presets.keys():
            small = shrunk(one.preset(preset))
            if preset == "instant" and one.learns:
                small = replace(small, steps=0)
            monkeypatch.setitem(one.presets, preset, lambda config=small: config)
    monkeypatch.setattr(evaluating, "DANCE_SECONDS", 0.4)
    monkeypatch.setattr(workers, "Here", one_process.Here)
    for module in (pix2pix, copy_then_refine):
        monkeypatch.setattr(module, "ENDLESS", 3)  # steps, where a page says how many minutes
    return tmp_path


@pytest.mark.parametrize("page", WITH_COMMANDS)
def test_the_commands_of_a_page_run_from_its_top_to_its_end(page, here):
    for words in commands(page):
        for name in re.findall(r"\w+\.actor", " ".join(words)):
            played = words[0] in ("perform", "batch", "inspect", "evaluate")
            if played and not Path(name).exists():  # trained on another page
                tiny_actor().save(name)
        asked = words[0] in ("train", "evaluate") and "--consent" not in words  # at a terminal, the question would come
        assert _status([*words, *(["--consent", "the person is made up"] if asked else [])]) == 0, words
        for option, name in itertools.pairwise(words):
            assert option != "--output" or Path(name).exists(), words


def _status(words):
    try:
        cli.main(words)
    except SystemExit as stop:
        return stop.code or 0
    return 0


def test_the_python_of_the_docs_runs(here):
    (example,) = re.findall(r"^```python\n(.*?)^```", PAGES["docs/python.md"], re.M | re.S)
    exec(compile(example, "docs/python.md", "exec"), {})
    assert (here / "mine.mp4").exists()


def test_no_page_with_commands_is_forgotten_and_no_command():
    assert sorted(page for page in PAGES if any(commands(page))) == sorted(WITH_COMMANDS + NOT_TO_BE_TYPED)
    shown = {words[0] for page in WITH_COMMANDS for words in commands(page)}
    # a demo takes minutes, and the studio stays open until it is closed; both have tests of their own
    assert shown == set(cli.COMMANDS) - {"demo", "studio"}
    for page in ("README.md", "docs/commands.md"):
        assert [name for name in cli.COMMANDS if f"understudy {name}" not in PAGES[page]] == []


def test_who_installs_without_our_opencv_is_told_everything_else():
    """docs/installing.md lists the requirements again; NumPy comes with whatever OpenCV is there."""
    listed = re.search(r"^pip install (ai-edge-litert .*?)\n```", PAGES["docs/installing.md"], re.M | re.S)[1]
    required = (ROOT / "pyproject.toml").read_text().split("dependencies = [")[1].split("\n]")[0]
    names = re.findall(r'^  "([A-Za-z0-9-]+)', required, re.M)
    told = [re.split("[=<>]", word)[0] for word in listed.replace("\\\n", " ").split()]
    assert sorted(told) == sorted(set(names) - {"opencv-python-headless", "numpy"})


def test_make_targets_and_programs_of_the_docs_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    whole = "\n".join(PAGES.values())
    targets = set(re.findall(r"(?:^|`)(?: {4})?make (\w+)", whole, re.M))
    assert targets >= {"demo", "test", "check", "docs"}
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.M), target
    programs = set(re.findall(r"python ((?:benchmarks|tests)/\w+\.py)", whole))
    assert programs and [program for program in programs if not (ROOT / program).is_file()] == []


def test_files_that_the_docs_point_to_exist():
    for page, text in PAGES.items():
        for link in re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", text):
            assert (ROOT / page).parent.joinpath(link).exists(), f"{page}: {link}"


@pytest.mark.parametrize("page", PAGES)
def test_lists_read_the_same_in_the_repository_and_on_the_site(page):
    """Where a list begins right below a paragraph, the site's Markdown takes it for more of the paragraph."""
    before, fenced = "", False
    for line in PAGES[page].splitlines():
        if not fenced and re.match(r"(-|\d+\.) ", line):
            assert not before.strip() or re.match(r"(-|\d+\.) |#|\s", before), f"{page}: {line}"
        fenced ^= line.startswith("```")
        before = line
