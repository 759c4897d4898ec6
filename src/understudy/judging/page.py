"""A study with human judges: a folder with a web page that needs no server, and the key that stays at home.

Two kinds, after the studies of the papers: pairs ("Which looks more real?", Aberman et al. 2018, Chan et al. 2019) and
single videos ("Real or not?", Ren et al. 2020).
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from understudy.base.arguments import StrPath, check_seed
from understudy.base.files import atomic_folder, sha256_of
from understudy.errors import UsageError
from understudy.judging.votes import KEY_NAME, VERSION, Item, Key, Kind

FOR_JUDGES = "for_judges"


@dataclass(frozen=True)
class Study:
    """A study that was made."""

    folder: Path
    page: Path
    """the page to open; its folder goes to the judges"""
    key: Key

    def __str__(self) -> str:
        return f"send to the judges: {self.page.parent} (all of it; {self.page.name} is the page to open)"


def study(
    pairs: Sequence[StrPath] = (),
    videos: Sequence[StrPath] = (),
    *,
    output: StrPath,
    real: Sequence[StrPath] = (),
    labels: Sequence[str] = (),
    seconds: float = 10.0,
    seed: int = 0,
) -> Study:
    """Makes a page on which people compare videos, and say which looks real.

    Either "Which looks more real?" of pairs of videos that show the same motion, or "Real or not?" of single ones. The
    page needs no server and sends nothing: a judge opens it from disk and gets a file of votes at the end.

    The output holds for_judges/ (index.html and clips/, to be sent), study.json (who is who, not to be sent) and
    README.txt. The same arguments make the same study, with the same id, again (in the same version).

    A clip in which anything was generated, by a video's own manifest or metadata or because it is not among `real`,
    says so in its metadata (XMP), which players do not show; recordings say nothing. Who looks into the files instead
    of at them can tell.

    Args:
        pairs: videos, each two that follow one another a pair: A1 B1 A2 B2. Both show the same motion.
        videos: videos to be judged one by one.
        output: a folder that does not exist yet.
        real: the recordings among the videos, named again or only here.
        labels: names of the methods. For pairs: two, of the first and of the second of every pair, or one for each
            video. Else: one for each video that is not real. Left out, the files' names, or their folders' where
            files have the same name.
        seconds: show at most so much of every video, from its start.
        seed: of the neutral names, of which video of a pair is a and which b, and of what is spoilt for the checks.

    Raises:
        UsageError: arguments that contradict each other, a pair of different shapes or of one method.
        MediaError: a video that cannot be read.
        UnderstudyError: the output exists or cannot be written.

    Example:
        study(["ours/1.mp4", "pix2pix/1.mp4", "ours/2.mp4", "pix2pix/2.mp4"], output="study")

    Shell:
        $ understudy study --pairs ours/1.mp4 pix2pix/1.mp4 ours/2.mp4 pix2pix/2.mp4 --output study
        $ understudy study --videos clone1.mp4 clone2.mp4 --real film1.mp4 film2.mp4 --output study
    """
    import numpy as np

    from understudy.judging.clips import checks_among, questions_of, write_items

    folder = Path(output)
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise UsageError(f"{folder} exists: choose another `output`, or remove it first")
    if not (math.isfinite(seconds) and seconds > 0):
        raise UsageError(f"`seconds` must be above 0, not {seconds:g}")
    check_seed(seed)
    kind, questions = questions_of(pairs, videos, real, labels, seconds)
    rng = np.random.default_rng([seed, 0x57D])
    questions += checks_among(questions, kind, rng)
    with atomic_folder(folder) as new:
        clips = new / FOR_JUDGES / "clips"
        clips.mkdir(parents=True)
        items = write_items(questions, kind, clips, rng)
        key = Key(_identity(kind, items, clips), kind, tuple(items))
        key.save(new / KEY_NAME)
        (new / FOR_JUDGES / "index.html").write_text(_page(key), encoding="utf-8")
        (new / "README.txt").write_text(_readme(key), encoding="utf-8")
    return Study(folder, folder / FOR_JUDGES / "index.html", key)


def _identity(kind: Kind, items: Sequence[Item], clips: Path) -> str:
    content = [[item.item, item.methods, item.expected, sha256_of(clips / f"{item.item}.mp4")] for item in items]
    return hashlib.sha256(json.dumps([VERSION, kind, content]).encode()).hexdigest()[:12]


def _page(key: Key) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from understudy.judging.clips import GAP

    environment = Environment(loader=PackageLoader("understudy.pictures"), autoescape=True, undefined=StrictUndefined)
    told = {
        "version": VERSION,
        "study": key.study,
        "kind": key.kind,
        "gap": GAP,
        "items": [item.item for item in key.items],
    }
    return environment.get_template("study.html").render(told=told, kind=key.kind, count=len(key.items))


def _readme(key: Key) -> str:
    methods = sorted({method for item in key.items for method in item.methods})
    checks = sum(item.expected is not None for item in key.items)
    asked = f"{len(key.items)} questions, {checks} of them attention checks; methods: {', '.join(methods)}"
    return f"""Study {key.study}: {asked}.

1. Send the folder {FOR_JUDGES} to each judge, all of it (as a ZIP file, say), or put it on any web server.
   A judge opens index.html in a browser. Nothing is sent anywhere: at the end the page hands out a file votes-....json,
   which the judge sends back to you.
2. Keep {KEY_NAME} to yourself: it says which video is whose, and which questions are attention checks. This file too.
3. Count the votes:
     understudy study --results votes-*.json --study STUDY
   where STUDY is this folder.
"""
