"""The detector that comes with the program, on a film of somebody it has learnt from: no figure, but a sign of life."""

import clips
import understudy


def test_a_film_and_a_clone_of_it_are_told_apart(tmp_path):
    film = clips.real_clip("studio_squats_5fps.mp4")
    reference = understudy.track(film, tmp_path / "her.performance", end=6)
    actor = understudy.train(
        reference, tmp_path / "her.actor", recipe="limb-warp", preset="fast", consent="the clip's licence allows it"
    )
    clone = tmp_path / "clone.mp4"
    understudy.perform(actor, reference, clone, marks=False)
    real, made = (understudy.detect(video) for video in (film, clone))
    assert real.verdict == "real" and real.unknowable is None
    assert made.probability > 0.5 and made.unknowable is None, made
    assert real.person_found > 0.9 and made.person_found > 0.9
