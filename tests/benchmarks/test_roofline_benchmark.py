"""The roofline: what it counts, the parts of a schedule, the rows of tiny trainings, and the peer's step."""

import json
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from tiny import SMALL, tiny_performance
from understudy.errors import TrainingError
from understudy.networks.vgg import VGG19Features
from understudy.recipes import recipe
from understudy.recipes.parts.settings import numbers


@pytest.fixture(scope="module")
def roofline():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
        import device_peak
        import roofline
        import stepping

        patch.setattr(stepping, "WARM_UP", 1)
        patch.setattr(device_peak, "SIDES", {"cpu": (64, 256)})
        patch.setattr(device_peak, "CONVOLUTIONS", {"cpu": ((1, 16, 32),)})
        patch.setattr(device_peak, "SECONDS", 0.01)
        patch.setattr(roofline, "alone", lambda function, *arguments, **environment: function(*arguments))
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # networks this small only wait for a second one
        yield roofline
        torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("roofline") / "tiny.performance"
    tiny_performance(path, frames=24)
    return path


def test_a_convolution_has_the_operations_of_its_products(roofline):
    """B, C, O, S, K: 2 B O S^2 C K^2 forward, as many again for each of the two gradients."""
    import stepping

    x, layer = torch.zeros(2, 3, 8, 8, requires_grad=True), torch.nn.Conv2d(3, 5, 3, padding=1)
    forward = 2 * 2 * 5 * 8 * 8 * 3 * 9
    assert stepping.flop_of(lambda: layer(x)) == forward
    assert stepping.flop_of(lambda: layer(x).sum().backward()) == 3 * forward
    layer.requires_grad_(False)
    assert stepping.flop_of(lambda: layer(x).sum().backward()) == 2 * forward
    first = VGG19Features().bfloat16()
    pictures = torch.zeros(1, 3, 8, 8, dtype=torch.bfloat16)
    assert stepping.flop_of(lambda: first(pictures)) == 2 * 64 * 8 * 8 * 3 * 9, "without the zeros of its folding"
    a, b = torch.zeros(4, 6), torch.zeros(6, 10)
    assert stepping.flop_of(lambda: a @ b) == 2 * 4 * 6 * 10


def test_waiting_for_the_device_is_counted_by_its_warnings(roofline):
    import stepping

    modes = []

    def step():
        for _ in range(3):
            warnings.warn("called a synchronizing CUDA operation", stacklevel=1)
        warnings.warn("something else", stacklevel=1)

    assert stepping.synchronisations_of(step, modes.append) == 3
    assert modes == ["warn", "default"]


