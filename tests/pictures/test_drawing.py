import numpy as np
import pytest

from understudy.pictures.drawing import CELL, GROUND, as_rgb, contact_sheet, draw_pose, label, letterbox, side_by_side
from understudy.pictures.lettering import line_height, shortened, text_width, wrapped
from understudy.poses import pose as p

BLACK = np.zeros((120, 100, 3), np.uint8)


def standing() -> tuple[np.ndarray, np.ndarray]:
    """Somebody facing the camera in a 100 x 120 picture: the person's right is on the left. Body only."""
    xy = np.zeros((p.POINTS, 2), np.float32)
    confidence = np.zeros(p.POINTS, np.float32)
    heights = {"shoulder": 30, "elbow": 50, "wrist": 70, "hip": 65, "knee": 90, "ankle": 112}
    for name, y in heights.items():
        away = 28 if name in ("elbow", "wrist") else 14
        xy[getattr(p, f"RIGHT_{name.upper()}")] = (50 - away, y)
        xy[getattr(p, f"LEFT_{name.upper()}")] = (50 + away, y)
    xy[p.NOSE] = (50, 15)
    confidence[[p.NOSE, *range(5, 17)]] = 1
    return xy, confidence


def test_right_is_warm_and_left_is_cold() -> None:
    drawn = draw_pose(BLACK, *standing()).astype(int)
    right, left = drawn[45:110, :45], drawn[45:110, 55:]
    assert (right[..., 0].sum() > 2 * right[..., 2].sum()) and (left[..., 2].sum() > 2 * left[..., 0].sum())


def test_drawing_leaves_the_frame_alone_and_skips_what_is_not_seen() -> None:
    xy, confidence = standing()
    frame = BLACK.copy()
    drawn = draw_pose(frame, xy, confidence)
    assert not frame.any()
    assert drawn.shape == frame.shape and drawn.dtype == np.uint8
    confidence[[p.LEFT_WRIST, p.LEFT_ELBOW]] = 0
    assert not draw_pose(frame, xy, confidence)[45:60, 70:].any()
    assert not draw_pose(frame, xy, np.zeros_like(confidence)).any()


def test_less_sure_is_darker() -> None:
    xy, confidence = standing()
    assert draw_pose(BLACK, xy, confidence * 0.3).sum() < 0.7 * draw_pose(BLACK, xy, confidence).sum()


@pytest.mark.parametrize("points", [p.FACE, p.LEFT_HAND, p.RIGHT_HAND, p.FEET], ids=["face", "left", "right", "feet"])
def test_parts_are_drawn_when_seen(points: slice) -> None:
    xy = np.random.default_rng(0).uniform(10, 90, (p.POINTS, 2)).astype(np.float32)
    confidence = np.zeros(p.POINTS, np.float32)
    confidence[points] = 1
    confidence[[p.LEFT_ANKLE, p.RIGHT_ANKLE]] = points is p.FEET
    assert draw_pose(BLACK, xy, confidence).any()


@pytest.mark.parametrize("far", [-1e9, 1e5, 3e8])
def test_points_far_outside(far: float) -> None:
    xy, confidence = standing()
    xy[p.LEFT_WRIST] = far
    assert draw_pose(BLACK, xy, confidence).any()


@pytest.mark.parametrize("cell_hw", [(16, 16), (40, 90), (256, 128)])
@pytest.mark.parametrize("words", ["pose", "self-reenactment against the nearest neighbour", "Größe · 25 °"])
def test_sheets_of_every_cell_size(cell_hw: tuple[int, int], words: str) -> None:
    image = np.full((60, 30, 3), 200, np.uint8)
    sheet = contact_sheet(
        [[image, None], [image]],
        [words, ""],
        [words, words],
        cell_hw,
        title=words,
        note=words,
    )
    assert sheet.dtype == np.uint8 and sheet.ndim == 3
    assert sheet.shape[0] > 2 * cell_hw[0] and sheet.shape[1] > 2 * cell_hw[1]
    assert (sheet[:4] == GROUND).all() and (sheet[:, -4:] == GROUND).all(), "margins"
    assert (sheet == 200).all(axis=-1).any()


