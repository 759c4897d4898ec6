"""The three networks of freestyle reenactment learn, each for itself."""

import dataclasses

import numpy as np
import pytest
import torch

from recipes.tiny_freestyle import TINY, RandomPeople, pretrained_for, session_of, trained_one
from tiny import tiny_performance
from understudy.base.files import load_tensors
from understudy.errors import TrainingError
from understudy.recipes.parts import freestyle_training as freestyle
from understudy.recipes.parts.freestyle_networks import (
    body_condition,
    embedding,
    face_vector,
    label_shares,
    labels_of,
    pose_condition,
    shrunk,
)
from understudy.recipes.parts.freestyle_reenactment_config import NAMES, paper
from unplugged import saving_every_step, unplugged_behind

TERMS = {
    "p2b": {"D", "gan", "fm", "ce"},
    "b2f": {"D", "gan", "fm", "vgg", "mask", "face", "copy"},
    "fr": {"D", "gan", "face", "r", "mask", "variation"},
}


@pytest.fixture(scope="module")
def anyone(tmp_path_factory):
    return tiny_performance(tmp_path_factory.mktemp("anyone") / "anyone.performance", 1)


@pytest.fixture(scope="module")
def unbroken(anyone, tmp_path_factory):
    folders = {name: tmp_path_factory.mktemp(name) for name in NAMES}
    return {name: (trained_one(name, anyone, folder), folder) for name, folder in folders.items()}


def trainee_for(name, session, config=TINY, people=None):
    people = people or RandomPeople(config)
    session.begin()
    if name == "p2b":
        return freestyle.PoseToBody(session, people)
    kind = freestyle.BodyToFrame if name == "b2f" else freestyle.FaceRefinement
    return kind(session, people, pretrained_for(config))


def last_checkpoint(folder):
    return load_tensors(sorted((folder / "checkpoints").iterdir())[-1], TrainingError)[0]


