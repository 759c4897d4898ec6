"""Which device is taken, and what is said of one that is not there."""

import pytest
import torch

from understudy.base.devices import choose_device, computes_in_bfloat16
from understudy.errors import UsageError


@pytest.fixture
def machine(monkeypatch):
    """A machine that has these devices beside its CPU."""

    def with_devices(*names):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: "cuda" in names)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in names)

    return with_devices


@pytest.mark.parametrize(
    ("there", "taken"), [((), "cpu"), (("mps",), "mps"), (("cuda",), "cuda"), (("cuda", "mps"), "cuda")], ids=str
)
def test_the_fastest_device_is_taken_unless_another_is_named(machine, there, taken):
    machine(*there)
    assert choose_device().type == taken
    assert [choose_device(name).type for name in (*there, "cpu")] == [*there, "cpu"]


def test_a_device_that_is_not_there_is_said(machine):
    machine("mps")
    with pytest.raises(UsageError, match=r"device=.cuda.`: not available to PyTorch here; this machine has: mps, cpu"):
        choose_device("cuda")
    with pytest.raises(UsageError, match=r"device=.tpu.`: not available"):
        choose_device("tpu")


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [({}, False), ({"avx2": True}, False), ({"avx512_bf16": True}, True), ({"amx_bf16": True}, True)],
    ids=str,
)
def test_half_precision_is_for_processors_with_instructions_for_it(monkeypatch, capabilities, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    assert computes_in_bfloat16(torch.device("cpu")) is expected
    assert not computes_in_bfloat16(torch.device("mps"))
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    assert not computes_in_bfloat16(torch.device("cpu"))
