"""What the three trainings are fed with: the same again for the same step, in the shapes that they take."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from understudy.body.labels import LABEL
from understudy.people.made_up import made_up_views
from understudy.recipes.parts.freestyle_people import (
    BatchesAhead,
    PeopleBatches,
    PersonFiles,
    all_copies,
    face_box,
    varied_shape,
)
from understudy.recipes.parts.freestyle_reenactment_config import preview
from understudy.recipes.parts.freestyle_samples import drawn_pairs, write_person
from understudy.recipes.parts.groups import Optimisation

SIZE = (128, 80)
CONFIG = replace(preview(), optimisation=Optimisation(batch=2))


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    for number in (81, 82):
        views = made_up_views(number, 2, SIZE)
        write_person(folder / f"{number}.safetensors", views, drawn_pairs(views, np.random.default_rng(0)))
    return PersonFiles(sorted(folder.glob("*.safetensors")), 2)


def tensors(batch):
    return {name: value for name, value in vars(batch).items() if isinstance(value, torch.Tensor)}


@pytest.mark.parametrize("name", ["p2b", "b2f"])
def test_a_step_is_fed_the_same_again_and_another_something_else(people, name):
    one, again, other = (tensors(getattr(PeopleBatches(people, CONFIG, 3), name)(step)) for step in (5, 5, 6))
    for key, value in one.items():
        assert torch.equal(value, again[key]), key
    assert not torch.equal(one["labels"], other["labels"])


def test_batches_have_the_shapes_and_ranges_that_are_promised(people):
    feeder = PeopleBatches(people, CONFIG, 3)
    p2b, b2f = feeder.p2b(0), feeder.b2f(0)
    assert p2b.person_labels.shape == p2b.labels.shape == (2, *SIZE) and p2b.stick.shape == (2, 3, *SIZE)
    assert p2b.surface.shape == (2, 3, *SIZE) and p2b.surface.min() >= 0 and p2b.surface.max() <= 1
    assert b2f.segments.shape == (2, 5, 3, 224, 224) and b2f.frame.shape == (2, 3, *SIZE)
    assert b2f.copied is not None and b2f.copied.shape == (2, 3, 4, *SIZE)
    assert (b2f.copied[:, :, :3] <= b2f.copied[:, :, 3:] + 1e-6).all()
    assert b2f.face_labels.max() <= 5 and b2f.face_box.shape == (2, 4)


def test_what_is_made_ahead_is_what_would_have_been_made(people):
    ahead, plain = BatchesAhead(PeopleBatches(people, CONFIG, 3)), PeopleBatches(people, CONFIG, 3)
    for step in (0, 1, 7):
        for key, value in tensors(ahead.b2f(step)).items():
            assert torch.equal(value, tensors(plain.b2f(step))[key])
    ahead.close()


def test_faces_are_of_what_was_painted_and_of_the_truth(people):
    feeder = PeopleBatches(people, CONFIG, 3, painter=lambda batch: torch.zeros_like(batch.frame))
    batch = feeder.fr(0)
    assert batch.made.shape == batch.truth.shape == batch.reference.shape == (2, 3, 224, 224)
    if batch.seen.all():  # grey was painted, and the room is grey in both
        assert batch.made.abs().max() < 0.01 and batch.truth.std() > 0.05


def test_variants_leave_out_what_they_say(people):
    bare = PeopleBatches(people, replace(CONFIG, dense=False, hands=False, copies=0), 3)
    p2b, b2f = bare.p2b(0), bare.b2f(0)
    assert not p2b.surface.any() and p2b.copied_labels is None and b2f.copied is None
    for labels in (p2b.labels, p2b.person_labels, b2f.labels):
        assert not np.isin(labels.numpy(), [LABEL["left hand"], LABEL["right hand"]]).any()


def test_squeezing_leaves_the_pose_and_changes_the_shape(people):
    """Of ten drawings most are squeezed, the photograph's labels and the wanted ones alike."""
    pair, changed = people.pair(0, shapes=True), []
    for seed in range(10):
        one, other = (varied_shape(pair, np.random.default_rng(seed), squeeze) for squeeze in (0.0, 0.5))
        np.testing.assert_array_equal(one.wanted.surface, other.wanted.surface)
        np.testing.assert_array_equal(one.wanted.xy, other.wanted.xy)
        photograph, wanted = (
            (getattr(other, name).labels > 0).sum() / (getattr(one, name).labels > 0).sum()
            for name in ("reference", "wanted")
        )
        assert abs(photograph - wanted) < 0.15
        changed.append(abs(photograph - 1) > 0.03)
    assert 4 <= sum(changed) <= 10


def test_copies_by_colour_fill_every_label(people):
    copies = all_copies(people.pair(0))
    wanted = people.pair(0).wanted.labels
    np.testing.assert_array_equal(copies[2, ..., 3] > 0, wanted > 0)


def test_a_face_that_is_not_seen_has_no_box():
    assert face_box(np.zeros((133, 2), np.float32), np.zeros(133, np.float32)) == (0, 0, 0, 0)
