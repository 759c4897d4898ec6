"""The training loop on a toy: what is written, exact resume, and what happens when things go wrong."""

import json
import os
import signal
import threading

import numpy as np
import pytest
import torch
from torch import nn

from understudy import training
from understudy.errors import Interrupted, TrainingError


class Toy:
    """Fits a line with dropout, so that hidden randomness would show; can be told to go wrong at given steps."""

    shown = "line"

    def __init__(self, fabric, bad=(), on_step=None):
        torch.manual_seed(0)
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
        training.descend(self.fabric, self.optimizer, {"error": loss})
        return {"error": loss}

    def preview(self, generator, folder, step):
        assert not generator.training
        self.previews.append(step)


@pytest.fixture(scope="module")
def fabric():
    return training.launch("cpu")


def run(fabric, folder, steps, *, toy=None, **changes):
    options = {"settings": {"a": 1}, "seed": 3, "ema_decay": 0.9, "checkpoint_seconds": 0.0} | changes
    return training.run(toy or Toy(fabric), folder, fabric=fabric, steps=steps, **options)


def same(one, two):
    return all(np.array_equal(one.weights[name], two.weights[name]) for name in one.weights)


def test_a_run_folder_holds_settings_losses_and_the_last_two_checkpoints(fabric, tmp_path):
    toy = Toy(fabric)
    outcome = run(fabric, tmp_path, 20, toy=toy)
    assert outcome.steps == 20
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        ".lock",
        "checkpoints",
        "losses.jsonl",
        "previews",
        "run.json",
    ]
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


def test_without_resume_an_old_run_is_replaced(fabric, tmp_path):
    run(fabric, tmp_path, 30)
    assert same(run(fabric, tmp_path, 5), run(fabric, tmp_path / "other", 5))
    assert len((tmp_path / "losses.jsonl").read_text().splitlines()) == 1


def test_resume_with_other_settings_is_refused(fabric, tmp_path):
    run(fabric, tmp_path, 2)
    with pytest.raises(TrainingError, match=r"begun with other settings \(a\)"):
        run(fabric, tmp_path, 4, resume=True, settings={"a": 2})


def test_a_second_writer_is_refused_at_once(fabric, tmp_path):
    def try_again(step):
        if step == 1:
            with pytest.raises(TrainingError, match="another run is writing to"):
                run(fabric, tmp_path, 2)

    assert run(fabric, tmp_path, 3, toy=Toy(fabric, on_step=try_again)).steps == 3


def test_minutes_limit_the_run(fabric, tmp_path):
    assert run(fabric, tmp_path, 10**9, max_minutes=0.005, checkpoint_seconds=1e9).seconds >= 0.3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_the_first_signal_finishes_the_step_and_saves(fabric, tmp_path, number):
    before = signal.getsignal(number)
    toy = Toy(fabric, on_step=lambda step: os.kill(os.getpid(), number) if step == 6 else None)
    with pytest.raises(Interrupted, match="stopped at step 7; saved, go on with --resume") as stopped:
        run(fabric, tmp_path / "a", 20, toy=toy, checkpoint_seconds=1e9)
    assert stopped.value.signal == number
    assert signal.getsignal(number) is before
    assert same(run(fabric, tmp_path / "a", 20, resume=True), run(fabric, tmp_path / "b", 20))


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


def test_three_bad_steps_in_a_row_go_back_with_half_the_rate(fabric, tmp_path, caplog):
    toy = Toy(fabric, bad=[4, 5, 6])
    run(fabric, tmp_path, 10, toy=toy)
    assert "went back to step 4 with the learning rate times 0.5" in caplog.text
    assert toy.optimizer.param_groups[0]["lr"] == pytest.approx(0.005)


def test_losses_that_stay_bad_stop_the_run_and_are_named(fabric, tmp_path):
    class Broken(Toy):
        def training_step(self, step):
            if step >= 3:
                raise training.NotFinite("vgg")
            return super().training_step(step)

    with pytest.raises(TrainingError, match="the loss vgg is not a number, again and again"):
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
        tensors, _ = training.load_tensors(path)
        assert all(np.isfinite(t).all() for t in tensors.values())


def test_every_item_is_drawn_once_an_epoch_in_an_order_of_its_own():
    epochs = np.concatenate([training.draw(5, step, 4, 10) for step in range(10)]).reshape(4, 10)
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs.tolist())
    assert len({tuple(epoch) for epoch in epochs.tolist()}) == 4
    assert np.array_equal(training.draw(5, 7, 4, 10), training.draw(5, 7, 4, 10))


def test_the_average_follows_quickly_at_first_and_is_only_lent():
    line = nn.Linear(1, 1, bias=False)
    line.weight.data.fill_(0.0)
    average = training.Average(line, 0.99)
    line.weight.data.fill_(1.0)
    average.update(line, step=0)
    assert average.values["weight"].item() == pytest.approx(0.9)
    with average.shown_in(line) as shown:
        assert shown.weight.item() == pytest.approx(0.9)
        assert not shown.training
    assert line.weight.item() == 1.0
    assert line.training
