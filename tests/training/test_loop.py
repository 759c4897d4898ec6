"""The training loop on a toy: what is written, exact resume, and what happens when things go wrong."""

import importlib
import json
import math
import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from understudy.base.files import load_tensors, save_tensors
from understudy.base.progress import progress_bar
from understudy.base.stopping import SHOW_CURSOR
from understudy.errors import Interrupted, TrainingError
from understudy.training import loop as training
from understudy.training.average import Average
from understudy.training.step import descend, frozen, linear_decay, not_descended, rates_times


class Toy:
    """Fits a line with dropout, so that hidden randomness would show; can be told to go wrong at given steps."""

    shown = "line"

    def __init__(self, fabric, bad=(), on_step=None, on_preview=None):
        torch.manual_seed(0)
        self.on_preview = on_preview
        self.fabric, self.bad, self.on_step = fabric, set(bad), on_step
        # Channels last, as real networks are: the optimizer's state has to come back in the same layout
        line = nn.Sequential(nn.Conv2d(2, 16, (2, 2)), nn.BatchNorm2d(16), nn.Dropout(0.1), nn.Conv2d(16, 1, 1))
        line.to(memory_format=torch.channels_last)
        self.model, self.optimizer = fabric.setup(line, torch.optim.Adam(line.parameters(), 0.01, fused=True))
        self.networks, self.optimizers = {"line": line}, {"line": self.optimizer}
        self.previews = []

    def training_step(self, step):
        if self.on_step:
            self.on_step(step)
        x = torch.from_numpy(np.random.default_rng(step).normal(size=(64, 2, 2, 2)).astype(np.float32))
        loss = (self.model(x) - 3 * x.sum((1, 2, 3), keepdim=True)).square().mean()
        if step in self.bad:
            self.bad.discard(step)
            loss = loss * float("nan")
        descend(self.fabric, self.optimizer, {"error": loss})
        return {"error": loss}

    def preview(self, generator, folder, step):
        assert not generator.training
        self.previews.append(step)
        (folder / f"step-{step:07d}.png").write_text("seen")
        if self.on_preview:
            self.on_preview()


@pytest.fixture(scope="module")
def fabric():
    return training.launch("cpu")


@pytest.fixture(autouse=True)
def _checkpoints_as_often_as_asked(monkeypatch):
    monkeypatch.setattr(training, "CHECKPOINT_COST", 0.0)


def run(fabric, folder, steps, *, toy=None, **changes):
    options = {"settings": {"a": 1}, "seed": 3, "ema_decay": 0.9, "checkpoint_seconds": 0.0} | changes
    return training.run(toy or Toy(fabric), folder, fabric=fabric, steps=steps, **options)


def same(one, two):
    return all(np.array_equal(one.weights[name], two.weights[name]) for name in one.weights)


