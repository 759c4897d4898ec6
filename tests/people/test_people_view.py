"""A view is kept as bytes and comes back."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from understudy.errors import TrainingError
from understudy.people.made_up import made_up_views
from understudy.people.view import View, decoded, encoded


@pytest.fixture(scope="module")
def view():
    (one,) = made_up_views(2, 1, (192, 120))
    others = np.zeros((192, 120), np.uint8)
    others[:40, :20] = 255
    return replace(one, others=others)


def test_it_comes_back_exactly_but_for_what_jpeg_loses(view):
    kept = encoded(view)
    assert all(row.dtype == np.uint8 and row.ndim == 1 for row in kept.values())
    back = decoded(kept)
    for name in ("labels", "surface", "others", "xy", "confidence"):
        assert np.array_equal(getattr(back, name), getattr(view, name)), name
        assert getattr(back, name).dtype == getattr(view, name).dtype
    for name in ("frame", "background"):
        assert np.abs(getattr(back, name).astype(int) - getattr(view, name)).mean() < 4
    assert sum(row.nbytes for row in kept.values()) < 0.5 * view.frame.nbytes


def test_colours_are_not_exchanged(view):
    red = replace(view, frame=np.broadcast_to(np.array([250, 10, 20], np.uint8), view.frame.shape))
    assert np.abs(decoded(encoded(red)).frame.astype(int) - [250, 10, 20]).max() < 8


@pytest.mark.parametrize("name", [one.name for one in fields(View)])
def test_what_is_missing_or_damaged_is_one_line(view, name):
    kept = encoded(view)
    with pytest.raises(TrainingError, match=f"lacks {name}: make it again"):
        decoded({key: row for key, row in kept.items() if key != name})
    for damaged in (np.zeros(0, np.uint8), kept[name][:7], np.zeros(30, np.uint8)):
        with pytest.raises(TrainingError, match=rf"damaged \(`{name}`\)") as caught:
            decoded(kept | {name: damaged})
        assert "\n" not in str(caught.value)


def test_parts_of_different_pictures_do_not_go_together(view):
    small = replace(view, labels=view.labels[:50])
    with pytest.raises(TrainingError, match="its parts differ in size"):
        decoded(encoded(small))
