"""What verbs say in the words of the command line, said in those of the page: which tab, which button.

Notes and errors are written once, for the shell and for Python. Here is a table of the advice in them that nobody can
take in a browser, and what to do there instead; what is not in it stays as it is.
"""

from __future__ import annotations

import re

AGAIN = "bring the clip once more"
OTHER_NAME = "learn under another name, on the tab Learn"
_INSTEAD = (
    # clips
    (r"turn the video upright with `[^`]*`", f"turn the video upright with another program, and {AGAIN}"),
    (r"; to follow (another one|that one): `[^`]*`(, and give that)?", rf"; to follow \1, {AGAIN} and point there"),
    (r"to keep it to one person: `[^`]*`, and give that", f"to keep it to one person, {AGAIN} and point at the one"),
    (
        r"say which part and whom you mean: `[^`]*`, or where there are such, `[^`]*` or `[^`]*`",
        "bring a shorter part of it, and point at the one who is meant",
    ),
    (r": check `start` and `end`", ""),
    (r"choose the right person with `[^`]*`, and give that", f"{AGAIN} and point at the right person"),
    (r"go on over the damage: `[^`]*`, and give that", "convert it with another program"),
    (r" \(`understudy track [^`]*` takes both\)", ""),
    (r"; `understudy inspect [^`]*` lists them", "; what still deserves a look is red on the tab Fix joints"),
    (r"track it again with `[^`]*`, and give that", f"{AGAIN}, on the tab Person"),
    (r"`track` it with `[^`]*` for livelier hands", f"{AGAIN}, on the tab Person, for livelier hands"),
    (
        r"(make one|track it) with `understudy track [^`]*`|give what `understudy track` wrote",
        f"{AGAIN}, on the tab Person or Dance",
    ),
    # learning
    (r"raise `max_minutes` or `max_steps`", f"{OTHER_NAME}, for more minutes"),
    (
        r"close other programs or choose another `device`, and go on with `resume=True`; or begin again with a "
        r"smaller `preset` and another `output`",
        "close other programs and press Go on, or learn in a lower quality",
    ),
    (
        r"look at the reference with `understudy inspect`, or try another `seed`",
        "look at the person on the tab Fix joints, or try another seed, on the tab Learn under More",
    ),
    (r"delete that folder( to begin anew)?, or choose another `output`", f"forget the task (✕), and {OTHER_NAME}"),
    (r"repeat the `preset`, `seed` and clips of before, choose another `output`, or delete that folder", OTHER_NAME),
    (r"repeat the `recipe` and `preset` of before, choose another `output`, or replace it with `\w+=True`", OTHER_NAME),
    (r"go on with `recipe=[^`]*`, choose another `output`, or (delete that folder|begin[^`]*`\w+=True`)", OTHER_NAME),
    (
        r"(render with it \(`[^`]*`\), )?train it further with `resume=True`, replace it with `overwrite=True`, or "
        r"choose another `output`",
        OTHER_NAME,
    ),
    (r"choose another `output`, or replace it with `overwrite=True`", OTHER_NAME),
    (r"go on with `resume=True`, or begin anew with `overwrite=True`", f"press Go on, or {OTHER_NAME}"),
    (r"go on with (train and )?`resume=True`", "press Go on"),
    (
        r"make room, choose an `output` on another disk, give a larger `memory_gb`, or learn from a shorter part",
        "make room on the disk, or learn from a shorter clip",
    ),
    (r" \(`memory_gb` says for how much\)", ""),
    (r"no `unpaired` is given: (motion is learnt from \w+ made-up dances) \([^)]*\)", r"\1"),
    (r"train one with `understudy train [^`]*`", "make one, on the tab Learn"),
    (r"update it with `pip install [^`]*`", "whoever runs the studio has to update the program"),
    (r"`settings` ", ""),
    (r"`understudy recipes NAME` lists all", "the list under the field has them all"),
    # dancing
    (r": `--fit whole` places it so that it stays in", ""),
    (r"; choose `missing_limbs=[^`]*`( or `missing_limbs=[^`]*`)* for another way", ""),
    (r"; a wider `background` leaves them larger", "; fewer of them are shown larger"),
    (r"use `layout='side-by-side'`", "let it dance alone"),
    (r"`background` must be reference:", "choose “The person's room” behind the performer:"),
    (r"an actor of `preset` fast or preview", "one that is learnt in the quality fast or preview"),
    (
        r"`background='driving'` shows the driver's own shot, and (.+), which this performance was tracked from, is "
        r"neither .* as `driving`",
        r"the dancer's room is in \1, which is not here any more: choose something else behind the performer",
    ),
    (
        r"`background='driving'`: (.+) is motion alone and has no shot to stand in; give a video",
        r"\1 is motion alone and has no room: choose something else behind the performer",
    ),
    (r"let one dance with `actor`", "let one actor dance all of it"),
    (r"`assign`: ", ""),
    # marks
    (r"no proof: understudy verify --detect", "no proof: tick “Ask the detector, too” to hear it"),
    (r": `marks=False` writes it unmarked", ""),
    # files of the studio are called by their names
    (
        r"\b(?:people|dances|actors|films|reports|scratch)/([^/\n:`]+?)"
        r"\.(?:performance|actor|html|mp4|m4v|mov|mkv|webm|avi)\b",
        r"\1",
    ),
)
_TABLE = tuple((re.compile(said), instead) for said, instead in _INSTEAD)


def in_page_words(text: str) -> str:
    """A note or an error, with what is to be done as the page has it.

    Example:
        >>> in_page_words("stopped at step 40; saved, go on with `resume=True`")
        'stopped at step 40; saved, press Go on'
    """
    for said, instead in _TABLE:
        text = said.sub(instead, text)
    return text
