from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from understudy.body.head import HAIR_STYLES
from understudy.body.mesh import PARTS
from understudy.body.skeleton import ALL_JOINTS, rest_positions
from understudy.synthetic.people import make_person
from understudy.synthetic.wardrobe import PATTERNS, paint


def test_a_seed_makes_the_same_person_again_and_other_seeds_others() -> None:
    first, again, other = make_person(5), make_person(5), make_person(6)
    assert np.array_equal(first.atlas, again.atlas)
    assert np.array_equal(first.mesh.vertices, again.mesh.vertices)
    assert first.body == again.body and first.look == again.look
    assert first.body != other.body
    assert not np.array_equal(first.atlas, other.atlas)


@pytest.mark.parametrize("seed", range(8))
def test_the_mesh_is_sound(seed: int) -> None:
    person = make_person(seed)
    mesh = person.mesh
    assert np.isfinite(mesh.vertices).all() and np.isfinite(mesh.normals).all()
    np.testing.assert_allclose(mesh.weights.sum(axis=1), 1, atol=1e-5)
    assert (mesh.weights >= 0).all()
    assert mesh.triangles.min() == 0 and mesh.triangles.max() == len(mesh.vertices) - 1
    assert mesh.uv.min() >= 0 and mesh.uv.max() < 1024
    assert len(mesh.triangles) < 2**20
    assert set(np.unique(mesh.parts)) <= set(range(1, len(PARTS)))
    # the figure stands on the floor and is as tall as its bones say, but for hair
    assert abs(mesh.vertices[:, 1].min()) < 0.01
    assert person.body.height - 0.02 < mesh.vertices[:, 1].max() < person.body.height + 0.10


def test_people_differ_in_size_clothes_and_hair() -> None:
    people = [make_person(seed) for seed in range(14)]
    heights = [person.body.height for person in people]
    assert 1.5 < min(heights) < 1.65 < max(heights) < 1.9
    assert len({person.hair for person in people}) >= 5
    assert len({person.look.pattern for person in people}) >= 6
    assert len({person.look.skin for person in people}) >= 5
    assert any(person.cut.skirt for person in people) and any(person.cut.leg == 1.0 for person in people)
    assert {person.cut.sleeve >= 1 for person in people} == {True, False}
    assert all(person.hair in HAIR_STYLES for person in people)


def test_left_and_right_bones_mirror_each_other() -> None:
    rest = dict(zip(ALL_JOINTS, rest_positions(make_person(1).body), strict=True))
    left = [name for name in rest if name.startswith("left_")]
    assert len(left) == (len(rest) - 5) / 2  # all but pelvis, spine, chest, neck and head
    for name in left:
        assert rest[name][0] > 0
        np.testing.assert_allclose(rest[name.replace("left", "right")], rest[name] * (-1, 1, 1))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_pattern_paints_a_top_of_its_own(pattern: str) -> None:
    person = make_person(2)
    plain = paint(replace(person.look, pattern="plain"), person.head, person.hair, person.cut, 0)
    painted = paint(replace(person.look, pattern=pattern), person.head, person.hair, person.cut, 0)
    assert np.array_equal(plain, painted) == (pattern == "plain")