def test_a_run_folder_holds_settings_losses_and_the_last_two_checkpoints(fabric, tmp_path):
    toy = Toy(fabric)
    outcome = run(fabric, tmp_path, 20, toy=toy)
    assert outcome.steps == 20
    assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoints", "losses.jsonl", "previews", "run.json"]
    names = [p.name for p in sorted((tmp_path / "checkpoints").iterdir())]
    assert names == ["step-00000019.safetensors", "step-00000020.safetensors"]
    lines = [json.loads(line) for line in (tmp_path / "losses.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [10, 20]
    assert set(lines[0]) == {"step", "seconds", "error"}
    assert json.loads((tmp_path / "run.json").read_text())["settings"] == {"a": 1}
    assert toy.previews == [20]


def test_loss_falls(fabric, tmp_path):
    run(fabric, tmp_path, 300, checkpoint_seconds=1e9)
    error = [json.loads(line)["error"] for line in (tmp_path / "losses.jsonl").read_text().splitlines()]
    assert np.mean(error[-5:]) < 0.5 * error[0]


def test_resuming_equals_an_unbroken_run(fabric, tmp_path):
    unbroken = run(fabric, tmp_path / "a", 24)
    run(fabric, tmp_path / "b", 11)
    resumed = run(fabric, tmp_path / "b", 24, resume=True)
    assert same(unbroken, resumed)
    steps = [json.loads(line)["step"] for line in (tmp_path / "b" / "losses.jsonl").read_text().splitlines()]
    assert steps == [10, 11, 20, 24]


def test_resume_without_a_run_starts_one(fabric, tmp_path):
    assert run(fabric, tmp_path, 3, resume=True).steps == 3


def test_a_damaged_checkpoint_falls_back_to_the_one_before(fabric, tmp_path, caplog):
    unbroken = run(fabric, tmp_path / "a", 24)
    run(fabric, tmp_path / "b", 12)
    newest = sorted((tmp_path / "b" / "checkpoints").iterdir())[-1]
    content = bytearray(newest.read_bytes())
    content[-1] ^= 1
    newest.write_bytes(content)
    assert same(unbroken, run(fabric, tmp_path / "b", 24, resume=True))
    assert "taking the checkpoint before it" in caplog.text
    assert "resumed at step 11" in caplog.text


def test_a_damaged_checkpoint_is_not_kept_as_one_of_the_newest(fabric, tmp_path):
    run(fabric, tmp_path, 12)
    newest = tmp_path / "checkpoints" / "step-00000012.safetensors"
    newest.rename(tmp_path / "checkpoints" / "step-00000099.safetensors").write_bytes(b"")
    run(fabric, tmp_path, 13, resume=True)
    names = [p.name for p in sorted((tmp_path / "checkpoints").iterdir())]
    assert names == ["step-00000012.safetensors", "step-00000013.safetensors"]


@pytest.mark.parametrize("damaged", ["checkpoints", "record"])
def test_a_run_whose_files_are_all_damaged_is_not_thrown_away(fabric, tmp_path, damaged):
    run(fabric, tmp_path, 4)
    paths = list((tmp_path / "checkpoints").iterdir()) if damaged == "checkpoints" else [tmp_path / "run.json"]
    for path in paths:
        path.write_bytes(b"12345678")
    message = {"checkpoints": "no checkpoint in .* can be read: delete that folder", "record": r"run\.json"}[damaged]
    with pytest.raises(TrainingError, match=message):
        run(fabric, tmp_path, 8, resume=True)
    assert len(list((tmp_path / "checkpoints").iterdir())) == 2


def _first_moment(change):
    def changed(arrays, header):
        name = next(name for name in sorted(arrays) if name.startswith("optimizer/") and name.endswith("/exp_avg"))
        arrays[name] = change(arrays[name])

    return changed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(lambda arrays, header: header.clear(), "'NoneType'", id="no progress"),
        pytest.param(lambda arrays, header: header["progress"].update(step="12"), "'12' is no whole", id="step"),
        pytest.param(lambda arrays, header: header["progress"].update(rate=7.0), "a rate of 7", id="rate"),
        pytest.param(lambda arrays, header: arrays.pop("network/line/0.bias"), "0.bias is missing", id="weight"),
        pytest.param(lambda arrays, header: arrays.update(more=np.zeros(2)), "more is not known", id="another"),
        pytest.param(lambda arrays, header: arrays.pop("optimizer/line/0/exp_avg"), "memory is missing", id="memory"),
        pytest.param(_first_moment(lambda one: one.reshape(-1)[:1]), "exp_avg is torch.float32", id="shape"),
        pytest.param(_first_moment(lambda one: one.astype(np.float64)), "exp_avg is torch.float64", id="type"),
    ],
)
def test_a_whole_checkpoint_of_something_else_is_refused(fabric, tmp_path, change, message):
    run(fabric, tmp_path, 4)
    for path in (tmp_path / "checkpoints").iterdir():
        arrays, header = load_tensors(path)
        change(arrays, header)
        save_tensors(path, arrays, header)
    with pytest.raises(
        TrainingError, match=f"something else than what is trained here .*{message}.*delete that folder"
    ):
        run(fabric, tmp_path, 8, resume=True)


