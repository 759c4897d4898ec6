"""Every option of every command, as it is typed and as the public function gets it; nothing is lost or changed."""

from __future__ import annotations

import inspect
from functools import wraps
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import understudy
from understudy.cli import main as cli
from understudy.cli.reading import COMMANDS, OTHERWISE, POSITIONAL, PYTHON_ONLY, VERBS, command

# how a clip is read and tracked, as typed and as given
OF_THE_REFERENCE = (
    " --reference-start 1.5 --reference-end 9 --reference-rotate 180 --reference-region 1,2,30,40 "
    "--reference-poses mine.json --reference-matte green --reference-tolerate-damage",
    {
        "reference_start": 1.5, "reference_end": 9.0, "reference_rotate": 180, "reference_region": (1, 2, 30, 40),
        "reference_poses": Path("mine.json"), "reference_matte": "green", "reference_tolerate_damage": True,
    },
)  # fmt: skip
OF_THE_DRIVER = (
    " --driving-start 2 --driving-end 8.25 --driving-rotate 270 --driving-region 5,6,70,80 "
    "--driving-poses theirs.json --driving-matte matte.mp4 --driving-tolerate-damage",
    {
        "driving_start": 2.0, "driving_end": 8.25, "driving_rotate": 270, "driving_region": (5, 6, 70, 80),
        "driving_poses": Path("theirs.json"), "driving_matte": "matte.mp4", "driving_tolerate_damage": True,
    },
)  # fmt: skip

