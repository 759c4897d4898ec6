"""Every command of the README runs, as it stands there, on small clips and with a small network."""

import re
import shlex
import shutil
from fractions import Fraction
from pathlib import Path

import pytest

from tiny import shrunk
from understudy.cli import main as cli
from understudy.recipes import every, pix2pix
from understudy.synthetic.clip import write_clip
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.scene import make_scene

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def commands():
    for line in re.findall(
        r"^(?:\.venv/bin/)?understudy .*$|`understudy [a-z]+ -[^`]*`|`understudy [a-z]+ [^`]*`", README, re.M
    ):
        words = shlex.split(line.strip("`"))
        if "THING" not in words:
            yield words[1:]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    where = tmp_path_factory.mktemp("readme")
    room = make_scene(1, (256, 192))
    for name, person, dance, seconds in (("me", 1, 5, 5), ("dance", 4, 6, 1), ("another", 4, 7, 1)):
        write_clip(where / f"{name}.mp4", make_person(person), choreography(dance, seconds, Fraction(15)), room)
    return where


def test_the_commands_of_the_readme_run(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("UNDERSTUDY_CACHE", str(folder / "cache"))
    for _, one in every():
        if one.learns:
            small = shrunk(one.preset("preview"))
            monkeypatch.setitem(one.presets, "preview", lambda config=small: config)
    monkeypatch.setattr(pix2pix, "ENDLESS", 3)  # steps, where the README says how many minutes
    consent = ["--consent", "the person is made up"]
    run = []
    for words in commands():
        if "anna.actor" in words:  # nobody trains this one in the README
            shutil.copy("me.actor", "anna.actor")
        asked = words[0] in ("train", "evaluate") and "--consent" not in words  # at a terminal, the question would come
        assert _status([*words, *(consent if asked else [])]) == 0, words
        run.append(words[0])
    assert set(run) == {"clone", "track", "coverage", "train", "perform", "evaluate", "study", "detect"}
    assert _status(["inspect", "me.actor"]) == 0
    assert (folder / "out.mp4").exists() and (folder / "another_out.mp4").exists() and (folder / "report.html").exists()


def _status(words):
    try:
        cli.main(words)
    except SystemExit as stop:
        return stop.code or 0
    return 0


def test_make_targets_of_the_readme_exist():
    makefile = (Path(__file__).parents[1] / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", README, re.M):
        assert re.search(rf"^{target}:", makefile, re.M)


def test_files_that_the_docs_point_to_exist():
    root = Path(__file__).parents[1]
    for page in [root / "README.md", *root.glob("docs/*.md"), root / "CONTRIBUTING.md"]:
        for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
