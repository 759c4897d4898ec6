"""A DensePose network as a TorchScript file: what it is shown, and whom it is believed about."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from understudy.body.surface_mesh import CHART
from understudy.errors import UsageError
from understudy.tracking.surface_chosen import surface_chosen
from understudy.tracking.surface_networks import SurfaceNetwork, laid_out, surface_network

FRONT, BACK = CHART["front"], CHART["back"]


def one_person(chart, u, v, size=8):
    """Scores of somebody who fills the box: coarse, fine, U, V."""
    coarse, fine = torch.zeros(2, size, size), torch.zeros(25, size, size)
    coarse[1], fine[chart] = 1, 1
    coordinates = torch.zeros(2, 25, size, size)
    coordinates[0, chart], coordinates[1, chart] = u, v
    return coarse, fine, coordinates[0], coordinates[1]


class Stub(nn.Module):
    """Finds two people, one at the left and one at the right; U is how blue the picture's first channel is."""

    def forward(self, picture: Tensor) -> dict[str, Tensor]:
        height, width = picture.shape[0], picture.shape[1]
        coarse, fine = torch.zeros(2, 2, 8, 8), torch.zeros(2, 25, 8, 8)
        coarse[:, 1], fine[0, 2], fine[1, 1] = 1.0, 1.0, 1.0
        u = torch.ones(2, 25, 8, 8) * picture[:, :, 0].float().mean() / 255
        v = torch.ones(2, 25, 8, 8) * 0.5
        half = width / 2
        boxes = torch.tensor([[0.0, 0.0, half, float(height)], [half, 0.0, float(width), float(height)]])
        return {
            "pred_boxes": boxes,
            "scores": torch.ones(2),
            "pred_densepose_coarse_segm": coarse,
            "pred_densepose_fine_segm": fine,
            "pred_densepose_u": u,
            "pred_densepose_v": v,
        }


class Classifier(nn.Module):
    def forward(self, picture: Tensor) -> Tensor:
        return picture.float().mean()


class WantsBatches(nn.Module):
    def forward(self, picture: Tensor) -> Tensor:
        return torch.conv2d(picture.float(), torch.ones(1, 3, 1, 1))


def saved(module, path):
    torch.jit.script(module).save(str(path))
    return path


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return surface_network(saved(Stub(), tmp_path_factory.mktemp("network") / "charts.pt"))


def matte_of(columns, side=32):
    matte = np.zeros((side, side), np.uint8)
    matte[:, columns] = 255
    return matte


@pytest.mark.parametrize(("columns", "chart"), [(slice(0, 15), FRONT), (slice(12, 32), BACK)])
def test_the_one_who_covers_the_matte_is_taken(network, columns, chart):
    blue = np.zeros((32, 32, 3), np.uint8)
    blue[..., 2] = 204
    surface = network(blue, matte_of(columns))
    half = slice(0, 16) if chart == FRONT else slice(16, 32)
    assert (surface[:, half, 0] == chart).all() and not np.delete(surface, np.r_[half], axis=1).any()
    # it is shown BGR: what is blue comes first
    assert (surface[:, half, 1] == 204).all() and (surface[:, half, 2] == 128).all()


def test_where_nobody_is_nobody_is_looked_for(network):
    assert not network(np.zeros((32, 32, 3), np.uint8), np.zeros((32, 32), np.uint8)).any()


def test_who_was_found_elsewhere_is_not_the_person():
    parts = [part[None] for part in one_person(FRONT, 0.5, 0.5)]
    found = SurfaceNetwork(lambda picture: [torch.tensor([[0.0, 0.0, 8.0, 32.0]]), *parts])
    frame = np.zeros((32, 32, 3), np.uint8)
    assert not found(frame, matte_of(slice(16, 32))).any()
    assert found(frame, matte_of(slice(0, 8))).any()


def test_nobody_found_is_no_error():
    empty = [torch.zeros(0, 4), torch.zeros(0, 2, 8, 8), *[torch.zeros(0, 25, 8, 8)] * 3]
    surface = SurfaceNetwork(lambda picture: empty)(np.zeros((32, 32, 3), np.uint8), matte_of(slice(0, 32)))
    assert surface.shape == (32, 32, 3) and not surface.any()


def test_a_box_is_laid_where_it_is_and_cut_at_the_edges():
    whole = laid_out(torch.tensor([-4.0, 20.0, 12.0, 40.0]), *one_person(FRONT, 1.0, 0.25), (32, 48))
    expected = np.zeros((32, 48), bool)
    expected[20:, :12] = True
    np.testing.assert_array_equal(whole[..., 0] == FRONT, expected)
    assert (whole[expected] == (FRONT, 255, 64)).all() and not whole[~expected].any()


def test_the_coarse_scores_say_where_nobody_is():
    coarse, fine, u, v = one_person(BACK, 0.5, 0.5)
    coarse[0, :, :4] = 5
    whole = laid_out(torch.tensor([0.0, 0.0, 8.0, 8.0]), coarse, fine, u, v, (8, 8))
    assert not whole[:, :4].any() and (whole[:, 4:, 0] == BACK).all()


@pytest.mark.parametrize(
    ("module", "message"),
    [
        pytest.param(Classifier(), "does not give pred_boxes, pred_densepose_coarse_segm", id="another network"),
        pytest.param(WantsBatches(), r"takes no \(H, W, 3\) uint8 picture", id="another input"),
    ],
)
def test_what_is_no_densepose_is_told_in_a_line(tmp_path, module, message):
    network = surface_network(saved(module, tmp_path / "other.pt"))
    with pytest.raises(UsageError, match=message) as raised:
        network(np.zeros((32, 32, 3), np.uint8), matte_of(slice(0, 32)))
    assert "\n" not in str(raised.value) and "other.pt" in str(raised.value)


def test_other_numbers_of_charts_are_told():
    given = [torch.zeros(1, 4), torch.zeros(1, 2, 8, 8), *[torch.zeros(1, 15, 8, 8)] * 3]
    with pytest.raises(UsageError, match="and DensePose boxes and 25 charts"):
        SurfaceNetwork(lambda picture: given)(np.zeros((32, 32, 3), np.uint8), matte_of(slice(0, 32)))


def test_what_surface_names_is_looked_at_before_anything_is_tracked(tmp_path):
    assert surface_chosen("auto") == ("auto", None)
    path = saved(Stub(), tmp_path / "charts.torchscript")
    choice = surface_chosen(str(path))
    assert (choice.kind, choice.path, choice.name) == ("network", path, "network")
    (tmp_path / "broken.pt").write_bytes(b"no network")
    with pytest.raises(UsageError, match=r"broken\.pt is no TorchScript network") as raised:
        surface_chosen(str(tmp_path / "broken.pt"))
    assert "\n" not in str(raised.value)
    with pytest.raises(UsageError, match="which is not there: give auto"):
        surface_chosen(str(tmp_path / "none.pt"))
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(UsageError, match="neither a network nor surface maps"):
        surface_chosen(str(tmp_path / "notes.txt"))