# function: what is typed, the command first, and what the function is given
TABLE: dict[str, tuple[str, dict[str, Any]]] = {
    "clone": (
        "clone --reference me.mp4 --driving dance.mp4 --output out.mp4 --unpaired a.mp4 b.performance --recipe pix2pix "
        "--preset fast --resume --overwrite --max-minutes 2.5 --max-steps 7 --memory-gb 1.5 --seed 3 "
        "--normalization ground --variant FBF --set steps=5 --set rotate=0 "
        "--background #102030 --compare --fit whole --missing-limbs crop --no-marks --sign-cert c.pem --sign-key k.pem "
        "--label corner --consent me --device cpu"
        + OF_THE_REFERENCE[0] + OF_THE_DRIVER[0],
        {
            "reference": Path("me.mp4"), "driving": Path("dance.mp4"), "output": Path("out.mp4"),
            "unpaired": (Path("a.mp4"), Path("b.performance")), "recipe": "pix2pix", "preset": "fast",
            "resume": True, "overwrite": True, "max_minutes": 2.5, "max_steps": 7, "memory_gb": 1.5, "seed": 3,
            "normalization": "ground", "variant": "FBF",
            "settings": ("steps=5", "rotate=0"),
            "background": "#102030", "compare": True, "fit": "whole", "missing_limbs": "crop", "marks": False,
            "sign_cert": Path("c.pem"), "sign_key": Path("k.pem"), "label": "corner", "consent": "me", "device": "cpu",
            **OF_THE_REFERENCE[1], **OF_THE_DRIVER[1],
        },
    ),
    "track": (
        "track me.mp4 --output me.performance --tracker rtmlib --landmarks wholebody --poses poses.json "
        "--region 900,100,500,900 --start 5 --end 65.5 --matte green --size 512 --no-smooth --strict --tolerate-damage "
        "--rotate 90 --double-rate --parsing lip:people.onnx --surface charts.pt "
        "--inpainter lama:big.onnx",
        {
            "video": Path("me.mp4"), "output": Path("me.performance"), "tracker": "rtmlib", "landmarks": "wholebody",
            "poses": Path("poses.json"), "region": (900, 100, 500, 900), "start": 5.0, "end": 65.5, "matte": "green",
            "size": 512, "smooth": False, "strict": True, "tolerate_damage": True, "rotate": 90,
            "double_rate": True, "parsing": "lip:people.onnx", "surface": "charts.pt", "inpainter": "lama:big.onnx",
        },
    ),
    "train": (
        "train --reference me.mp4 --output me.actor --unpaired poses choreography:3 --recipe poses-in-the-wild "
        "--preset paper --resume --overwrite --max-minutes 10 --max-steps 20 --memory-gb 0 --seed 4 "
        "--normalization similarity "
        "--variant PL-Stage1-DA --set optimisation.batch=2 --consent me --device cuda"
        + OF_THE_REFERENCE[0],
        {
            "reference": Path("me.mp4"), "output": Path("me.actor"),
            "unpaired": (Path("poses"), Path("choreography:3")), "recipe": "poses-in-the-wild", "preset": "paper",
            "resume": True, "overwrite": True, "max_minutes": 10.0, "max_steps": 20,
            "memory_gb": 0.0, "seed": 4,
            "normalization": "similarity", "variant": "PL-Stage1-DA", "settings": ("optimisation.batch=2",),
            "consent": "me", "device": "cuda", **OF_THE_REFERENCE[1],
        },
    ),
    "perform": (
        "perform --actor me.actor --actor you.actor --assign left=a.actor --assign 2=b=c.actor --driving dance.mp4 "
        "--output out.webm --layout stage "
        "--background transparent --normalization ground --compare --fit whole --missing-limbs fade "
        "--no-marks --sign-cert c.pem --sign-key k.pem --label corner --device mps"
        + OF_THE_DRIVER[0],
        {
            "actor": (Path("me.actor"), Path("you.actor")), "driving": Path("dance.mp4"), "output": Path("out.webm"),
            "assign": {"left": Path("a.actor"), "2": Path("b=c.actor")},
            "layout": "stage", "background": "transparent", "normalization": "ground", "compare": True,
            "fit": "whole", "missing_limbs": "fade", "marks": False, "sign_cert": Path("c.pem"),
            "sign_key": Path("k.pem"), "label": "corner", "device": "mps", **OF_THE_DRIVER[1],
        },
    ),
    "live": (
        "live --actor me.actor --actor you.actor --camera 1 --driving dance.mp4 --loop --poses vmc --osc 9001 "
        "--websocket 0 --output out.mp4 --mjpeg 0 --window --virtual-camera --background black --background room.png "
        "--mirror --no-hold-feet --mend never --long-side 640 --calibration 2.5 --seconds 60 --no-label --no-marks "
        "--device cpu",
        {
            "actor": (Path("me.actor"), Path("you.actor")), "camera": 1, "driving": Path("dance.mp4"), "loop": True,
            "poses": "vmc", "osc": 9001, "websocket": 0, "output": Path("out.mp4"), "mjpeg": 0, "window": True,
            "virtual_camera": True, "background": ("black", "room.png"), "mirror": True, "hold_feet": False,
            "mend": "never", "long_side": 640, "calibration": 2.5, "seconds": 60.0, "label": False,
            "marks": False, "device": "cpu",
        },
    ),
    "batch": (
        "batch jobs.json --actors me.actor you.actor --drivings dance.mp4 walk.bvh --output-folder out --workers 3 "
        "--threads 2 --ray auto",
        {
            "jobs": Path("jobs.json"), "actors": (Path("me.actor"), Path("you.actor")),
            "drivings": (Path("dance.mp4"), Path("walk.bvh")), "output_folder": Path("out"), "workers": 3,
            "threads": 2, "ray": "auto",
        },
    ),
    "studio": (
        "studio dances --port 8000 --host 0.0.0.0 --auth anna --upload-gb 2 --folder-gb 20 --task-hours 3 --no-browser",
        {
            "folder": Path("dances"), "port": 8000, "host": "0.0.0.0", "auth": "anna", "upload_gb": 2.0,
            "folder_gb": 20.0, "task_hours": 3.0, "browser": False,
        },
    ),
    "export": (
        "export --actor me.actor --output me.xml --for openvino --int8 me.performance --overwrite",
        {
            "actor": Path("me.actor"), "output": Path("me.xml"), "runtime": "openvino", "int8": Path("me.performance"),
            "overwrite": True,
        },
    ),
    "reenact": (
        "perform --person anna.jpg --person ben.jpg --driving dance.mp4 --output out.webm --model my.freestyle "
        "--layout stage --background transparent --normalization ground --compare --fit whole --missing-limbs fade "
        "--inpainter smooth --no-marks --sign-cert c.pem --sign-key k.pem --label corner --consent both --device mps"
        + OF_THE_DRIVER[0],
        {
            "person": (Path("anna.jpg"), Path("ben.jpg")), "driving": Path("dance.mp4"), "output": Path("out.webm"),
            "model": Path("my.freestyle"), "layout": "stage", "background": "transparent", "normalization": "ground",
            "compare": True, "fit": "whole", "missing_limbs": "fade", "inpainter": "smooth", "consent": "both",
            "marks": False, "sign_cert": Path("c.pem"), "sign_key": Path("k.pem"),
            "label": "corner", "device": "mps", **OF_THE_DRIVER[1],
        },
    ),
    "train_freestyle": (
        "train-freestyle --output my.freestyle --people made-up:3 --video-data VIP --image-data MHP CIHP "
        "--reference me.mp4 you.performance --preset preview "
        "--variant painted --set steps=5,5,5 --resume --overwrite --max-minutes 2.5 --max-steps 7 --seed 3 "
        "--consent me --device cpu",
        {
            "output": Path("my.freestyle"), "people": "made-up:3", "video_data": (Path("VIP"),),
            "image_data": (Path("MHP"), Path("CIHP")),
            "reference": (Path("me.mp4"), Path("you.performance")), "preset": "preview", "variant": "painted",
            "settings": ("steps=5,5,5",), "resume": True, "overwrite": True, "max_minutes": 2.5, "max_steps": 7,
            "seed": 3, "consent": "me", "device": "cpu",
        },
    ),
    "coverage": (
        "coverage --reference me.mp4 --driving dance.mp4 --output report.html --gamma 6.5 --scale-by hips"
        + OF_THE_REFERENCE[0] + OF_THE_DRIVER[0],
        {
            "reference": Path("me.mp4"), "driving": Path("dance.mp4"), "output": Path("report.html"), "gamma": 6.5,
            "scale_by": "hips", **OF_THE_REFERENCE[1], **OF_THE_DRIVER[1],
        },
    ),
    "evaluate": (
        "evaluate --reference me.mp4 --output report --recipes pix2pix cyclegan --preset fast --max-minutes 4 "
        "--actor me.actor --driving held_out.mp4 --unpaired a.mp4 b.mp4 --train-share 0.75 --gap 1.5 --seed 9 "
        "--set rotate=0 --consent me --device cpu --rotate 180",
        {
            "reference": Path("me.mp4"), "output": Path("report"), "recipes": ("pix2pix", "cyclegan"),
            "preset": "fast", "max_minutes": 4.0, "actor": Path("me.actor"), "driving": Path("held_out.mp4"),
            "unpaired": (Path("a.mp4"), Path("b.mp4")), "train_share": 0.75, "gap": 1.5, "seed": 9,
            "settings": ("rotate=0",), "consent": "me",
            "device": "cpu", "rotate": 180,
        },
    ),
    "fix": (
        "fix dance.performance --move left_wrist --frame 120 --to 320,240.5 --exchange arms --delete nose left_eye "
        "--interpolate left_elbow 9 --from-frame 10 --to-frame 20 --undo --redo",
        {
            "performance": Path("dance.performance"), "move": "left_wrist", "frame": 120, "to": (320.0, 240.5),
            "exchange": "arms", "delete": ("nose", "left_eye"), "interpolate": ("left_elbow", "9"), "from_frame": 10,
            "to_frame": 20, "undo": True, "redo": True,
        },
    ),
    "study": (
        "study --pairs a.mp4 b.mp4 --videos c.mp4 d.mp4 --real e.mp4 f.mp4 --labels ours theirs --seconds 7.5 "
        "--seed 6 --output study",
        {
            "pairs": (Path("a.mp4"), Path("b.mp4")), "videos": (Path("c.mp4"), Path("d.mp4")),
            "real": (Path("e.mp4"), Path("f.mp4")), "labels": ("ours", "theirs"), "seconds": 7.5, "seed": 6,
            "output": Path("study"),
        },
    ),
    "study_results": (
        "study --results one.json two.json --study study --output results.json",
        {"results": (Path("one.json"), Path("two.json")), "study": Path("study"), "output": Path("results.json")},
    ),
    "detect": (
        "detect dance.mp4 --output verdict --detector my.safetensors --device cpu --rotate 270 --no-sandbox",
        {
            "video": Path("dance.mp4"), "output": Path("verdict"), "detector": Path("my.safetensors"), "device": "cpu",
            "rotate": 270, "sandbox": False,
        },
    ),
    "verify": (
        "verify out.mp4 frames --json --detect --no-sandbox",
        {"files": (Path("out.mp4"), Path("frames")), "json": True, "detect": True, "sandbox": False},
    ),
    "inspect": (
        "inspect me.actor --output sheet.png --driving dance.mp4 --rotate 90",
        {"thing": Path("me.actor"), "output": Path("sheet.png"), "driving": Path("dance.mp4"), "rotate": 90},
    ),
    "licences": ("licences", {}),
    "forget": ("forget me.actor --yes", {"actor": Path("me.actor"), "yes": True}),
    "convert_poses": (
        "poses me.performance me.json --to coco --fps 12.5 --size 640x480 --person 1",
        {
            "given": Path("me.performance"), "output": Path("me.json"), "to": "coco", "fps": 12.5, "size": "640x480",
            "person": "1",
        },
    ),
    "list_recipes": ("recipes pix2pix", {"name": "pix2pix"}),
    "weights": ("weights check vgg", {"action": "check", "title": "vgg"}),
    "demo": (
        "demo --output made --minutes 1.5 --seed 2 --sign-cert c.pem --sign-key k.pem",
        {
            "output": Path("made"), "minutes": 1.5, "seed": 2, "sign_cert": Path("c.pem"), "sign_key": Path("k.pem"),
        },
    ),
}  # fmt: skip