def test_losses_that_are_none_are_left_out(fabric, tmp_path):
    run(fabric, tmp_path, 20)
    with open(tmp_path / "losses.jsonl", "ab") as stream:
        stream.write(b'[1]\n7\n{"step": 1e999}\n{"step": "x"}\n\xff\n{"step": 20, "error": "much"}\n')
    assert run(fabric, tmp_path, 21, resume=True).steps == 21
    steps = [json.loads(line)["step"] for line in (tmp_path / "losses.jsonl").read_text().splitlines()]
    assert steps == [10, 20, 20, 21]


def test_without_resume_an_old_run_is_replaced(fabric, tmp_path):
    run(fabric, tmp_path, 30)
    assert same(run(fabric, tmp_path, 5), run(fabric, tmp_path / "other", 5))
    assert len((tmp_path / "losses.jsonl").read_text().splitlines()) == 1


def test_resume_with_other_settings_is_refused(fabric, tmp_path):
    run(fabric, tmp_path, 2)
    message = r"begun with other settings \(a was 1, is 2\): repeat the `preset`, `seed` and clips of before"
    with pytest.raises(TrainingError, match=message):
        run(fabric, tmp_path, 4, resume=True, settings={"a": 2})


def test_words_of_older_versions_are_the_same_settings(fabric, tmp_path):
    def settings(word):
        return {"features": word, "config": {"features": word, "steps": 4}}

    run(fabric, tmp_path, 2, settings=settings("imagenet"))
    run(fabric, tmp_path, 4, resume=True, settings=settings("vgg19"))
    with pytest.raises(TrainingError, match=r"config\.features was vgg19, is random; features was vgg19, is random"):
        run(fabric, tmp_path, 6, resume=True, settings=settings("random"))


def test_many_different_settings_are_named_shortly(fabric, tmp_path):
    before = {"config": {"size": 128, "betas": (0.5, 0.9)}, "reference": "a" * 64, "seed": 1, "x": 1}
    run(fabric, tmp_path, 2, settings=before)
    now = {"config": {"size": 256, "betas": (0.5, 0.9)}, "reference": "b" * 64, "seed": 2, "x": 2}
    named = (
        "config.size was 128, is 256; reference was aaaaaaaaaaaa..., is bbbbbbbbbbbb...; seed was 1, is 2; and 1 more"
    )
    with pytest.raises(TrainingError, match=re.escape(f"({named})")):
        run(fabric, tmp_path, 4, resume=True, settings=now)


@pytest.mark.parametrize("limits", [{"steps": 20}, {"steps": 30, "max_minutes": 1e-9}], ids=["steps", "minutes"])
def test_resuming_at_the_limit_says_so_and_keeps_the_losses(fabric, tmp_path, caplog, limits):
    first = run(fabric, tmp_path, 20)
    again = run(fabric, tmp_path, resume=True, **limits)
    assert "nothing left to do: at step 20 of" in caplog.text
    assert same(first, again) and again.losses == first.losses != {}


def test_a_kill_between_the_last_checkpoint_and_its_preview_costs_no_preview(fabric, tmp_path):
    def unplugged():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(fabric, tmp_path, 5, toy=Toy(fabric, on_preview=unplugged))
    for path in (tmp_path / "previews").iterdir():  # it had not come that far
        path.unlink()
    toy = Toy(fabric)
    run(fabric, tmp_path, 5, toy=toy, resume=True)
    assert toy.previews == [5]
    run(fabric, tmp_path, 5, toy=toy, resume=True)
    assert toy.previews == [5], "it is there"


def test_what_a_kill_left_half_written_is_gone_though_nothing_is_left_to_do(fabric, tmp_path):
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    run(fabric, tmp_path, 3)
    files = {path for path in tmp_path.rglob("*") if path.is_file()}
    for folder in (tmp_path, tmp_path / "checkpoints", tmp_path / "previews"):
        (folder / f".step-00000003.safetensors.{int(ended.stdout)}-0123abcd.part.safetensors").write_bytes(b"half")
    run(fabric, tmp_path, 3, resume=True)
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == files


