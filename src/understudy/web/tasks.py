"""What the studio can be asked to do, one function each; run in a child process, see `worker.py`.

Each takes the studio's folder and what was asked for, and returns what has come of it, as JSON can say it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from understudy.base.arguments import Label, Preset
from understudy.errors import MediaError, UsageError
from understudy.web.folder import Folder
from understudy.web.wording import in_page_words

GOOD_SECONDS = 60
"""of a person's clip, below which the page asks for more"""

if TYPE_CHECKING:
    from understudy.covering.measure import Coverage
    from understudy.performance import Performance

Answer = dict[str, Any]
Pointed = dict[str, float]
"""x and y, shares of the picture's width and height, and seconds into the clip: where the person is who is meant"""


def person(folder: Folder, *, upload: str, name: str, consent: str, pointed: Pointed | None = None) -> Answer:
    """Tracks the clip of a person as the default recipe learns from it, and makes the first actor, without training."""
    from understudy.covering.coverage import AS_LEARNT
    from understudy.performance import Performance
    from understudy.verbs.train import train

    place = folder.place("people", name)
    if place.exists():  # it was stopped while the actor was made
        performance = Performance.load(place)
    else:
        clip = _called(folder, upload, name)
        performance = _tracked(clip, place, pointed, AS_LEARNT)
        clip.unlink()
    folder.note("people", name, {"consent": consent, "footage": footage(performance, "reference")})
    actor = folder.free("actors", name)
    train(performance, folder.place("actors", actor), preset="instant", consent=consent)
    folder.note("actors", actor, {"person": name})
    return {"person": name, "actor": actor}


def dance(folder: Folder, *, upload: str, name: str, pointed: Pointed | None = None) -> Answer:
    """Tracks a clip whose motion is to be danced, and keeps the clip for its sound."""
    from understudy.covering.coverage import AS_PERFORMED
    from understudy.tracking.cache import remember_video

    place = folder.place("dances", name)
    kept = folder.clip_of(place)
    if kept is None:
        clip = folder.upload(upload)
        kept = place.with_suffix(clip.suffix)
        os.replace(clip, kept)
    performance = _tracked(kept, place, pointed, AS_PERFORMED)
    remember_video(kept, performance.header.source_sha256)
    folder.note("dances", name, {"footage": footage(performance, "driving")})
    return {"dance": name}


def everybody(folder: Folder, *, dance: str) -> Answer:
    """Tracks all people of a dance's clip, as `perform` takes them where each drives an actor; notes how many."""
    from understudy.covering.coverage import AS_PERFORMED
    from understudy.tracking.several import tracked_people

    people = tracked_people(folder.video_of(dance), None, **AS_PERFORMED)
    folder.note("dances", dance, {**folder.noted("dances", dance), "people": len(people)})
    return {"dance": dance, "people": len(people)}


def coverage(folder: Folder, *, person: str, dance: str) -> Answer:
    """Which of the dance's moves the person's clip cannot support, and what to film."""
    from understudy.covering.coverage import coverage as measured
    from understudy.performance import Performance

    report = folder.free("reports", f"{person} for {dance}")
    shown = Performance.load(folder.find("dances", dance))
    found = measured(folder.find("people", person), shown, folder.place("reports", report))
    unseen = never_shown(shown)
    folder.note("reports", report, {"person": person, "dance": dance, **in_words(found), "unseen": unseen})
    return {"report": report}


def never_shown(driving: Performance) -> str:
    """Limbs that a dance never shows, or only now and then, and what a clone of it does with its own; "" for none."""
    from understudy.performing.missing_limbs import missing_of

    missing = missing_of(driving)
    never, said = [], []
    if missing.arms:
        never.append(f"the {missing.arms}")
    if missing.never:
        never.append(f"the body below the {missing.never}")
    if never:
        said.append(f"The dance never shows {' and '.join(never)}")
    if missing.below != missing.never:
        said.append(f"{'the' if said else 'The'} body below the {missing.below} comes and goes at the picture's edge")
    done = ["the clone's legs stand"] if missing.below else []
    done += ["its arms hang"] if missing.arms else []
    return f"{', and '.join(said)}: there {' and '.join(done)}." if said else ""


def in_words(found: Coverage) -> Answer:
    """Of a measured coverage what the page shows: shares of frames, and shots to film."""
    return {
        "missed": found.share_of_frames,
        "limbs": found.share_per_limb,
        "uncovered": found.uncovered.any(axis=1).tolist(),
        "shots": [shot.line() for shot in found.shots],
    }


def learn(
    folder: Folder,
    *,
    person: str,
    actor: str,
    recipe: str,
    preset: Preset,
    minutes: float | None = None,
    seed: int = 0,
    settings: Sequence[str] = (),
) -> Answer:
    """Trains an actor; goes on where it was stopped."""
    from understudy.verbs.train import train

    consent = str(folder.noted("people", person).get("consent", ""))
    if not consent:  # as of a clip that was tracked elsewhere, and put here
        raise UsageError(
            f"nobody has said who agreed that {person} is learnt, and to what: bring the clip once more, on the tab "
            "Person, and say it there"
        )
    begun = folder.run_of(actor).exists()
    folder.note("actors", actor, {"person": person})
    train(
        folder.find("people", person),
        folder.place("actors", actor),
        recipe=recipe,
        preset=preset,
        max_minutes=minutes,
        seed=seed,
        settings=settings,
        resume=begun,
        consent=consent,
    )
    return {"actor": actor}