# what must be typed at least, where that is more than the command
LEAST = {
    "live": "--actor me.actor",
    "clone": "--reference me.mp4 --driving dance.mp4 --output out.mp4",
    "track": "me.mp4 --output me.performance",
    "train": "--reference me.mp4 --output me.actor",
    "perform": "--actor me.actor --driving dance.mp4 --output out.mp4",
    "export": "--actor me.actor --output me.onnx",
    "reenact": "--person photo.jpg --driving dance.mp4 --output out.mp4",
    "train_freestyle": "--output my.freestyle",
    "coverage": "--reference me.mp4 --driving dance.mp4",
    "study": "--output study",
    "study_results": "--results one.json",
    "detect": "dance.mp4",
    "verify": "out.mp4",
    "inspect": "me.actor",
    "fix": "dance.performance",
    "forget": "me.actor",
    "convert_poses": "me.performance me.json",
}


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """What every public function is called with, instead of being run."""
    calls: dict[str, dict[str, Any]] = {}
    answer = SimpleNamespace(
        header=SimpleNamespace(frames=1, found=1), key=SimpleNamespace(items=[]), summary=lambda: "", sheet=Path("s"),
        clone=Path("c"), comparison=Path("c"), exit_code=0, frames=1,
    )  # fmt: skip

    def stub(name: str) -> None:
        @wraps(getattr(understudy, name))
        def received(**asked: Any) -> Any:
            calls[name] = asked
            return () if name == "export" else answer

        monkeypatch.setattr(understudy, name, received)

    for name in TABLE:
        stub(name)
    return calls