def test_slow_saves_are_rare(fabric, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "CHECKPOINT_COST", 1e6)
    saved = []
    save = training.RunFolder.save
    monkeypatch.setattr(training.RunFolder, "save", lambda *args: (saved.append(args[1]), save(*args)))
    run(fabric, tmp_path, 10)
    assert saved == [1, 10]


def test_previews_do_not_disturb_training(fabric, tmp_path, monkeypatch):
    alone = run(fabric, tmp_path / "a", 12)
    monkeypatch.setattr(training, "FIRST_PREVIEW_SECONDS", 0.0)
    monkeypatch.setattr(training, "PREVIEW_SECONDS", 0.0)
    toy = Toy(fabric, on_preview=lambda: torch.rand(3))
    assert same(alone, run(fabric, tmp_path / "b", 12, toy=toy))
    assert toy.previews == [*range(1, 13), 12]
    one, two = (training.RunFolder(tmp_path / name).load()[0] for name in "ab")
    assert all(np.array_equal(one[name], two[name]) for name in one)


def test_minutes_limit_the_run(fabric, tmp_path):
    assert run(fabric, tmp_path, 10**9, max_minutes=0.005, checkpoint_seconds=1e9).seconds >= 0.3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_the_first_signal_finishes_the_step_and_saves(fabric, tmp_path, number):
    before = signal.getsignal(number)
    toy = Toy(fabric, on_step=lambda step: os.kill(os.getpid(), number) if step == 6 else None)
    with pytest.raises(Interrupted, match="stopped at step 7; saved, go on with `resume=True`") as stopped:
        run(fabric, tmp_path / "a", 20, toy=toy, checkpoint_seconds=1e9)
    assert stopped.value.signal == number
    assert signal.getsignal(number) is before
    assert same(run(fabric, tmp_path / "a", 20, resume=True), run(fabric, tmp_path / "b", 20))


