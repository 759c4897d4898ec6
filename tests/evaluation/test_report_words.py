from __future__ import annotations

from dataclasses import replace

import pytest
from made_up_results import coverage, evaluation, without

from understudy.evaluation import report_tables, report_words
from understudy.evaluation.report_tables import Figure, Notes
from understudy.evaluation.results import Evaluation, Measure, Summary


def losing() -> Evaluation:
    found = evaluation()
    ours, nearest, *rest = found.tests[0].methods
    return replace(found, tests=[replace(found.tests[0], methods=[replace(ours, measures=nearest.measures), *rest])])


@pytest.mark.parametrize(
    ("found", "lead", "rest"),
    [
        (
            losing(),
            "has 1.60 times the error of pix2pix",
            "does not win: Paired <branch> only has the lowest error, 11.0",
        ),
        (without("rmse"), "Self-reenactment: Performance cloning.", "reaches 0.900 (SSIM (person))"),
        (without("rmse", "ssim", "pck"), "Nothing could be measured.", "notes"),
        (replace(evaluation(), tests=[]), "Nothing could be measured.", "notes"),
    ],
    ids=["ours loses", "a score instead of an error", "nothing measured", "no tests"],
)
def test_answer_is_honest(found: Evaluation, lead: str, rest: str) -> None:
    paragraph = report_words.answer(found, report_tables.main_figure(found))[0]
    assert lead in paragraph.lead
    assert rest in paragraph.rest


def seen() -> Evaluation:
    """With a perceptual distance, by which pix2pix is best, and a sharpness, which is best at 1."""
    found = evaluation()
    distances = {"performance-cloning": 0.5, "nearest-neighbour": 0.9, "pix2pix": 0.4, "paired-only": 0.6}
    sharpness = {"performance-cloning": 0.9, "nearest-neighbour": 1.3, "pix2pix": 0.3, "paired-only": 2.0}
    methods = [
        replace(
            one,
            measures={
                "perceptual": Measure("Perceptual", True, {"person": Summary(distances[one.name], None, None)}, {}),
                "sharpness": Measure("Sharp", False, {"person": Summary(sharpness[one.name], None, None)}, {}, 1.0),
                **one.measures,
            },
        )
        for one in found.tests[0].methods
    ]
    return replace(found, tests=[replace(found.tests[0], methods=methods)])


def test_what_eyes_see_leads_where_it_was_measured() -> None:
    found = seen()
    assert report_tables.main_figure(found) == Figure("perceptual", "person")
    assert report_tables.main_figure(evaluation()) == Figure("rmse", "person")
    paragraph = report_words.answer(found, report_tables.main_figure(found))[0]
    assert "0.500 (perceptual distance, 0 is identical) in the person's box" in paragraph.rest
    assert "It does not win: pix2pix has the lowest error, 0.400" in paragraph.rest
    assert "The paper has" not in paragraph.rest, "its ratios are of another kind of error"
    assert "The paper has" in report_words.answer(found, Figure("rmse", "person"))[0].rest


def test_best_is_what_is_nearest_to_the_real_clip() -> None:
    found = seen().tests
    columns = report_tables.columns_of(found)
    (row,) = report_tables.comparison(found, columns, Figure("sharpness", "person"), Notes())
    assert [column.name for column, cell in zip(columns, row.cells, strict=True) if cell.best] == [
        "performance-cloning"
    ]
    others = report_words.answer(seen(), Figure("perceptual", "person"))[0].rest
    assert "sharpness" not in others, "nobody is better by it"


def test_random_features_are_said() -> None:
    found = evaluation()
    ours = replace(found.tests[0].methods[0], training={"features": "random"})
    found = replace(found, tests=[replace(found.tests[0], methods=[ours])])
    last = report_words.answer(found, report_tables.main_figure(found))[-1]
    assert "random instead of ImageNet" in last.rest


def test_equals_are_too_close_to_call() -> None:
    found = evaluation()
    ours, _, pix2pix, _ = found.tests[0].methods
    test = replace(found.tests[0], methods=[ours, replace(pix2pix, measures=ours.measures)])
    paragraph = report_words.answer(replace(found, tests=[test]), Figure("rmse", "person"))[0]
    assert "Against pix2pix (10.0) it is too close to call." in paragraph.rest


@pytest.mark.parametrize(
    ("summary", "expected"),
    [
        (Summary(0.5, 0.2, 0.7), "Yes: frames farther from the reference have larger errors. For Ours"),
        (Summary(0.1, -0.2, 0.4), "Not in this test: the interval includes zero."),
        (Summary(-0.5, -0.7, -0.2), "No, the opposite: frames farther from the reference have smaller errors."),
        (Summary(0.5, None, None), "Too few frames to say."),
        (Summary(None, None, None, "all equal"), "It could not be computed: all equal."),
    ],
    ids=["yes", "undecided", "opposite", "no interval", "n/a"],
)
def test_prediction_is_put_in_words(summary: Summary, expected: str) -> None:
    found = replace(coverage(), correlations={"ours": {"eq. 8 and the error": summary}})
    assert report_words.prediction(found, "ours", "Ours").startswith(expected)


def test_what_predicts_better_is_said_only_if_it_does() -> None:
    weak = {"eq. 8 and the error": Summary(-0.2, -0.5, 0.1), "speed and the error": Summary(0.15, 0.01, 0.3)}
    found = replace(coverage(), correlations={"ours": weak})
    assert report_words.prediction(found, "ours", "Ours").endswith("Nothing else that is known beforehand told more.")


def test_means_only_of_tests_that_all_have_a_value() -> None:
    tests = evaluation().tests
    figure = Figure("rmse", "person")
    assert report_tables.mean_of(tests, "pix2pix", figure) == pytest.approx(18.75)
    assert report_tables.mean_of(tests, "paired-only", figure) is None
    several = [replace(tests[0], name="self-reenactment of A"), replace(tests[0], name="self-reenactment of B")]
    rows = report_tables.comparison(several, report_tables.columns_of(several), figure, Notes())
    assert [row.head for row in rows] == ["Self-reenactment of A", "Self-reenactment of B", "mean"]
    assert [cell.text for cell in rows[-1].cells] == ["10.0", "20.0", "12.5", "11.0"]
    assert rows[-1].cells[0].best and rows[-1].mean


def test_columns_of_the_same_title_are_told_apart() -> None:
    first, second, *_ = evaluation().tests[0].methods
    test = replace(evaluation().tests[0], methods=[first, replace(second, title=first.title)])
    titles = [column.title for column in report_tables.columns_of([test])]
    assert titles == ["Performance cloning (performance-cloning)", "Performance cloning (nearest-neighbour)"]


@pytest.mark.parametrize(
    ("value", "like", "text"),
    [
        (15.36, None, "15.4"),
        (1234.5, None, "1234"),
        (0.8116, None, "0.812"),
        (1.0, None, "1.00"),
        (3.2, 120.0, "3.2"),
        (-0.51, None, "\N{MINUS SIGN}0.510"),
    ],
)
def test_numbers(value: float, like: float | None, text: str) -> None:
    assert report_tables.number(value, like) == text
