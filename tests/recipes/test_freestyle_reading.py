"""A photograph's maps: taken from the reference where it holds some that can be used, and worked out otherwise."""

import logging
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from understudy.body.labels import LABEL
from understudy.performance import Performance
from understudy.recipes.freestyle_reenactment import enlarged, read
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.render import render
from understudy.synthetic.scene import make_scene
from understudy.tracking.track import track

HANDS = [LABEL["left hand"], LABEL["right hand"]]


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photograph")
    shown = next(render(make_person(3), choreography(3, 1, 30)[:1], make_scene(3, (400, 300))))
    Image.fromarray(shown.frame).save(folder / "me.png")
    return track(folder / "me.png", folder / "me.performance", size=128, parsing="auto", surface="auto")


def saying(reference, **changes):
    return Performance(reference.path, replace(reference.header, **changes), reference.poses, reference.status)


def test_maps_that_are_there_are_taken_as_they_are(reference):
    config = SimpleNamespace(size=256, hands=True)
    photograph, _ = read(reference, config)
    np.testing.assert_array_equal(photograph.labels[::2, ::2], next(reference.labels()))
    np.testing.assert_array_equal(photograph.surface[1::2, 1::2], next(reference.surface()))
    assert photograph.labels.any() and photograph.surface.any()


def test_they_are_what_would_be_worked_out_at_the_same_size(reference):
    config = SimpleNamespace(size=128, hands=True)
    taken, measures = read(reference, config)
    made, again = read(saying(reference, parsing="", surface=""), config)
    np.testing.assert_array_equal(taken.labels, made.labels)
    np.testing.assert_array_equal(taken.surface, made.surface)
    np.testing.assert_array_equal(measures["stretch"], again["stretch"])


def test_coordinates_of_another_mesh_are_not_used(reference, caplog):
    config = SimpleNamespace(size=256, hands=True)
    with caplog.at_level(logging.WARNING):
        brought, _ = read(saying(reference, surface="network"), config)
    assert "surface maps of me.performance are not used" in caplog.text
    made, _ = read(saying(reference, surface=""), config)
    np.testing.assert_array_equal(brought.surface, made.surface)
    assert not np.array_equal(brought.surface, enlarged(next(reference.surface()), 256))


def test_hands_are_left_out_of_stored_maps_too(reference):
    assert np.isin(next(reference.labels()), HANDS).any()
    photograph, _ = read(reference, SimpleNamespace(size=128, hands=False))
    assert photograph.labels.any() and not np.isin(photograph.labels, HANDS).any()