def test_a_signal_during_the_last_preview_is_not_swallowed(fabric, tmp_path):
    toy = Toy(fabric, on_preview=lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(Interrupted, match="stopped at step 5; saved"):
        run(fabric, tmp_path, 5, toy=toy)


def test_interrupted_is_out_of_reach_of_except_exception():
    assert not issubclass(Interrupted, Exception)


TWICE = """
import os, signal, sys, time
from understudy.base.stopping import stop_signals
sys.stderr.isatty = lambda: True
with stop_signals() as stopped:
    os.kill(os.getpid(), signal.SIGINT)
    assert stopped.signal == signal.SIGINT
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)
"""


def test_the_second_signal_leaves_at_once_and_shows_the_cursor():
    done = subprocess.run([sys.executable, "-c", TWICE], capture_output=True, timeout=30)
    assert done.returncode == 128 + signal.SIGTERM
    assert b"once more to leave at once" in done.stderr and done.stderr.endswith(SHOW_CURSOR)


def test_training_works_outside_the_main_thread(fabric, tmp_path):
    steps = []
    thread = threading.Thread(target=lambda: steps.append(run(fabric, tmp_path, 2).steps))
    thread.start()
    thread.join()
    assert steps == [2]


def test_a_loss_that_is_not_a_number_skips_its_step(fabric, tmp_path, caplog):
    outcome = run(fabric, tmp_path, 10, toy=Toy(fabric, bad=[4]))
    assert outcome.steps == 10
    assert "step 4 skipped: the loss error is not a number" in caplog.text
    assert all(np.isfinite(value).all() for value in outcome.weights.values())


def test_a_descent_from_nan_changes_nothing_and_asks_nothing(fabric):
    questions = []

    class Listening(TorchDispatchMode):  # what makes a GPU come to rest passes here on any device
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            if func in (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default):
                questions.append(func)
            return func(*args, **(kwargs or {}))

    toy, one = Toy(fabric), torch.ones(())
    weight = next(toy.networks["line"].parameters())

    def descended(factor):
        with Listening():
            descend(fabric, toy.optimizer, {"fine": weight.sum(), "error": weight.square().sum() * factor})
        state = toy.optimizer.state_dict()["state"][0]
        return [value.clone() for value in (weight, *state.values())], [
            not_descended(toy.optimizers.values(), {"fine": one, "error": one * factor}) for _ in range(2)
        ]

    first, told_first = descended(1.0)
    bad, told_bad = descended(float("inf"))
    after, told_after = descended(1.0)
    assert all(torch.equal(a, b) for a, b in zip(first, bad, strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(bad, after, strict=True))
    assert (told_first, told_bad, told_after) == ([None, None], ["error", None], [None, None])
    assert not questions
    with Listening():
        assert bool(one)
    assert questions, "nothing was listened to"


def test_three_bad_steps_in_a_row_go_back_with_half_the_rate(fabric, tmp_path, caplog):
    toy = Toy(fabric, bad=[4, 5, 6])
    run(fabric, tmp_path, 10, toy=toy)
    assert "went back to step 4 with the learning rate times 0.5" in caplog.text
    assert toy.optimizer.param_groups[0]["lr"] == pytest.approx(0.005)


def test_a_nan_that_has_reached_the_weights_goes_back_at_once(fabric, tmp_path, caplog):
    class Poisoned(Toy):
        def training_step(self, step):
            if step in self.bad:
                self.networks["line"][1].running_mean.fill_(float("nan"))
            return super().training_step(step)

    outcome = run(fabric, tmp_path, 10, toy=Poisoned(fabric, bad=[6]))
    assert "went back to step 6" in caplog.text
    assert outcome.steps == 10 and all(np.isfinite(value).all() for value in outcome.weights.values())


@pytest.mark.parametrize("interrupted", [False, True], ids=["finished", "interrupted"])
def test_a_nan_found_by_the_last_save_is_trained_away(fabric, tmp_path, caplog, interrupted):
    def poison(step):
        if step == 7 and "went back" not in caplog.text:
            toy.networks["line"][1].running_mean.fill_(float("nan"))
            if interrupted:
                os.kill(os.getpid(), signal.SIGINT)

    toy = Toy(fabric, on_step=poison)  # its loss stays finite, since training uses the batch's own statistics
    options = {"toy": toy, "checkpoint_seconds": 1e9, "resume": True}
    run(fabric, tmp_path, 4)
    if interrupted:
        with pytest.raises(Interrupted, match="stopped at step 4; saved"):
            run(fabric, tmp_path, 8, **options)
    else:
        outcome = run(fabric, tmp_path, 8, **options)
        assert outcome.steps == 8 and all(np.isfinite(value).all() for value in outcome.weights.values())
    assert "step 8 not saved" in caplog.text and "went back to step 4" in caplog.text


def test_a_nan_before_the_first_checkpoint_says_so(fabric, tmp_path):
    with pytest.raises(TrainingError, match="the loss error is not a number, before the first checkpoint, at step 2"):
        run(fabric, tmp_path, 9, toy=Toy(fabric, bad=[0, 1, 2]), checkpoint_seconds=1e9)


def test_frozen_networks_thaw_after_an_error():
    line = nn.Linear(1, 1)
    with pytest.raises(ZeroDivisionError), frozen(line):
        assert not line.weight.requires_grad
        raise ZeroDivisionError
    assert line.weight.requires_grad


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] . DefaultCPUAllocator: can't allocate memory: you tried"),
        RuntimeError("MPS backend out of memory"),
        MemoryError(),
    ],
    ids=["cuda", "cpu", "mps", "numpy"],
)
def test_running_out_of_memory_is_a_line(error):
    message = r"^memory ran out: .* smaller `preset` and another `output`$"
    with pytest.raises(TrainingError, match=message), training.out_of_memory_told():
        raise error


def test_other_errors_stay_what_they_are():
    with pytest.raises(RuntimeError, match="shapes"), training.out_of_memory_told():
        raise RuntimeError("shapes do not match")


def test_progress_leaves_out_what_was_done_before(monkeypatch, capfd):
    clock = [0.0]
    monkeypatch.setattr("understudy.base.progress.time.monotonic", lambda: clock[0])
    with progress_bar("training", 130, "steps", 100) as advance:
        clock[0] = 10.0
        advance(10)
    assert capfd.readouterr().err.splitlines()[0] == "training: 110/130 steps, 1.0 steps/s, 20 s left"