def typed_parameters(name: str) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(getattr(understudy, name)).parameters
    return {key: one for key, one in parameters.items() if key not in PYTHON_ONLY}


def run(line: str) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(line.split())
    assert not left.value.code


@pytest.mark.parametrize("name", TABLE)
def test_the_function_gets_what_was_typed(given: dict[str, dict[str, Any]], name: str) -> None:
    line, expected = TABLE[name]
    run(line)
    assert given == {name: expected}
    types = {key: type(value) for key, value in expected.items() if not isinstance(value, Path)}
    assert {key: type(given[name][key]) for key in types} == types


@pytest.mark.parametrize("name", TABLE)
def test_what_is_not_typed_is_as_the_function_has_it(given: dict[str, dict[str, Any]], name: str) -> None:
    typed, asked = TABLE[name][0].split()[0], TABLE[name][1]
    run(f"{typed} {LEAST.get(name, '')}")
    parameters = typed_parameters(name)
    left_out = {key: one.default for key, one in parameters.items() if one.default is not inspect.Parameter.empty}
    assert given[name].keys() == parameters.keys()
    optional = {key: given[name][key] for key in left_out}
    words = LEAST.get(name, "").split()
    for key in list(left_out):
        if f"--{key.replace('_', '-')}" in words or (key in POSITIONAL.get(typed, ()) and words):
            del left_out[key], optional[key]
    assert optional == left_out
    # every row of the table types something else, so a lost option would be seen
    assert [key for key, default in left_out.items() if asked[key] == default] == []


def test_the_table_has_every_parameter_of_every_public_function() -> None:
    functions = {VERBS.get(name, name) for name in COMMANDS} | set(OTHERWISE.values())
    assert functions == TABLE.keys()
    assert functions == {name for name in understudy.__all__ if inspect.isfunction(getattr(understudy, name))}
    for name in functions:
        assert TABLE[name][1].keys() == typed_parameters(name).keys()


@pytest.mark.parametrize("words", ["me.mp4 --output x --parsing --surface", "--parsing --surface --output x me.mp4"])
def test_maps_are_made_by_ourselves_unless_it_is_said_by_whom(given: dict[str, dict[str, Any]], words: str) -> None:
    run(f"track {words}")
    asked = given["track"]
    assert (asked["video"], asked["parsing"], asked["surface"]) == (Path("me.mp4"), "auto", "auto")


def test_a_second_word_is_not_lost(given: dict[str, dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["track", "me.mp4", "--output", "x", "--parsing", "lip:a.onnx", "b.onnx"])
    assert left.value.code == 2 and not given
    assert "more than one word" in "".join(capsys.readouterr())


def test_one_actor_is_a_sequence_of_one(given: dict[str, dict[str, Any]]) -> None:
    run(f"perform {LEAST['perform']}")
    assert given["perform"]["actor"] == (Path("me.actor"),)


def test_no_actor_and_no_recipes_are_for_the_functions_to_refuse(given: dict[str, dict[str, Any]]) -> None:
    run("perform --driving dance.mp4 --output out.mp4")
    assert given["perform"]["actor"] == ()
    run("evaluate --recipes")
    assert given["evaluate"]["recipes"] == ()


def test_words_are_read_like_this() -> None:
    kinds = {option.name: option for name in COMMANDS for option in command(name).options}
    assert kinds["max_minutes"].read is not None and kinds["max_minutes"].read("3") == 3.0
    assert kinds["smooth"].typed == "--no-smooth" and kinds["resume"].typed == "--resume"
    assert kinds["unpaired"].many and not kinds["reference"].many
