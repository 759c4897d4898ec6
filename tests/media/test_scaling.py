"""The scaler's flags are those of FFmpeg, and only names are used that the oldest PyAV has which we ask for."""

import ast
from pathlib import Path

import pytest
from av.video.reformatter import Interpolation

import understudy
from understudy.media.scaling import ACCURATE_ROUNDING, FULL_CHROMA_INPUT, FULL_CHROMA_INTERPOLATION

SOURCES = sorted((Path(understudy.__file__).parent / "media").glob("*.py"))
OF_PYAV_17 = {
    "Interpolation": {"FAST_BILINEAR", "BILINEAR", "BICUBIC", "POINT", "AREA", "GAUSS", "LANCZOS", "SPLINE"},
    "Colorspace": {"ITU709", "FCC", "ITU601", "ITU624", "SMPTE170M", "SMPTE240M", "DEFAULT"},
}


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("FULL_CHR_H_INT", FULL_CHROMA_INTERPOLATION),
        ("FULL_CHR_H_INP", FULL_CHROMA_INPUT),
        ("ACCURATE_RND", ACCURATE_ROUNDING),
    ],
)
def test_the_flags_are_what_pyav_18_names(name: str, number: int) -> None:
    if not hasattr(Interpolation, name):
        pytest.skip("PyAV 17 has no names for them")
    assert getattr(Interpolation, name) == number


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_nothing_is_asked_of_pyav_that_its_version_17_lacks(path: Path) -> None:
    """It is the last for Python 3.10, where the package could not be imported at all."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in OF_PYAV_17:
            assert node.attr in OF_PYAV_17[node.value.id], ast.unparse(node)
