import pytest

from understudy.poses.numbering import counts_from_zero, natural_key, numbers_in, odd_one, possible_first_numbers


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        pytest.param(["v_000000000003_keypoints.json", "v_000000000011_keypoints.json"], [3, 11], id="OpenPose"),
        pytest.param(["12.jpg", "9.jpg"], [12, 9], id="AlphaPose, in any order"),
        pytest.param(["take2_0007_pose_v1.json", "take2_0010_pose_v1.json"], [7, 10], id="other numbers are the same"),
        pytest.param(["f1_90.json", "f2_80.json", "f3_90.json"], [1, 2, 3], id="a score beside the number"),
        pytest.param(["0000.json"], [0], id="one file"),
        pytest.param(["a.json", "b.json"], None, id="no numbers"),
        pytest.param(["9" * 5000 + ".jpg", "1.jpg"], None, id="more digits than Python reads"),
        pytest.param(["a1.json", "b2.json"], None, id="names of two clips"),
        pytest.param(["1_1.json", "1_2.json", "2_1.json"], None, id="two that count"),
        pytest.param(["1_4.json", "2_5.json"], None, id="two that both may be it"),
        pytest.param([], None, id="nothing"),
    ],
)
def test_the_number_that_differs_in_every_name(names: list[str], numbers: list[int] | None) -> None:
    assert numbers_in(names) == numbers


@pytest.mark.parametrize(
    ("numbers", "frames", "possible"),
    [
        pytest.param(range(40), 40, {0}, id="whole, from 0"),
        pytest.param(range(1, 41), 40, {1}, id="whole, from 1"),
        pytest.param(range(1001, 1041), 40, {1001}, id="whole, from anywhere"),
        pytest.param([0, 1, 5], 40, {0}, id="0 is there"),
        pytest.param([5, 39], 40, {0, 1}, id="the last number may be the last frame or the one before"),
        pytest.param([5, 40], 40, {1}, id="the last number is beyond the end of counting from 0"),
        pytest.param([5, 41], 40, set(), id="beyond both"),
        pytest.param(range(1001, 1038), 40, set(), id="from anywhere, and some are missing"),
        pytest.param(range(41), 40, {0}, id="one more than the header says"),
        pytest.param(range(0, 80, 2), 40, set(), id="every other frame of a faster clip"),
    ],
)
def test_what_the_first_frame_may_be_numbered(numbers: list[int], frames: int, possible: set[int]) -> None:
    assert possible_first_numbers(numbers, frames) == possible


def test_names_of_a_video_decide_between_0_and_1() -> None:
    assert possible_first_numbers(range(1, 40), 40, from_zero=True) == {0}
    assert possible_first_numbers(range(5, 38), 40, from_zero=True) == {0}
    assert possible_first_numbers([3, 40], 40, from_zero=True) == {1}  # somebody numbered them anew


@pytest.mark.parametrize(
    ("names", "alphapose", "zero"),
    [
        pytest.param(["v_000000000003_keypoints.json"], False, True, id="OpenPose of a video"),
        pytest.param(["000000000003_keypoints.json"], False, True, id="OpenPose of a video without a name"),
        pytest.param(["000003_keypoints.json"], False, False, id="OpenPose of pictures"),
        pytest.param(["7.jpg", "12.jpg"], True, True, id="AlphaPose of a video"),
        pytest.param(["07.jpg", "12.jpg"], True, False, id="AlphaPose of pictures"),
        pytest.param(["7.json", "12.json"], False, False, id="by another tool"),
        pytest.param([], False, False, id="nothing"),
    ],
)
def test_names_that_tools_give_to_frames_of_a_video(names: list[str], alphapose: bool, zero: bool) -> None:
    assert counts_from_zero(names, alphapose) is zero


def test_natural_order() -> None:
    assert sorted(["f10", "f9", "f1"], key=natural_key) == ["f1", "f9", "f10"]
    endless = "f" + "9" * 5000  # as text: before what is numbered
    assert sorted(["f10", endless, "f9"], key=natural_key) == [endless, "f9", "f10"]
    assert not counts_from_zero(["9" * 5000, "1"], by_alphapose=True)


@pytest.mark.parametrize(
    ("names", "odd"),
    [
        pytest.param(["1.json", "2.json", "info.json"], ("info.json", "1.json"), id="no number"),
        pytest.param(["f_1.json", "f_2.json", "f_2 (copy).json"], ("f_2 (copy).json", "f_1.json"), id="a copy"),
        pytest.param(["f_1.json", "f_2.json", "f_30.json"], None, id="all alike"),
        pytest.param(["a_1.json", "a_2.json", "b_1.json", "b_2.json"], None, id="two clips"),
        pytest.param(["left.json", "right.json"], None, id="names without numbers"),
    ],
)
def test_a_name_unlike_the_others(names: list[str], odd: tuple[str, str] | None) -> None:
    assert odd_one(names) == odd