def test_steps_are_timed_in_rounds_after_a_warm_up(roofline, monkeypatch):
    import stepping

    now, calls = [0.0], []

    def step():
        calls.append(now[0])
        now[0] += 2.0

    monkeypatch.setattr(stepping, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    assert stepping.timed(step, 5, "cpu") == [2.0, 2.0, 2.0]
    assert len(calls) == stepping.WARM_UP + 6


def case_of(roofline, name, clip, **changes):
    """A case of the recipe's preview, made small."""
    there = {number.name.rpartition(".")[2] for number in numbers(recipe(name).preset("preview"))}
    small = {name: value for name, value in (SMALL | changes).items() if name in there}
    words = [
        f"{name}={','.join(map(str, value)) if isinstance(value, tuple) else value}" for name, value in small.items()
    ]
    return roofline.Case(name, "preview", clip, "cpu", 3, 3600, tuple(words))


def test_both_branches_of_performance_cloning_are_measured(roofline, clip):
    row = roofline.measured(case_of(roofline, "performance-cloning", clip, steps=40))
    assert {
        "picture", "batch", "settings", "precision", "by_epochs", "peak_tflop_s", "prepared_s", "peak_memory_mib",
        "peak_gpu_mib", "parts", "steps", "hours", "share_of_peak",
    } == row.keys()  # fmt: skip
    alone, both = row["parts"]
    assert (alone["part"], both["part"]) == ("paired branch", "both branches")
    assert (alone["steps"], both["steps"], row["steps"]) == (20, 20, 40)
    assert (alone["pictures"], both["pictures"]) == (2, 4), "one window of two frames, and one more"
    assert both["flop"] > alone["flop"] > 0
    for part in row["parts"]:
        assert 0 < part["min_seconds"] <= part["seconds"] <= part["max_seconds"]
        assert 0 < part["share_of_peak"] < 1.5
        assert part["pictures_s"] == part["pictures"] / part["seconds"] and part["synchronisations"] is None
    assert row["hours"] == pytest.approx(20 * (alone["seconds"] + both["seconds"]) / 3600)
    assert min(alone["share_of_peak"], both["share_of_peak"]) <= row["share_of_peak"]
    assert row["peak_gpu_mib"] is None and row["prepared_s"] >= 0


def test_every_stage_is_measured_and_epochs_are_those_of_the_length_that_is_asked_for(roofline, clip):
    changes = {"local_enhancers": 1, "size": 64, "epochs": (1, 5, 1), "steps": "none", "shares": (0.2, 0.6, 0.2)}
    row = roofline.measured(case_of(roofline, "everybody-dance-now", clip, **changes))
    assert row["by_epochs"]
    found = [(part["stage"], part["part"], part["size"], part["steps"]) for part in row["parts"]]
    epoch = 12 * 3600 / 24  # 23 runs of two frames, two a step
    assert found == [
        ("global", "", 32, epoch),
        ("local", "enhancer alone", 64, epoch),
        ("local", "whole", 64, 4 * epoch),
        ("face", "", 32, epoch),
    ]
    assert [part["pictures"] for part in row["parts"]] == [4, 4, 4, 2]


@pytest.mark.parametrize(("name", "pictures"), [("pix2pix", [2]), ("cyclegan", [4]), ("copy-then-refine", [2])])
def test_recipes_of_one_stage(roofline, clip, name, pictures):
    row = roofline.measured(case_of(roofline, name, clip))
    assert [part["pictures"] for part in row["parts"]] == pictures
    assert row["steps"] == recipe(name).preset("preview").steps


def test_poses_in_the_wild_makes_frames_for_other_peoples_poses_too(roofline, clip):
    row = roofline.measured(case_of(roofline, "poses-in-the-wild", clip))
    assert [(part["stage"], part["pictures"]) for part in row["parts"]] == [("pose", 8), ("texture", 8)]


def test_what_fails_is_one_line_and_the_rest_goes_on(roofline, clip, tmp_path, monkeypatch, capsys):
    def measured(case):
        if case.recipe == "cyclegan":
            raise TrainingError("memory\nran out")
        return real(case_of(roofline, case.recipe, clip))

    real = roofline.measured
    monkeypatch.setattr(roofline, "measured", measured)
    output = tmp_path / "roofline.json"
    recipes = ["--recipes", "cyclegan", "pix2pix", "--presets", "preview"]
    roofline.main(["--performance", str(clip), *recipes, "--device", "cpu", "--output", str(output)])
    record = json.loads(output.read_text())
    assert record["rows"][0]["error"] == "TrainingError: memory ran out"
    assert record["rows"][1]["error"] is None and record["clip_frames"] == 24
    printed = capsys.readouterr().out
    assert "| cyclegan | preview | TrainingError: memory ran out |" in printed
    assert "| pix2pix | preview | 32 | 1500 |" in printed


def test_the_peers_networks_have_the_weights_of_its_paper(roofline):
    import peer_loop

    def count(network):
        return sum(weight.numel() for weight in network.parameters())

    w = 4
    first, last = (3 * 49 + 1) * w, (w * 49 + 1) * 3
    down = sum((9 * a + 1) * 2 * a for a in (w, 2 * w, 4 * w, 8 * w))
    up = sum((9 * 2 * a + 1) * a for a in (w, 2 * w, 4 * w, 8 * w))
    blocks = 2 * 2 * (9 * 16 * w + 1) * 16 * w  # two of two convolutions
    assert count(peer_loop.coarse_generator(3, w, blocks=2)) == first + down + blocks + up + last
    judge = sum((16 * a + 1) * b for a, b in ((6, w), (w, 2 * w), (2 * w, 4 * w), (4 * w, 8 * w), (8 * w, 1)))
    assert count(peer_loop.Judge(6, w)) == judge


def test_a_step_of_the_peer_changes_all_its_weights(roofline):
    import peer_loop

    peer = peer_loop.Peer(64, "cpu", width=4, blocks=1)
    networks = {"G": peer.G, "D": peer.D}
    before = {name: [weight.clone() for weight in one.parameters()] for name, one in networks.items()}
    features = [weight.clone() for weight in peer.phi.parameters()]
    losses = peer()
    assert losses.keys() == {"gan", "fm", "vgg", "D"} and all(0 < value < float("inf") for value in losses.values())
    for name, one in networks.items():
        for old, new in zip(before[name], one.parameters(), strict=True):
            assert not torch.equal(old, new), name
    assert all(torch.equal(old, new) for old, new in zip(features, peer.phi.parameters(), strict=True))


def test_the_peer_is_compared_at_the_same_size(roofline):
    part = {"stage": "global", "part": "", "size": 256, "pictures_s": 30.0, "flop": 8e9, "pictures": 2}
    row = {"recipe": "everybody-dance-now", "preset": "paper", "error": None, "parts": [part, part | {"size": 512}]}
    peer = {"size": 256, "pictures_s": 10.0, "flop": 2e9, "pictures": 1, "error": None}
    numbers_of = {"seconds": 0.1, "share_of_peak": 0.5, "peak_memory_mib": 2048, "peak_gpu_mib": None}
    assert roofline.peer_line(peer | numbers_of).endswith("| 2.0 GiB | 256 | 2 | 100 | 10 | 50% | |")
    found = roofline.times_of_peer([row, row | {"recipe": "pix2pix"}], peer)
    assert found == {"paper global": {"pictures_s": 3.0, "flop_a_picture": 2.0}}
    assert roofline.times_of_peer([row], {"size": 256, "error": "no"}) == {}
