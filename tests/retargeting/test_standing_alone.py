"""An alignment by how somebody stands for some seconds."""

import pytest

from understudy.retargeting.alignment import Alignment, BodyStatistics
from understudy.retargeting.global_normalization import GroundStatistics, standing_alone

REFERENCE = (
    BodyStatistics((128.0, 130.0), 30.0),
    GroundStatistics(close=240.0, far=220.0, close_height=160, far_height=140),
)


def aligned(limbs, height):
    own = BodyStatistics((400.0, 300.0), 60.0), GroundStatistics(500.0, 500.0, height, height)
    return standing_alone(Alignment(limbs, (7.0, 8.0), True), own, REFERENCE)


def test_whoever_stands_is_made_as_tall_and_stands_on_the_floor_where_the_reference_did():
    found = aligned(limbs=0.55, height=300.0)
    assert found.scale == 0.5  # the reference is 150 tall in the middle of its way, and stands at 230 there
    assert found.translation_xy == (128 - 0.5 * 400, 230 - 0.5 * 500)
    assert found.exchange_sides


@pytest.mark.parametrize(("height", "scale"), [(205.0, 150 / 205), (199.0, 0.5), (449.0, 150 / 449), (451.0, 0.5)])
def test_of_somebody_who_does_not_stand_upright_the_limbs_decide(height, scale):
    found = aligned(limbs=0.5, height=height)
    assert found.scale == pytest.approx(scale)
    assert found.translation_xy == pytest.approx((128 - scale * 400, 230 - scale * 500))
