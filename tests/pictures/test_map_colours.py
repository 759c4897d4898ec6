"""Maps in colours: what differs looks different, and what is nobody is the picture, darker."""

import numpy as np

from understudy.body.labels import LABELS
from understudy.body.surface_mesh import CHARTS
from understudy.pictures.maps import COLOURS, labels_in_colour, surface_in_colour

FRAME = np.full((6, 30, 3), 90, np.uint8)


def test_every_label_has_a_colour_of_its_own():
    assert COLOURS.keys() == set(LABELS)
    colours = np.array([COLOURS[name] for name in LABELS[1:]], int)
    apart = np.abs(colours[:, None] - colours[None]).sum(axis=-1) + 1000 * np.eye(len(colours), dtype=int)
    assert apart.min() > 50


def test_labels_are_painted_and_the_rest_is_darkened():
    labels = np.zeros((6, 30), np.uint8)
    labels[2:4, : len(LABELS)] = np.arange(len(LABELS))
    shown = labels_in_colour(labels, FRAME)
    assert shown.dtype == np.uint8 and (shown[labels == 0] == 30).all()
    for number in range(1, len(LABELS)):
        assert tuple(shown[2, number]) == COLOURS[LABELS[number]]


def test_charts_differ_and_slopes_are_seen():
    surface = np.zeros((6, 30, 3), np.uint8)
    surface[:3, : len(CHARTS), 0] = np.arange(len(CHARTS))
    surface[0, :, 1:], surface[1, :, 1:], surface[2, :, 1:] = (0, 0), (255, 0), (0, 255)
    shown = surface_in_colour(surface, FRAME).astype(int)
    assert (shown[surface[..., 0] == 0] == 30).all()
    own = shown[:3, 1 : len(CHARTS)]
    assert len(np.unique(own[0], axis=0)) == len(CHARTS) - 1
    assert (np.abs(own[0] - own[1]).sum(axis=-1) > 20).all() and (own[2].max(axis=-1) > own[0].max(axis=-1) + 50).all()
