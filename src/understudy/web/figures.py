"""What an evaluation has measured of an actor, in words that need no table."""

from __future__ import annotations

from understudy.evaluation.results import Evaluation, Summary

REGION = "person"
LEARNT = "Of the clip that it has learnt from: of clips that it has not seen, this says nothing."
SAID = {
    "perceptual": ("Perceptual distance {}: 0 is as filmed, more is worse.", "{:.2f}"),
    "sharpness": ("Sharpness {} of the real clip's.", "{:.0%}"),
    "torn": ("Torn pieces and holes: {} a frame.", "{:.1f}"),
    "joint_distance": ("Joints lie {} pixels (of 256) beside where they were.", "{:.1f}"),
    "pck": ("{} of the joints are found where they were.", "{:.0%}"),
    "temporal": ("Flicker {} times the real clip's; a blurred clip has less of it, too.", "{:.1f}"),
    "rmse": ("Colours are {} of 255 off.", "{:.0f}"),
}
"""by the measure's name, see `evaluation.measuring.MEASURES`: a sentence, and how its number is written"""


def in_words(found: Evaluation) -> list[str]:
    """A sentence for each measure of the person, with its 95 % interval; those that could not be computed are left out.

    Args:
        found: of one actor, by `evaluate` with `actor`.
    """
    measures = found.tests[0].methods[0].measures
    words = []
    for name, (sentence, written) in SAID.items():
        summary = measures[name].regions.get(REGION) if name in measures else None
        if summary is not None and summary.mean is not None:
            words.append(sentence.format(_number(summary, written)))
    return words


def _number(summary: Summary, written: str) -> str:
    if summary.low is None or summary.high is None:
        return written.format(summary.mean)
    mean, low, high = (written.format(one) for one in (summary.mean, summary.low, summary.high))
    return mean if low == high else f"{mean} ({low} to {high})"