def test_sheet_places_images_in_order() -> None:
    colours = [[(255, 0, 0), (0, 255, 0)], [(0, 0, 255), (255, 255, 0)]]
    rows = [[np.full((8, 8, 3), colour, np.uint8) for colour in row] for row in colours]
    sheet = contact_sheet(rows, cell_hw=(20, 20))

    def centre(colour: tuple[int, int, int]) -> np.ndarray:
        return np.argwhere((sheet == colour).all(axis=-1)).mean(axis=0)

    assert centre((255, 0, 0))[1] < centre((0, 255, 0))[1]
    assert centre((255, 0, 0))[0] < centre((0, 0, 255))[0]
    assert (sheet == (255, 255, 0)).all(axis=-1).sum() == 400


def test_letterbox_does_not_distort() -> None:
    boxed = letterbox(np.full((40, 20, 3), 255, np.uint8), (100, 100))
    white = np.argwhere((boxed == 255).all(axis=-1))
    assert np.ptp(white, axis=0).tolist() == [99, 49]
    assert (boxed[0, 0] == CELL).all()
    assert letterbox(np.zeros((1, 1000, 3), np.uint8), (10, 10)).shape == (10, 10, 3)


def test_side_by_side_is_as_high_as_the_tallest() -> None:
    tall, wide = np.zeros((100, 50, 3), np.uint8), np.zeros((20, 40), np.uint8)
    assert side_by_side([tall, wide]).shape == (100, 50 + 4 + 200, 3)
    assert side_by_side([tall, wide], ["pose", "clone"]).any()


@pytest.mark.parametrize("size_hw", [(4, 4), (30, 12), (128, 128), (1080, 1920)])
def test_labels_keep_the_size_of_the_image(size_hw: tuple[int, int]) -> None:
    image = np.full((*size_hw, 3), 128, np.uint8)
    labelled = label(image, "nearest neighbour, frame 1234")
    assert labelled.shape == image.shape
    assert (image == 128).all()
    assert (labelled != 128).any() == (min(size_hw) > 20)
    assert (label(image, "") == 128).all()


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        pytest.param(np.full((2, 2), 7, np.uint8), 7, id="grey"),
        pytest.param(np.ones((2, 2), bool), 255, id="mask"),
        pytest.param(np.full((2, 2, 3), 9, np.uint8), 9, id="RGB"),
        pytest.param(np.dstack([np.full((2, 2, 3), 9), np.full((2, 2), 255)]).astype(np.uint8), 9, id="RGBA"),
    ],
)
def test_as_rgb(image: np.ndarray, expected: int) -> None:
    assert (as_rgb(image) == np.full((2, 2, 3), expected)).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        pytest.param(lambda: as_rgb(np.zeros((2, 2, 3))), "must be uint8", id="float image"),
        pytest.param(lambda: as_rgb(np.zeros((2, 2, 5), np.uint8)), "must be .H, W.", id="five channels"),
        pytest.param(lambda: as_rgb(np.zeros((0, 2, 3), np.uint8)), "not empty", id="empty image"),
        pytest.param(lambda: side_by_side([]), "at least one image", id="no images"),
        pytest.param(lambda: side_by_side([BLACK], ["a", "b"]), "as many labels", id="labels and images"),
        pytest.param(lambda: contact_sheet([]), "at least one cell", id="no cells"),
        pytest.param(lambda: contact_sheet([[BLACK]], ["a", "b"]), "2 row labels for 1", id="row labels"),
        pytest.param(lambda: contact_sheet([[BLACK]], (), ["a", "b"]), "2 column labels for 1", id="column labels"),
    ],
)
def test_senseless_calls(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_text_fits_its_width() -> None:
    text = "a plain shot list of limb directions"
    assert all(text_width(line, 12) <= 80 for line in wrapped(text, 12, 80))
    assert " ".join(wrapped(text, 12, 80)) == text
    assert wrapped("", 12, 80) == []
    assert shortened(text, 12, 80).endswith("…") and text_width(shortened(text, 12, 80), 12) <= 80
    assert shortened(text, 12, 2) == ""
    assert shortened("pose", 12, 500) == "pose"
    assert line_height(9) > 9
