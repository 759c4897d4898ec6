"""Nodes: an actor learnt from a performance, and one that was learnt before."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import comfy.model_management
from comfy_api.latest import io

from . import kinds, pictures, places, work

if TYPE_CHECKING:
    from understudy.base.arguments import Preset

RECIPES = ("copy-then-refine", "limb-warp", "performance-cloning", "everybody-dance-now", "poses-in-the-wild")
PRESETS = ("instant", "preview", "fast", "paper")


class Train(io.ComfyNode):
    """A performance to an actor."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="UnderstudyTrain",
            display_name="Train actor (understudy)",
            category=kinds.CATEGORY,
            description="Learns the person of a performance. Stopped with ComfyUI's cross it saves, and goes on when "
            "it is queued again. Actors stay in output/understudy/actors.",
            inputs=[
                kinds.Performance.Input("reference", tooltip="Whose looks are learnt."),
                io.String.Input(
                    "consent",
                    multiline=True,
                    default="",
                    placeholder="who agreed to be learnt, and to what",
                    tooltip="Who agreed to be learnt, and to what, for example: I am the person in me.mp4. It is kept "
                    "in the actor and told by every video of it. Nothing is trained without.",
                ),
                io.String.Input(
                    "name", default="", optional=True, tooltip="What to call the actor; empty: as its reference."
                ),
                io.Combo.Input(
                    "recipe",
                    options=list(RECIPES),
                    default=RECIPES[0],
                    tooltip="The method. The first is ours and the usual one; the last three are of papers, and have "
                    "no preset instant.",
                ),
                io.Combo.Input(
                    "preset",
                    options=list(PRESETS),
                    default=PRESETS[0],
                    tooltip="instant: within seconds, nothing is trained. preview: minutes on a CPU. fast: longer and "
                    "larger. paper: all of the paper's numbers.",
                ),
                io.Float.Input(
                    "max_minutes",
                    default=0.0,
                    min=0.0,
                    step=1.0,
                    tooltip="Stop after this much training, all parts together; 0: when it is done. Raise it later and "
                    "it goes on from there.",
                ),
                # not called "seed": ComfyUI's page changes a number of that name after every run, to train anew
                io.Int.Input("training_seed", default=0, min=0, max=2**31 - 1, tooltip="Of everything random."),
                kinds.Performance.Input(
                    "unpaired",
                    optional=True,
                    tooltip="Somebody else, whose motion is learnt from as well, if the recipe does that: best what "
                    "will be performed.",
                ),
                io.String.Input(
                    "settings",
                    multiline=True,
                    default="",
                    optional=True,
                    tooltip="Numbers of the recipe to change, a line each: NAME=VALUE, for example "
                    "optimisation.batch=4. `understudy recipes NAME` lists them.",
                ),
            ],
            outputs=[
                kinds.Actor.Output("actor", "actor", tooltip="The person, ready to perform."),
                io.String.Output("summary", "summary", tooltip="Recipe, steps, losses and consent."),
            ],
            hidden=[io.Hidden.unique_id],
            is_output_node=True,
        )

    @classmethod
    def validate_inputs(cls, consent: str | None = None) -> bool | str:
        """Asked before anything of the workflow runs; None: another node will say it."""
        said = consent is None or consent.strip()
        return bool(said) or "nobody has agreed yet: write into `consent` who did, and to what"

    @classmethod
    async def execute(
        cls,
        reference: Path,
        consent: str,
        recipe: str,
        preset: Preset,
        max_minutes: float,
        training_seed: int,
        name: str = "",
        unpaired: Path | None = None,
        settings: str = "",
    ) -> io.NodeOutput:
        changed = [line.strip() for line in settings.splitlines() if line.strip()]

        def do() -> io.NodeOutput:
            made = trained(reference, consent, name, recipe, preset, max_minutes, training_seed, unpaired, changed)
            return shown(made)

        return await work.worked(cls.hidden.unique_id, do)


class LoadActor(io.ComfyNode):
    """An actor that lies on the disk."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="UnderstudyLoadActor",
            display_name="Load actor (understudy)",
            category=kinds.CATEGORY,
            description="An actor that was trained before, also by the command line.",
            inputs=[
                io.Combo.Input(
                    "actor_name",
                    options=places.there("actors", ".actor"),
                    tooltip="Those in output/understudy/actors and in ComfyUI's input folder.",
                ),
                io.String.Input("path", default="", optional=True, tooltip="Instead of the list: its path."),
            ],
            outputs=[kinds.Actor.Output("actor", "actor", tooltip="The person, ready to perform.")],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def fingerprint_inputs(cls, actor_name: str | None = None, path: str | None = None) -> Any:
        return places.state_of(places.chosen("actors", actor_name, path))

    @classmethod
    async def execute(cls, actor_name: str, path: str = "") -> io.NodeOutput:
        def do() -> io.NodeOutput:
            import understudy

            actor = places.chosen("actors", actor_name, path)
            understudy.Actor.load(actor)  # else it would be said only when it performs
            return io.NodeOutput(actor)

        return await work.worked(cls.hidden.unique_id, do)


def trained(
    reference: Path,
    consent: str,
    name: str,
    recipe: str,
    preset: Preset,
    max_minutes: float,
    seed: int,
    unpaired: Path | None,
    settings: list[str],
) -> Path:
    """The actor of all this, trained as far as it was not.

    Its name stands for everything but the time and the consent, so that a training that was stopped, or given more
    time, is found again and goes on.

    Raises:
        UnderstudyError: as `understudy.train`; `ConsentError` if nobody agreed.
    """
    import understudy

    performances = [understudy.Performance.load(path) for path in (reference, unpaired) if path is not None]
    who = [(one.header.identity, one.header.files) for one in performances]
    facts = (who, recipe, preset, seed, sorted(settings))
    called = places.new_name(name, Path(performances[0].header.source_name).stem, *facts)
    output = places.made("actors") / f"{called}.actor"
    comfy.model_management.unload_all_models()  # what ComfyUI holds of the GPU's memory
    understudy.train(
        performances[0],
        output,
        unpaired=performances[1:],
        recipe=recipe,
        preset=preset,
        resume=True,
        max_minutes=max_minutes or None,
        seed=seed,
        settings=settings,
        consent=consent,
        device=work.device(),
    )
    return output


def shown(actor: Path) -> io.NodeOutput:
    """An actor, and what is to be seen of it."""
    sheet, text = pictures.inspected(actor)
    return io.NodeOutput(actor, text, ui={"images": [pictures.saved(sheet)], "text": (text,)})
