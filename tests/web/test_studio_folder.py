"""The studio's folder: names that may be, what is in the lists, what is removed and when."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from understudy.errors import UsageError
from understudy.web.folder import LONGEST_NAME, MOST_NAME_BYTES, UPLOAD_SECONDS, Folder, own_file, safe

TOKEN = "0123456789abcdef0123456789abcdef.mp4"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "studio")
    made.prepare()
    return made


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("Ann", "Ann"),
        ("  my   dance ", "my dance"),
        ("../my dance: take 1.mp4", "my dance take 1"),
        ("..\\..\\secret", "secret"),
        ("/etc/passwd", "passwd"),
        ("C:\\Users\\a.MOV", "a"),
        ("..", "unnamed"),
        ("", "unnamed"),
        ("/", "unnamed"),
        ("a\0b", "ab"),
        ("\u202etxt.exe", "txt exe"),
        ("two\nlines", "two lines"),
        ("\x1b[31mred", "31mred"),
        ("<b>${x}{{y}}%s|&;`id`", "bxysid"),
        (".hidden", "hidden"),
        ("-rf", "rf"),
        ("con", "unnamed"),
        ("LPT1.mp4", "unnamed"),
        ("con.txt", "con txt"),
        ("a.actor", "a"),
        ("a.compare.mp4", "a compare"),
        ("Zoë & 李雷", "Zoë 李雷"),
        ("Zoe\u0308", "Zoë"),
        ("\ud800", "unnamed"),
        ("*?[a]", "a"),
        ("it's (her), take 2+3", "it's (her), take 2+3"),
    ],
)
def test_names_are_as_files_may_be_called_anywhere(wanted: str, name: str) -> None:
    assert safe(wanted) == name
    assert safe(name) == name


@pytest.mark.parametrize("wanted", ["a" * 1000, "é" * 1000, "李" * 1000, "a" * 59 + " b", "\U00010400" * 60])
def test_long_names_leave_room_for_what_is_put_to_them(wanted: str, folder: Folder) -> None:
    name = folder.free("actors", wanted)
    assert 0 < len(name) <= LONGEST_NAME and len(name.encode()) <= MOST_NAME_BYTES and name == name.strip()
    folder.note("actors", name, {"a": 1})
    assert folder.noted("actors", name) == {"a": 1}


def test_only_what_is_in_the_list_is_found(folder: Folder) -> None:
    for name in ("one.mp4", "one.compare.mp4", ".hidden.mp4", "two.txt"):
        (folder.root / "films" / name).touch()
    (folder.root / "films" / "link.mp4").symlink_to(folder.root / "films" / "one.mp4")
    for name in ("ann.actor", "ann.before.actor", "ann.actor.run"):
        (folder.root / "actors" / name).touch()
    assert folder.names("films") == ["one"] and folder.names("actors") == ["ann"] and folder.names("people") == []
    assert folder.find("films", "one") == folder.root / "films" / "one.mp4"
    for name in ("two", "one.compare", "link", ".hidden", "", "../films/one", "ONE", None, 7, ["one"], "ann.before"):
        with pytest.raises(UsageError, match=r"^there is no film of that name here: choose one from the list$"):
            folder.find("films", name)


def test_the_newest_is_first(folder: Folder) -> None:
    for age, name in enumerate(("new", "older", "oldest")):
        path = folder.root / "films" / f"{name}.mp4"
        path.touch()
        os.utime(path, (1e9 - age, 1e9 - age))
    assert folder.names("films") == ["new", "older", "oldest"]


def test_free_names_are_nobody_elses(folder: Folder) -> None:
    (folder.root / "actors" / "Ann.json").touch()
    (folder.root / "actors" / "Zoë.actor.run").mkdir()
    assert folder.free("actors", "Bob") == "Bob"
    assert folder.free("actors", "ANN") == "ANN 2"  # some systems do not tell them apart
    assert folder.free("actors", "Zoe\u0308") == "Zoë 2"
    assert folder.free("actors", "Bob", ["bob", "Bob 2"]) == "Bob 3"
    assert folder.free("people", "Ann") == "Ann"


def test_a_clip_that_is_a_link_is_none(folder: Folder) -> None:
    dance = folder.place("dances", "a")
    assert folder.clip_of(dance) is None
    dance.with_suffix(".webm").symlink_to(folder.root / "studio.sqlite")
    (folder.root / "studio.sqlite").touch()
    assert folder.clip_of(dance) is None
    dance.with_suffix(".avi").touch()
    assert folder.clip_of(dance) == dance.with_suffix(".avi")


@pytest.mark.parametrize("name", ["a.mp4", "a.MOV", "../a.jpeg", "a.b.webm", "\x1b.png"])
def test_uploads_are_called_by_tokens(folder: Folder, name: str) -> None:
    first, second = folder.new_upload(name), folder.new_upload(name)
    assert first != second and first.parent == folder.root / "uploads" and first.suffix == Path(name).suffix.lower()
    with pytest.raises(UsageError):
        folder.upload(first.name)
    first.touch()
    assert folder.upload(first.name) == first


@pytest.mark.parametrize(
    "name", ["", "a", ".mp4", "a.html", "a.mp4/", "a.svg", "a.mp4.exe", "a.mp4\0.txt", "playlist.m3u8"]
)
def test_other_kinds_are_not_taken(folder: Folder, name: str) -> None:
    if name == "a.mp4/":  # a folder's name is its file's
        assert folder.new_upload(name).suffix == ".mp4"
        return
    with pytest.raises(UsageError, match=r"^the studio takes videos \(.mp4"):
        folder.new_upload(name)


@pytest.mark.parametrize(
    "token", ["../studio.sqlite", TOKEN.upper(), f"{TOKEN}\n", f"/{TOKEN}", "", None, 7, [TOKEN], TOKEN]
)
def test_what_is_no_token_of_an_upload_is_refused(folder: Folder, token: object) -> None:
    (folder.root / "studio.sqlite").touch()
    (folder.root / "uploads" / TOKEN).symlink_to(folder.root / "studio.sqlite")
    with pytest.raises(UsageError, match=r"^that file is not here any more: uploads are removed after an hour"):
        folder.upload(token)


def test_uploads_go_after_an_hour_but_for_those_in_use(folder: Folder) -> None:
    uploads, scratch, outside = folder.root / "uploads", folder.root / "scratch", folder.root / "films" / "a.mp4"
    for path in (uploads / "old.mp4", uploads / "used.mp4", scratch / "called.mp4", scratch / "piece", outside):
        path.touch()
    (uploads / "old link.mp4").symlink_to(outside)
    (scratch / "left").mkdir()
    (scratch / "left" / "frame.png").touch()
    soon, late = time.time() + UPLOAD_SECONDS - 60, time.time() + UPLOAD_SECONDS + 60
    folder.sweep(set(), soon)
    folder.sweep_scratch(set(), soon)
    assert len(list(uploads.iterdir())) == 3 and len(list(scratch.iterdir())) == 3
    folder.sweep({"used.mp4", "called.mp4"}, late)
    assert {path.name for path in uploads.iterdir()} == {"used.mp4"} and outside.exists()
    assert {path.name for path in scratch.iterdir()} == {"called.mp4", "piece", "left"}
    folder.sweep(set(), late)
    assert {path.name for path in scratch.iterdir()} == {"piece", "left"}
    folder.sweep_scratch({"piece"}, late)
    assert [path.name for path in scratch.iterdir()] == ["piece"]


def test_sweeping_what_is_not_there_is_nothing(folder: Folder) -> None:
    (folder.root / "uploads").rmdir()
    folder.sweep(set())


def test_what_is_removed_goes_with_all_that_belongs_to_it_and_nothing_else(folder: Folder) -> None:
    films, actors = folder.root / "films", folder.root / "actors"
    for name in ("my.mp4", "my.compare.mp4", "my.json", "my.film.mp4", "my.film.json", "myself.mp4", "m[y].mp4"):
        (films / name).touch()
    folder.remove("films", "my")
    assert {path.name for path in films.iterdir()} == {"my.film.mp4", "my.film.json", "myself.mp4", "m[y].mp4"}
    folder.remove("films", "m[y]")
    assert {path.name for path in films.iterdir()} == {"my.film.mp4", "my.film.json", "myself.mp4"}
    outside = folder.root / "films" / "kept"
    outside.mkdir()
    (outside / "frame").touch()
    (actors / "ann.actor").touch()
    (actors / "ann.actor.run").symlink_to(outside)
    folder.remove("actors", "ann")
    assert list(actors.iterdir()) == [] and (outside / "frame").exists()
    with pytest.raises(UsageError):
        folder.remove("films", "../actors/ann")


def test_size_counts_what_lies_there_and_not_where_links_lead(folder: Folder, tmp_path: Path) -> None:
    before = folder.size()
    (folder.root / "films" / "a.mp4").write_bytes(b"a" * 1000)
    (tmp_path / "large").write_bytes(b"a" * 50_000)
    (folder.root / "films" / "b.mp4").symlink_to(tmp_path / "large")
    assert 1000 <= folder.size() - before < 2000


@pytest.mark.parametrize("content", ["[1]", "rubbish", "", "[" * 100_000, '"a"'])
def test_damaged_notes_are_none(folder: Folder, content: str) -> None:
    (folder.root / "people" / "a.json").write_text(content)
    assert folder.noted("people", "a") == {} == folder.noted("people", "b")


def test_notes_that_are_links_are_none(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text('{"consent": "secret"}')
    (folder.root / "people" / "a.json").symlink_to(tmp_path / "secret.json")
    assert folder.noted("people", "a") == {} and not own_file(folder.root / "people" / "a.json")


def test_texts_do_not_say_where_it_lies(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    root = str(folder.root)
    assert folder.without_place(f"cannot read {root}/films/a.mp4 in {root}") == "cannot read films/a.mp4 in the studio"
    assert folder.without_place("/home/ann/.cache/a") == "~/.cache/a"
    monkeypatch.setenv("HOME", "/")
    assert folder.without_place("a/b") == "a/b"


def test_what_cannot_be_a_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "inside"):
        with pytest.raises(UsageError, match=r"^the studio cannot keep anything in .*: choose another `folder`$"):
            Folder(place).prepare()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_what_may_not_be_written_is_one_line(tmp_path: Path) -> None:
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(UsageError, match="choose another `folder`"):
        Folder(tmp_path / "studio").prepare()
