"""People of clips become files that networks learn from, each file from within 250 frames."""

import numpy as np
import pytest

from understudy.performance import FOUND
from understudy.recipes.parts.freestyle_gathering import PEOPLE_OF_A_CLIP, VIEWS, clip_views, gather_clip
from understudy.recipes.parts.freestyle_samples import PersonFile
from understudy.synthetic.clip import performance_from_render
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.scene import make_scene

SIZE = (128, 80)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "me.performance"
    return performance_from_render(path, make_person(3), choreography(4, 1.2, 10), make_scene(2, (256, 256)), 128)


def test_a_clip_becomes_a_file_of_views_that_show_its_person(tmp_path, clip):
    (path,) = gather_clip(tmp_path, clip, SIZE)
    person = PersonFile(path)
    assert len(person) == VIEWS
    for number in range(VIEWS):
        pair = person.pair(number)
        view = pair.wanted
        assert view.frame.shape == (*SIZE, 3) and view.labels.shape == SIZE
        inside = view.labels > 0
        assert 0.05 < inside.mean() < 0.6 and (view.surface[..., 0] > 0)[inside].mean() > 0.7
        seen = view.xy[view.confidence > 0]
        assert (seen > -8).all() and (seen < np.array(SIZE[::-1]) + 8).all()
        assert (pair.reference.frame != view.frame).any()
    again = path.stat().st_mtime_ns
    assert gather_clip(tmp_path, clip, SIZE) == [path] and path.stat().st_mtime_ns == again


def test_views_are_spread_over_what_is_asked_for(clip):
    span = np.flatnonzero(clip.status == FOUND)
    views = clip_views(clip, span[:2], SIZE)
    assert len(views) == 2 and len(clip_views(clip, span, SIZE)) == VIEWS < PEOPLE_OF_A_CLIP
