"""The tables of `detector.py`, and the sentences that travel with a detector."""

from __future__ import annotations

from typing import Any

SURE_FROM = 0.85
"""the sentences tell of answers that are sure from here on, one of `detector_folds.BINS`"""


def percent(value: float | None) -> str:
    return "n/a" if value is None else f"{100 * value:.0f} %"


def printed(content: dict[str, Any]) -> str:
    """Markdown, as docs/results.md shows it."""
    tables = [
        _groups(content["groups"]),
        _recipes(content),
        _reliability(content["reliability"]),
        _quality(content["quality"]),
        _material(content),
        _media(content["media"]),
    ]
    return "\n\n".join("\n".join(table) for table in tables if len(table) > 2)


def _groups(groups: dict[str, Any]) -> list[str]:
    lines = [
        "| people at places it has not seen | right | 95 % interval | filmed ones let pass | clones found "
        "| without a mark | with an invisible one | area under curve |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, one in groups.items():
        low, high = one["interval"]
        cells = (one["right"], one["filmed"]["right"], one["generated"]["right"])
        right, passed, found = map(percent, cells)
        lines.append(
            f"| {name} | {right} | {percent(low)} to {percent(high)} | {passed} | {found} "
            f"| {' | '.join(_by_marks(one))} | {one['area under the curve']:.3f} |"
        )
    return lines


def _by_marks(row: dict[str, Any]) -> list[str]:
    return [percent(row[name].get("right")) for name in ("unmarked clones", "marked clones")]


def _recipes(content: dict[str, Any]) -> list[str]:
    groups = content["recipes"]
    unknown = {row["recipe"]: row for row in content["unknown"]}
    lines = [
        f"| method | {' | '.join(f'found: {name}' for name in groups)} | found, where the method is not known |",
        "|---" * (len(groups) + 2) + "|",
    ]
    for recipe in next(iter(groups.values())):
        cells = [_of_parts(recipes[recipe]) for recipes in groups.values()]
        lines.append(f"| {recipe} | {' | '.join(cells)} | {_of_parts(unknown.get(recipe, {'parts': 0}))} |")
    return lines


def _of_parts(row: dict[str, Any]) -> str:
    return f"{percent(row['right'])} of {row['parts']}" if row["parts"] else "n/a"


def _reliability(groups: dict[str, Any]) -> list[str]:
    lines = ["| | said | how sure | answers | it was right | 95 % interval |", "|---|---|---|---|---|---|"]
    for name, rows in groups.items():
        for row in rows:
            between = f"{percent(row['from'])} to {percent(row['to'])} (mean {percent(row['sure'])})"
            low, high = map(percent, row["interval"])
            lines.append(
                f"| {name} | {row['said']} | {between} | {row['parts']} | {percent(row['right'])} | {low} to {high} |"
            )
    return lines


def _quality(rows: list[dict[str, Any]]) -> list[str]:
    lines = ["| encoded again with | right | filmed ones let pass | clones found |", "|---|---|---|---|"]
    for row in rows:
        cells = map(percent, (row["right"], row["filmed"].get("right"), row["generated"].get("right")))
        lines.append(f"| crf {row['crf'][0]} to {row['crf'][1]} | {' | '.join(cells)} |")
    return lines


def _material(content: dict[str, Any]) -> list[str]:
    lines = [
        "| learnt from | right | filmed ones let pass | clones found | without a mark | with an invisible one |",
        "|---|---|---|---|---|---|",
    ]
    for row in content["material"]:
        right, passed, found = map(percent, (row["right"], row["filmed"]["right"], row["generated"]["right"]))
        lines.append(f"| {row['learnt from']} | {' | '.join([right, passed, found, *_by_marks(row)])} |")
    return lines


def _media(rows: list[dict[str, Any]]) -> list[str]:
    lines = ["| clip, as filmed | generated? | verdict |", "|---|---|---|"]
    lines += [f"| {row['clip']} | {percent(row['probability'])} | {row['verdict']} |" for row in rows]
    return lines


def sentences(content: dict[str, Any]) -> list[str]:
    """How far to trust the detector, from what was measured."""
    said = []
    for name, one in content["groups"].items():
        films, clones = one["filmed"], one["generated"]
        said.append(
            f"{name} ({films['people']} at {one['places']} places that it had not seen, parts of "
            f"{content['settings']['shown']} seconds, encoded once more): right about {percent(films['right'])} of "
            f"what was filmed and {percent(clones['right'])} of the clones; 80 % sure or more, and wrong, about "
            f"{percent(films['generated'])} and {percent(clones['real'])}; not that sure about "
            f"{percent(films['unsure'])} and {percent(clones['unsure'])}"
        )
        unmarked, marked = one["unmarked clones"], one["marked clones"]
        said.append(
            f"of their clones with an invisible mark {percent(marked.get('right'))} were found, and "
            f"{percent(marked.get('real'))} called real, 80 % sure; of those without {percent(unmarked.get('right'))} "
            f"and {percent(unmarked.get('real'))}"
        )
    for row in content["reliability"][next(iter(content["groups"]))]:
        if row["from"] == SURE_FROM:
            said.append(
                f"of {row['parts']} answers ({row['said']}) that were {percent(row['from'])} to {percent(row['to'])} "
                f"sure {percent(row['right'])} were right"
            )
    unknown = [row for row in content["unknown"] if row["parts"]]
    if unknown:
        worst = min(unknown, key=lambda row: row["right"])
        said.append(
            "clones by a method that it does not know, of people who exist: it found "
            + ", ".join(f"{percent(row['right'])} ({row['recipe']})" for row in unknown)
            + f", and called up to {percent(max(row['real'] for row in unknown))} real, 80 % sure; of another "
            f"program's as few as {percent(worst['right'])} may be found, or none"
        )
    said += [
        "the actors it knows take no training, or were trained for about a minute: better ones leave fewer signs",
        "the probability is meant for a video that is as likely real as generated, and is no proof of either",
    ]
    return said
