"""Long work in ComfyUI: progress on its bar, its cross, and what becomes of a training that was stopped."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from integrations.comfyui_host import Host
from tiny import shrunk, tiny_performance
from understudy.actor import Actor
from understudy.base.onlooker import present, show
from understudy.base.progress import progress_bar
from understudy.errors import ConsentError, Interrupted, UsageError
from understudy.recipes import recipe
from understudy.recipes.parts.settings import changed

STEPS = 12


@pytest.fixture
def model_management(comfy: Host) -> Any:
    return comfy.part("comfy.model_management")


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A training of several steps on tiny pictures."""
    one = recipe("performance-cloning")
    small = changed(shrunk(one.preset("preview")), {"steps": STEPS})
    monkeypatch.setitem(one.presets, "preview", lambda: small)


def pressed_at(comfy: Host, monkeypatch: pytest.MonkeyPatch, label: str) -> list[str]:
    """The cross is pressed when something with that label is told for the first time; all that is told."""
    server, management = comfy.part("server").PromptServer.instance, comfy.part("comfy.model_management")
    told: list[str] = []

    def tell(text: str, _node: str, sid: str | None = None) -> None:
        if text.startswith(label) and not any(one.startswith(label) for one in told):
            management.interrupt_current_processing()
        told.append(text)

    monkeypatch.setattr(server, "send_progress_text", tell)
    return told


def worked(comfy: Host, do: Callable[[], Any]) -> Any:
    return asyncio.run(comfy.part("work").worked("7", do))


def test_progress_goes_to_the_bar_of_its_node_with_what_is_done_and_the_picture(comfy: Host) -> None:
    def do() -> bool:
        with progress_bar("counting", 3, "things") as advance:
            show(lambda: np.full((4, 6, 3), 9, np.uint8))
            for _ in range(3):
                advance()
        return torch.is_inference_mode_enabled()

    comfy.shown().clear()
    with torch.inference_mode():  # as ComfyUI's thread is, in which nothing can be trained
        assert worked(comfy, do) is False
    assert [(value, most, node) for value, most, node, _ in comfy.shown()] == [(0, 3, "7"), (3, 3, "7")]
    assert [picture.size for *_, picture in comfy.shown() if picture is not None] == [(6, 4)]
    texts = comfy.part("server").PromptServer.instance.texts
    assert texts[-1][0] == "7" and texts[-1][1].startswith("counting: 3/3 things")
    assert present() is None


def test_the_cross_ends_what_is_done_at_its_next_step(comfy: Host, model_management: Any) -> None:
    done = []

    def do() -> None:
        with progress_bar("counting", 100) as advance:
            for number in range(100):
                if number == 3:
                    model_management.interrupt_current_processing()
                advance()
                done.append(number)

    with pytest.raises(model_management.InterruptProcessingException):
        worked(comfy, do)
    assert done == [0, 1, 2]


def test_work_ends_when_another_node_ended_the_workflow(comfy: Host) -> None:
    """ComfyUI cancels what is still awaited, and would wait for the thread."""
    begun, ended = threading.Event(), threading.Event()

    def do() -> None:
        try:
            with progress_bar("waiting", None) as advance:
                while True:
                    begun.set()
                    advance()
                    time.sleep(0.01)
        except Interrupted:
            ended.set()
            raise

    async def workflow() -> None:
        node = asyncio.create_task(comfy.part("work").worked("7", do))
        await asyncio.to_thread(begun.wait)
        node.cancel()
        with pytest.raises(asyncio.CancelledError):
            await node

    asyncio.run(workflow())
    assert ended.wait(60)


def test_nodes_that_could_run_at_once_run_one_after_another(comfy: Host) -> None:
    inside, most = 0, 0

    def do() -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        time.sleep(0.05)
        inside -= 1

    async def workflow() -> None:
        await asyncio.gather(*(comfy.part("work").worked(str(node), do) for node in range(3)))

    asyncio.run(workflow())
    assert most == 1


def test_who_waits_for_its_turn_hears_the_cross_too(comfy: Host, model_management: Any) -> None:
    held = threading.Event()

    async def workflow() -> list[Any]:
        first = asyncio.create_task(comfy.part("work").worked("1", lambda: held.wait(60)))
        await asyncio.sleep(0.05)
        second = asyncio.create_task(comfy.part("work").worked("2", lambda: pytest.fail("it was not its turn")))
        await asyncio.sleep(0.05)
        model_management.interrupt_current_processing()
        ended = await asyncio.gather(second, return_exceptions=True)
        held.set()
        return [*ended, await first]

    stopped, done = asyncio.run(workflow())
    assert isinstance(stopped, model_management.InterruptProcessingException) and done is True


@pytest.mark.usefixtures("slowly")
def test_a_training_that_was_stopped_is_kept_and_goes_on_when_queued_again(
    comfy: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    me = tiny_performance(tmp_path / "me.performance", seed=1)
    management = comfy.part("comfy.model_management")
    asked = {
        "reference": me.path, "consent": "I am it", "name": "me", "recipe": "performance-cloning", "preset": "preview",
    }  # fmt: skip
    told = pressed_at(comfy, monkeypatch, "training")
    with pytest.raises(management.InterruptProcessingException):
        comfy.run("UnderstudyTrain", **asked)
    actors = comfy.root / "output" / "understudy" / "actors"
    (run,) = actors.iterdir()
    assert run.suffix == ".run" and list(run.glob("**/checkpoints/step-*")) and not list(actors.glob("*.actor"))

    caplog.clear()
    actor, summary = comfy.run("UnderstudyTrain", **asked).args
    assert "resumed at step" in caplog.text
    assert run == actor.with_name(f"{actor.name}.run") and actor.name.startswith("me-")
    assert Actor.load(actor).record["steps"] == STEPS and Actor.load(actor).consent.text == "I am it"
    assert any(one.startswith(f"training: 0/{STEPS} steps") for one in told) and f"{STEPS} steps" in summary
    assert management.unloaded

    caplog.clear()  # as after ComfyUI was started anew: nothing is left to do
    again = comfy.run("UnderstudyTrain", **asked)
    assert again.args[0] == actor and "nothing left to do" in caplog.text
    assert list(actors.glob("*.actor")) == [actor]
    loaded = comfy.run("UnderstudyLoadActor", actor_name=actor.name)
    assert loaded.args[0] == actor


def test_nobody_is_learnt_without_consent_and_errors_are_one_line(comfy: Host, tmp_path: Path) -> None:
    me = tiny_performance(tmp_path / "me.performance")
    train = comfy.nodes["UnderstudyTrain"]
    assert "nobody has agreed yet" in train.validate_inputs(consent=" ")  # before anything is tracked
    assert train.validate_inputs(consent="I am it") is True and train.validate_inputs(consent=None) is True
    with pytest.raises(ConsentError) as refused:
        comfy.run("UnderstudyTrain", reference=me.path, preset="instant")
    assert "\n" not in str(refused.value)
    with pytest.raises(UsageError, match="batsch"):
        comfy.run("UnderstudyTrain", reference=me.path, consent="I am it", preset="instant", settings="batsch=1")