def perform(
    folder: Folder,
    *,
    actors: list[str],
    dance: str,
    film: str,
    background: str,
    compare: bool,
    label: bool,
    assign: dict[str, str] | None = None,
) -> Answer:
    """Lets an actor, or several on one stage, dance; the film appears when it is whole.

    Args:
        assign: in place of all dancing the same: which actor dances what each person of the clip dances, from "1" for
            the one on the left.
    """
    from understudy.performance.header import HEADER_FILE, read_header
    from understudy.tracking.cache import remember_video
    from understudy.verbs.perform import perform as performed

    cast = [folder.find("actors", one) for one in actors]
    driving = folder.find("dances", dance)
    clip = folder.clip_of(driving)
    if clip is not None:  # the studio's folder may have been moved since the dance was tracked
        remember_video(clip, read_header(driving / HEADER_FILE).source_sha256)
    output = folder.place("films", film)
    badge: Label = "corner" if label else "none"
    if assign:
        each = {side: folder.find("actors", one) for side, one in assign.items()}
        performed(None, clip or driving, output, assign=each, background=background, compare=compare, label=badge)
    else:
        performed(cast, driving, output, layout="stage", background=background, compare=compare, label=badge)
    folder.note("films", film, {"actors": actors, "dance": dance, "background": background})
    return {"film": film, "compare": compare}


def measure(folder: Folder, *, actor: str, dance: str) -> Answer:
    """Measures how true an actor is: it plays another clip of its person, whose frames are the truth."""
    from understudy.actor import Actor
    from understudy.evaluation.results import Evaluation
    from understudy.performance.header import HEADER_FILE, read_header
    from understudy.verbs.evaluate import evaluate
    from understudy.web import figures

    path, performance = folder.find("actors", actor), folder.find("dances", dance)
    clip = folder.video_of(dance)
    with TemporaryDirectory(dir=folder.root / "scratch") as place:
        evaluate(actor=path, driving=clip, output=place)
        said = figures.in_words(Evaluation.load(Path(place) / "results.json"))
    if Actor.load(path).reference_sha256 == read_header(performance / HEADER_FILE).source_sha256:
        said.insert(0, figures.LEARNT)
    folder.note("actors", actor, {**folder.noted("actors", actor), "measured": {"dance": dance, "said": said}})
    return {"actor": actor, "said": said}


def check(folder: Folder, *, upload: str, name: str, detect: bool) -> Answer:
    """Which marks a file bears that say how it was made; on request, what the detector thinks."""
    from understudy.verbs.verify import verify

    path = folder.upload(upload)
    found = verify([path], detect=detect, sandbox=False)  # this process is one
    if found.files[0].verdict == "unmarked" and not _shows_something(path):
        said = f"{name} is no picture and no video, or nothing can be read of it: there are no marks to look for."
    else:
        said = in_page_words(str(found).replace(str(path), name).replace(path.name, name))
    path.unlink(missing_ok=True)
    return {"said": said, "name": name}


def _shows_something(path: Path) -> bool:
    """Whether a file begins as a picture does, or opens as a video."""
    from understudy.media.images import announced_size_hw
    from understudy.media.opening import films, open_input

    with open(path, "rb") as stream:
        head = stream.read(12)
    if announced_size_hw(path) is not None or (head[:4], head[8:]) == (b"RIFF", b"WEBP"):
        return True
    try:
        with open_input(path) as container:
            return bool(films(container))
    except MediaError:
        return False


def footage(performance: Performance, role: str) -> list[str]:
    """What there is to say of a tracked clip before it is used, in words.

    Args:
        performance: of the clip.
        role: "reference" or "driving".
    """
    from understudy.covering.oddities import oddities

    header = performance.header
    seconds = float(header.frames / header.fps)
    said = [f"{seconds:.0f} seconds, somebody found in {header.found / max(1, header.frames):.0%} of the frames."]
    if role == "reference" and seconds < GOOD_SECONDS:
        said.append(
            f"Two minutes show more sides of a person than {seconds:.0f} seconds: a longer clip gives a better actor."
        )
    odd = oddities(performance.poses, header.fps, role)
    return [*said, *(in_page_words(f"{one[0].upper()}{one[1:]}.") for one in odd)]


def _tracked(clip: Path, place: Path, pointed: Pointed | None, options: dict[str, Any]) -> Performance:
    """Tracks the only person in a clip, or whoever was pointed at."""
    from understudy.tracking.pointed import track_pointed
    from understudy.tracking.track import track

    if pointed is None:
        return track(clip, place, **options)
    return track_pointed(clip, place, (pointed["x"], pointed["y"]), pointed["seconds"], **options)


def _called(folder: Folder, upload: str, name: str) -> Path:
    """The upload under the name that people know, which stands in notes and in what is tracked."""
    called = folder.root / "scratch" / f"{name}{Path(upload).suffix}"
    if not called.is_file():  # as after a stop
        os.replace(folder.upload(upload), called)
    return called


VERBS: dict[str, Callable[..., Answer]] = {
    "person": person,
    "dance": dance,
    "everybody": everybody,
    "coverage": coverage,
    "learn": learn,
    "perform": perform,
    "measure": measure,
    "check": check,
}


def done(verb: str, root: Path, asked: dict[str, Any]) -> Answer:
    """Does it; what comes of it is what JSON can say."""
    answer = VERBS[verb](Folder(root), **asked)
    return json.loads(json.dumps(answer))  # type: ignore[no-any-return]