def test_what_the_first_step_costs_besides_is_not_expected_of_the_others(fabric, tmp_path, monkeypatch):
    clock, told = [0.0], []
    monkeypatch.setattr(training, "time", SimpleNamespace(monotonic=lambda: clock[0]))

    @contextmanager
    def noting(*_):
        yield lambda count, note, total, left: told.append(left)

    monkeypatch.setattr(training, "progress_bar", noting)

    def on_step(step):
        clock[0] += 0.5 if step else 20.0

    run(fabric, tmp_path, 11, toy=Toy(fabric, on_step=on_step))
    assert told == [math.inf, *(0.5 * left for left in range(9, -1, -1))]


def test_progress_says_nothing_of_what_is_left_where_nobody_can_know(monkeypatch, capfd):
    clock = [0.0]
    monkeypatch.setattr("understudy.base.progress.time.monotonic", lambda: clock[0])
    with progress_bar("training", 130, "steps") as advance:
        clock[0] = 10.0
        advance(1, "", 130, math.inf)
    assert capfd.readouterr().err.splitlines()[0] == "training: 1/130 steps, 0.1 steps/s"


def test_losses_that_stay_bad_stop_the_run_and_are_named(fabric, tmp_path):
    class Broken(Toy):
        def training_step(self, step):
            if step >= 3:
                self.bad.add(step)
            return super().training_step(step)

    with pytest.raises(TrainingError, match="the loss error is not a number, again and again"):
        run(fabric, tmp_path, 50, toy=Broken(fabric))


def test_a_state_with_nan_is_never_saved(fabric, tmp_path):
    def poison(step):
        if step == 5:
            with torch.no_grad():
                toy.networks["line"][0].weight[0, 0] = float("nan")

    toy = Toy(fabric, on_step=poison)
    with pytest.raises(TrainingError, match="not a number"):
        run(fabric, tmp_path, 8, toy=toy)
    for path in (tmp_path / "checkpoints").iterdir():
        tensors, _ = load_tensors(path)
        assert all(np.isfinite(t).all() for t in tensors.values())


def test_the_average_follows_quickly_at_first_and_is_only_lent():
    line = nn.Linear(1, 1, bias=False)
    line.weight.data.fill_(0.0)
    average = Average(line, 0.99)
    line.weight.data.fill_(1.0)
    average.update(line, step=0)
    assert average.values["weight"].item() == pytest.approx(0.9)
    with average.shown_in(line) as shown:
        assert shown.weight.item() == pytest.approx(0.9)
        assert not shown.training
    assert line.weight.item() == 1.0
    assert line.training


def test_the_learning_rate_falls_over_the_second_half():
    assert [linear_decay(step, 8) for step in range(8)] == [1, 1, 1, 1, 1, 0.75, 0.5, 0.25]
    assert linear_decay(0, 1) == 1


def test_a_lent_learning_rate_is_given_back_after_an_error():
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.5)
    with pytest.raises(RuntimeError), rates_times([optimizer], 0.1):
        assert optimizer.param_groups[0]["lr"] == 0.05
        raise RuntimeError
    assert optimizer.param_groups[0]["lr"] == 0.5


def test_a_package_is_absent_for_a_while_unless_it_is_there():
    name = "this_package_is_nowhere.else"
    with training._absent(name), pytest.raises(ModuleNotFoundError, match=r"None in sys\.modules"):
        importlib.import_module(name)
    assert name not in sys.modules
    with training._absent("json"):
        assert importlib.import_module("json") is json
    assert sys.modules["json"] is json


def test_a_run_that_goes_back_to_where_it_was_resumed_goes_on(fabric, tmp_path, caplog):
    run(fabric, tmp_path, 4)
    outcome = run(fabric, tmp_path, 8, toy=Toy(fabric, bad=[4, 5, 6]), resume=True, checkpoint_seconds=1e9)
    assert "went back to step 4" in caplog.text and outcome.steps == 8