# -- steps ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_step_moves_every_weight_and_names_its_losses(anyone, tmp_path, name):
    trainee = trainee_for(name, session_of(TINY, anyone, tmp_path))
    before = {part: [w.detach().clone() for w in network.parameters()] for part, network in trainee.networks.items()}
    told = trainee.training_step(0)
    assert set(told) == TERMS[name]
    assert all(torch.isfinite(loss) for loss in told.values())
    for part, network in trainee.networks.items():
        still = [tuple(w.shape) for w, old in zip(network.parameters(), before[part], strict=True) if w.equal(old)]
        # While D says next to nothing, the hinge pushes up as much as down, and its last bias stays at 0
        assert [shape for shape in still if (name, shape) != ("b2f", (1,))] == [], part
    assert not any(w.requires_grad for w in getattr(trainee, "pretrained", pretrained_for(TINY)).face.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_it_learns_what_one_batch_shows(anyone, tmp_path, name):
    """The same few samples over and over: what is asked of the generator besides fooling D grows easier."""
    config = dataclasses.replace(TINY, optimisation=dataclasses.replace(TINY.optimisation, learning_rate=5e-3))
    if name == "p2b":  # else it would have to unlearn what it believes of labels that were copied at random
        config = dataclasses.replace(config, copies=0)
    people = RandomPeople(config)
    p2b, b2f, fr = people.p2b(0), people.b2f(0), people.fr(0)
    if config.copies:
        b2f.copied[:, 0] = torch.cat(
            [(b2f.frame + 1) / 2, torch.ones(2, 1, *config.size_hw)], 1
        )  # the first copy is true
    fr = dataclasses.replace(fr, truth=torch.full_like(fr.truth, 0.5))
    people.p2b, people.b2f, people.fr = (lambda step: p2b), (lambda step: b2f), (lambda step: fr)
    trainee = trainee_for(name, session_of(config, anyone, tmp_path), config, people)
    asked = {"p2b": "ce", "b2f": "copy", "fr": "r"}[name]
    first = float(trainee.training_step(0)[asked].detach())
    for step in range(1, 40):
        last = float(trainee.training_step(step)[asked].detach())
    assert last < 0.8 * first


def test_only_the_person_is_judged_and_nobody_else_is_in_the_mask(anyone, tmp_path):
    """Pixels that are not the person, and places of others, do not change a loss of B2F."""
    told = []
    for change in (False, True):
        batch = RandomPeople(TINY).b2f(0)
        elsewhere = (batch.labels == 0)[:, None].float()
        if change:
            batch = dataclasses.replace(batch, frame=batch.frame * (1 - elsewhere) - 0.5 * elsewhere)
        people = RandomPeople(TINY)
        people.b2f = lambda step, batch=batch: batch
        told.append(trainee_for("b2f", session_of(TINY, anyone, tmp_path), people=people).training_step(0))
    assert all(torch.equal(told[0][name], told[1][name]) for name in TERMS["b2f"])


def test_a_face_that_is_not_seen_teaches_nothing(anyone, tmp_path):
    batch = dataclasses.replace(RandomPeople(TINY).b2f(0), face_box=torch.zeros(2, 4))
    trainee = trainee_for("b2f", session_of(TINY, anyone, tmp_path))
    trainee.batches.b2f = lambda step: batch
    assert trainee.training_step(0)["face"] == 0
    nobody = dataclasses.replace(RandomPeople(TINY).fr(0), seen=torch.zeros(2))
    trainee = trainee_for("fr", session_of(TINY, anyone, tmp_path))
    trainee.batches.fr = lambda step: nobody
    assert all(loss == 0 for loss in trainee.training_step(0).values())


def test_faces_are_compared_where_they_are(anyone, tmp_path):
    trainee = trainee_for("b2f", session_of(TINY, anyone, tmp_path))
    x = torch.rand(2, 3, 32, 16)
    boxes = torch.tensor([[2.0, 4, 10, 12], [0, 0, 0, 0]])
    beside, within = x.clone(), x.clone()
    beside[..., 20:, :] += 1
    within[:, :, 6:10, 4:8] += 1
    assert trainee._faces_apart(x, x, boxes).tolist() == [0, 0]
    assert trainee._faces_apart(beside, x, boxes).tolist() == [0, 0]
    apart = trainee._faces_apart(within, x, boxes)
    assert apart[0] > 0 and apart[1] == 0


@pytest.mark.parametrize("name", NAMES)
def test_without_copies_it_is_the_papers(anyone, tmp_path, name):
    config = dataclasses.replace(TINY, copies=0, lambda_copy=0.0)
    trainee = trainee_for(name, session_of(config, anyone, tmp_path), config)
    assert set(trainee.training_step(0)) == TERMS[name] - {"copy"}


def test_p2b_may_be_smaller_than_the_frame(anyone, tmp_path):
    config = dataclasses.replace(TINY, p2b_shrink=2, p2b_downsamplings=1)
    trainee = trainee_for("p2b", session_of(config, anyone, tmp_path), config)
    assert set(trainee.training_step(0)) == TERMS["p2b"]
    trainee.preview(trainee.networks["generator"].eval(), tmp_path, 3)
    assert (tmp_path / "step-0000003.png").stat().st_size > 500


# -- resuming ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_killed_and_resumed_gives_the_weights_of_an_unbroken_run(unbroken, anyone, tmp_path, monkeypatch, name):
    folder = tmp_path / name
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        saving_every_step(patch, unplugged_behind(name, 2))
        trained_one(name, anyone, folder)
    with monkeypatch.context() as patch:
        saved = saving_every_step(patch)
        resumed = trained_one(name, anyone, folder, resume=True)
    assert saved[0][1] == 3  # what was done is not done again
    whole, whole_folder = unbroken[name]
    assert resumed.steps == whole.steps == 4
    assert resumed.weights.keys() == whole.weights.keys()
    assert all(np.array_equal(resumed.weights[key], whole.weights[key]) for key in whole.weights)
    one, two = last_checkpoint(whole_folder), last_checkpoint(folder)
    assert one.keys() == two.keys() and all(np.array_equal(one[key], two[key]) for key in one)
    assert any("running_mean" in key for key in one)


@pytest.mark.parametrize("name", NAMES)
def test_a_preview_is_written(unbroken, name):
    pictures = list((unbroken[name][1] / "previews").glob("step-*.png"))
    assert pictures and all(picture.stat().st_size > 500 for picture in pictures)


# -- what networks see ---------------------------------------------------------------------------------------------


def test_the_condition_of_p2b():
    labels = torch.zeros(1, 4, 4, dtype=torch.uint8)
    labels[0, :2, 0] = 5
    surface, stick = torch.rand(1, 3, 4, 4), torch.rand(1, 3, 4, 4)
    whole = pose_condition(label_shares(labels, 1), surface, stick, 1)
    assert whole.shape == (1, 28, 4, 4)
    assert torch.equal(whole[:, :22].argmax(1).to(torch.uint8), labels) and (whole[:, :22].sum(1) == 1).all()
    assert torch.equal(whole[:, 22:25], surface) and torch.equal(whole[:, 25:], stick)
    half = pose_condition(label_shares(labels, 2), surface, stick[..., :2, :2], 2)
    assert half.shape == (1, 28, 2, 2)
    assert half[0, 5].tolist() == [[0.5, 0], [0, 0]]
    assert torch.equal(half[:, 22:25], surface[..., 1::2, 1::2])  # an index has no average
    assert torch.equal(shrunk(labels, 1), labels)
    copied = pose_condition(label_shares(labels, 1), surface, stick, 1, label_shares(1 - labels.clamp(max=1), 1))
    assert copied.shape == (1, 50, 4, 4) and torch.equal(copied[:, [*range(22), *range(44, 50)]], whole)
    assert torch.equal(copied[0, 23], (labels[0] == 0).float())


def test_labels_are_the_likeliest_at_any_size():
    labels = torch.randint(0, 22, (2, 6, 4), generator=torch.Generator().manual_seed(0))
    shares = torch.nn.functional.one_hot(labels, 22).permute(0, 3, 1, 2).float()
    assert torch.equal(labels_of(shares, (6, 4)), labels.to(torch.uint8))
    halves = torch.zeros(1, 22, 8, 8)
    halves[0, 3, :, :4] = halves[0, 7, :, 4:] = 1
    halves[0, 3, 2, 4] = halves[0, 7, 5, 3] = 1  # the teeth of a comb
    assert labels_of(halves, (16, 16))[0].tolist() == [[3] * 8 + [7] * 8] * 16


def test_the_condition_of_b2f():
    labels = torch.full((1, 2, 2), 13, dtype=torch.uint8)
    face_labels = torch.tensor([[[0, 1], [2, 5]]], dtype=torch.uint8)
    seen = body_condition(labels, face_labels)
    assert seen.shape == (1, 27, 2, 2)
    assert (seen[:, 13] == 1).all() and seen[:, :22].sum() == 4
    assert seen[0, 22:].flatten(1).nonzero().tolist() == [[0, 1], [1, 2], [4, 3]]


def test_the_embedding_has_the_face_first_and_each_piece_counts_alike():
    pretrained, segments = pretrained_for(TINY), torch.rand(2, 5, 3, 32, 32)
    e_z = embedding(pretrained.face, pretrained.parts, segments)
    assert e_z.shape == (2, 6 + 4 * 4)
    assert torch.allclose(e_z[:, :6], face_vector(pretrained.face, segments[:, 0]))
    for piece in torch.split(e_z, [6, 4, 4, 4, 4], dim=1):
        assert piece.square().mean(1).tolist() == pytest.approx([1, 1], rel=1e-4)
    other = segments.clone()
    other[:, 3] = 1 - other[:, 3]  # shoes and socks
    changed = (embedding(pretrained.face, pretrained.parts, other) - e_z).abs().amax(0) > 1e-6
    assert changed.nonzero().flatten().tolist() == [14, 15, 16, 17]


# -- at their true sizes -------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", NAMES)
def test_a_step_at_the_printed_size(anyone, tmp_path, name):
    """Of one sample a step, or two: a batch of 256 fits no ordinary memory, and changes no shape."""
    config = dataclasses.replace(paper(), features="random")
    people = RandomPeople(config, batch=1 + (name == "fr"))
    session = session_of(config, anyone, tmp_path)
    trainee = trainee_for(name, session, config, people)
    told = trainee.training_step(0)
    assert all(torch.isfinite(loss) for loss in told.values())
