"""How long a training will go on, where its steps do not all cost the same."""

import math

import pytest

from understudy.training.estimate import Estimate


def test_where_all_cost_the_same_the_rate_so_far_tells():
    assert Estimate(100, math.inf, 0, 0.0).at(10, 5.0) == (100, 45.0)


def test_dearer_steps_to_come_are_counted():
    estimate = Estimate(100, math.inf, 0, 0.0, lambda n: n + max(0, n - 50))
    assert estimate.at(10, 5.0) == (100, 70.0)  # 40 more at half a second, 50 at one
    assert estimate.at(60, 35.0) == (100, 40.0)


def test_a_time_limit_ends_it_earlier_and_says_at_which_step():
    assert Estimate(100, 20.0, 0, 0.0).at(10, 5.0) == (40, 15.0)
    dearer = Estimate(100, 30.0, 0, 0.0, lambda n: n + max(0, n - 50))
    assert dearer.at(10, 5.0) == (55, 25.0)  # 25 s pay for 40 steps at half a second and 5 at one
    assert Estimate(100, 20.0, 0, 0.0).at(50, 21.0) == (50, 0.0)


def test_what_the_first_step_costs_besides_is_left_out():
    estimate = Estimate(100, math.inf, 0, 0.0, lambda n: n + max(0, n - 50))
    estimate.warm(1, 20.0)  # as long as forty others
    assert estimate.at(1, 20.0) == (100, math.inf)
    assert estimate.at(11, 25.0) == (100, 69.5)


def test_what_an_earlier_part_cost_is_left_out():
    estimate = Estimate(100, math.inf, 40, 400.0)  # another machine, ten times as slow
    assert estimate.at(50, 410.0) == (100, 50.0)


@pytest.mark.parametrize("step", [40, 30])
def test_back_where_it_began_nothing_is_known(step):
    assert Estimate(100, math.inf, 40, 400.0).at(step, 410.0) == (100, math.inf)


def test_steps_that_took_no_time_are_no_error():
    assert Estimate(10, 5.0, 0, 0.0).at(1, 0.0) == (10, 0.0)
