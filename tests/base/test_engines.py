"""Networks run by OpenVINO where a trial found it quicker: what is chosen, what is kept, and that pictures stay."""

from __future__ import annotations

import json
import logging
import math
import subprocess
import sys
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn

from understudy.base import engines
from understudy.base.engines import IN_BFLOAT16, OPENVINO, PYTORCH, Engines, Quicker, decibels, key_of, quicker
from understudy.base.openvino import CANNOT, Converted


class Said(NamedTuple):
    bright: Tensor
    dark: Tensor


class Painter(nn.Module):
    def __init__(self, named: bool = False) -> None:
        super().__init__()
        self.named, self.layer = named, nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x: Tensor, more: Tensor | None = None) -> Tensor | Said:
        made = torch.tanh(self.layer(x if more is None else x + more))
        return Said(made, -made) if self.named else made


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("UNDERSTUDY_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Painter().eval()


def given(frames: int = 2, side: int = 16) -> Tensor:
    return torch.rand(frames, 3, side, side, generator=torch.Generator().manual_seed(1))


def kept(network: nn.Module, x: Tensor, **rows: tuple[float, float]) -> None:
    """Writes a trial: engine -> milliseconds a frame, seconds of loading."""
    names = {"pytorch": PYTORCH, "openvino": OPENVINO, "bfloat16": IN_BFLOAT16}
    found = {names[name]: {"ms": ms, "loading_s": loading} for name, (ms, loading) in rows.items()}
    engines._keep(key_of(network, (x,)), found)


# -- what is chosen -----------------------------------------------------------------------------------------------


def test_the_network_itself_is_called_for_no_frames_on_other_devices_and_without_openvino(network, monkeypatch):
    assert quicker(network, 0) is network
    assert isinstance(quicker(network, 1), Quicker)
    assert isinstance(quicker(nn.Conv2d(3, 3, 1, device="meta"), 1), nn.Conv2d)
    monkeypatch.setattr(engines, "find_spec", lambda name: None)
    assert quicker(network, 1) is network


@pytest.mark.parametrize(("frames", "chosen"), [(99, PYTORCH), (101, OPENVINO)])
def test_an_engine_is_loaded_where_it_wins_back_what_loading_takes(network, frames, chosen):
    x = given()
    kept(network, x, pytorch=(30, 0), openvino=(10, 2))  # 20 ms a frame for 2 s
    run = Quicker(network, frames)
    assert torch.allclose(run(x), network(x), atol=1e-5)
    assert run.engine == chosen


def test_who_runs_it_is_said_once(network, caplog):
    caplog.set_level(logging.INFO, "understudy")
    kept(network, given(), pytorch=(30, 0), openvino=(10, 0))
    run = Quicker(network, 1)
    run(given())
    run(given())
    assert caplog.messages == ["OpenVINO runs the network Painter: 10.0 ms a frame where PyTorch takes 30.0"]


def test_an_engine_too_far_from_float32_is_left_for_the_next(network, monkeypatch):
    x = given()
    kept(network, x, pytorch=(30, 0), openvino=(20, 0), bfloat16=(10, 0))
    usual = Converted.compiled

    def noisy(self, *, bfloat16):
        run = usual(self, bfloat16=False)
        return (lambda *some: run(*some) + 0.02 * torch.ones(4, 1, 1)) if bfloat16 else run

    monkeypatch.setattr(Converted, "compiled", noisy)
    run = Quicker(network, 1000)
    run(x)
    assert run.engine == OPENVINO


def test_what_cannot_be_converted_stays_with_pytorch(network, monkeypatch):
    def fails(self, network, given):
        raise RuntimeError("no such operation")

    monkeypatch.setattr(Converted, "__init__", fails)
    kept(network, given(), pytorch=(30, 0), openvino=(10, 0))
    run = Quicker(network, 1000)
    assert torch.equal(run(given()), network(given())) and run.engine == PYTORCH


def test_openvinos_own_errors_are_none_of_ours(network):
    class Odd(nn.Module):
        def forward(self, x):
            return torch.special.bessel_j0(x)

    x = given()
    with pytest.raises(CANNOT):
        Converted(Odd(), (x,)).compiled(bfloat16=False)


def test_pytorch_goes_on_where_an_engine_fails_in_the_middle(network, monkeypatch, caplog):
    kept(network, given(), pytorch=(30, 0), openvino=(10, 0))
    run = Quicker(network, 1000)
    run(given())

    def fails(*some):
        raise RuntimeError("out of something\nat a line")

    run._run = fails
    assert torch.equal(run(given()), network(given()))
    assert caplog.messages[-1:] == ["OpenVINO cannot go on (out of something): PyTorch does"]
    assert run.engine == PYTORCH
    with pytest.raises(RuntimeError, match="channels"):  # its own errors are nobody else's
        run(torch.zeros(1, 5, 8, 8))


# -- trials -------------------------------------------------------------------------------------------------------


@pytest.fixture
def quiet(monkeypatch):
    monkeypatch.setattr("understudy.base.load.busy_seconds", lambda: None)


def test_a_trial_is_made_once_and_kept(network, monkeypatch, caplog, quiet):
    caplog.set_level(logging.INFO, "understudy")
    monkeypatch.setattr(engines, "WORTH_A_TRIAL", 0.0)
    Quicker(network, 10)(given())
    said = "trying once which engine is quickest here for the network Painter"
    assert caplog.messages.count(said) == 1
    (found,) = json.loads(engines.trials_file().read_text()).values()
    assert {PYTORCH, OPENVINO} <= set(found) <= {PYTORCH, OPENVINO, IN_BFLOAT16}
    assert all(row["ms"] > 0 and row["loading_s"] >= 0 for row in found.values())
    assert found[PYTORCH]["loading_s"] == 0
    Quicker(Painter().eval(), 10)(given())  # other weights, the same layers
    assert caplog.messages.count(said) == 1


def test_no_trial_is_made_for_what_is_soon_done(network, caplog, quiet):
    caplog.set_level(logging.INFO, "understudy")
    run = Quicker(network, 10)
    run(given())
    assert run.engine == PYTORCH and not caplog.messages and not engines.trials_file().exists()


def test_nothing_is_kept_of_a_trial_beside_other_programs(network, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "understudy")
    monkeypatch.setattr(engines, "WORTH_A_TRIAL", 0.0)
    seconds = iter([100.0, 200.0])
    monkeypatch.setattr("understudy.base.load.busy_seconds", lambda: next(seconds))
    run = Quicker(network, 10)
    run(given())
    assert run.engine == PYTORCH and not engines.trials_file().exists()
    assert caplog.messages[-1].endswith("cores meanwhile: PyTorch is taken, and nothing kept")


@pytest.mark.parametrize(
    "content",
    [
        "",
        '{"a": {"PyTorch": {"ms": -1, "loading_s": 0}}}',
        "[]",
        "{",
        '{"a": 1}',
        '{"a": {"OpenVINO": {"ms": 1, "loading_s": 1}}}',
    ],
)
def test_a_damaged_file_of_trials_is_none(network, content):
    engines.trials_file().parent.mkdir(parents=True)
    engines.trials_file().write_text(content)
    assert engines.kept_trials() == {}
    kept(network, given(), pytorch=(1, 0))
    assert len(engines.kept_trials()) == 1


def test_a_trial_is_of_one_machine_one_kind_of_network_and_one_size(network, monkeypatch):
    key = key_of(network, (given(),))
    assert key == key_of(Painter(), (given(2, 17),))  # about the same size
    assert key != key_of(network, (given(2, 32),))
    assert key != key_of(nn.Conv2d(3, 4, 3), (given(),))
    monkeypatch.setattr(engines, "cpu_model", lambda: "another")
    assert key != key_of(network, (given(),))


# -- what OpenVINO makes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("named", [False, True])
def test_what_openvino_says_is_what_the_network_says_for_any_number_of_frames(named):
    torch.manual_seed(0)
    network = Painter(named).eval()
    run = Converted(network, (given(), given())).compiled(bfloat16=False)
    for x in (given(1), given(5, 24)):
        true, said = network(x, 2 * x), run(x, 2 * x)
        assert type(said) is type(true)
        assert decibels(said, true) > 100


def test_frames_do_not_change_when_the_next_are_made(network):
    run = Converted(network, (given(),)).compiled(bfloat16=False)
    first = run(given())
    before = first.clone()
    run(given() + 1)
    assert torch.equal(first, before)


def test_it_is_made_and_run_within_inference_and_autocast(network, monkeypatch, quiet):
    monkeypatch.setattr(engines, "WORTH_A_TRIAL", 0.0)
    monkeypatch.setattr(
        Engines,
        "trial",
        lambda self: {PYTORCH: {"ms": 9, "loading_s": 0}, OPENVINO: {"ms": 1, "loading_s": 0}},
    )
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        run = Quicker(network, 10)
        said = run(given().to(torch.bfloat16))
    assert run.engine == OPENVINO and said.dtype == torch.float32
    assert decibels(said, network(given())) > 35


def test_what_others_log_is_logged_as_before(network):
    root = logging.getLogger()
    before = root.level, list(root.handlers), list(root.filters)
    Converted(network, (given(),)).compiled(bfloat16=False)
    assert (root.level, root.handlers, root.filters) == before


def test_nothing_is_sent_when_openvino_is_imported_or_writes_and_reads_its_files(tmp_path):
    script = """
import socket, sys, urllib.request
def refused(*args, **kwargs): raise SystemExit("reached out")
socket.create_connection = socket.getaddrinfo = urllib.request.urlopen = refused
import torch
from pathlib import Path
from understudy.base.openvino import CANNOT, Converted, read
converted = Converted(torch.nn.Conv2d(3, 3, 1), (torch.zeros(1, 3, 8, 8),))
converted.compiled(bfloat16=False)
converted.save(Path(sys.argv[1]), (-1, 3, 8, 8), {"about": "it"})
read(Path(sys.argv[1]))(torch.zeros(2, 3, 8, 8).numpy())
import threading
print([thread.name for thread in threading.enumerate()], "openvino_telemetry" in sys.modules, "openvino" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "it.xml")], capture_output=True, text=True, timeout=120
    )
    assert done.stdout == "['MainThread'] False True\n", done.stderr


def test_decibels_by_hand():
    true = torch.tensor([0.0, 2.0])
    assert decibels(true, true) == math.inf
    assert decibels(true + 0.02, true) == pytest.approx(40, abs=1e-4)  # 20 log10(2 / 0.02)
    assert decibels((true, true + 0.2), (true, true)) == pytest.approx(20, abs=1e-4)
    assert decibels(true + math.nan, true) == -math.inf
