import pytest
import torch
from torch import nn

from understudy.networks.frame_generator import Frame, FrameGenerator, Said, blended, chosen, enlarged, moved
from understudy.networks.unet import initialise

SMALL = {"first": 6, "widths": (6, 5, 4), "hidden": 4}  # 32 pixels high


def small(**changes):
    torch.manual_seed(3)
    return FrameGenerator(7, 3, **({"size_hw": (32, 20)} | SMALL | changes))


def copies(count=2, size_hw=(32, 20), batch=2):
    alpha = torch.rand(batch, count, 1, *size_hw)
    return torch.cat([torch.rand(batch, count, 3, *size_hw) * alpha, alpha], 2)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"size_hw": (32, 32)},
        {"size_hw": (64, 40), "shuffled": 2},
        {"shared": True},
        {"copies": 2, "most_flow": 2.0},
    ],
    ids=["portrait", "square", "shuffled", "shared", "copies"],
)
def test_a_frame_and_its_mask_have_the_size_and_stay_in_range(changes):
    network = small(**changes)
    copied = copies() if "copies" in changes else None
    frame = network(torch.randn(2, 7) * 5, torch.rand(2, 3, *network.size_hw), copied)
    assert frame.z.shape == (2, 3, *network.size_hw) and frame.z.abs().max() <= 1
    assert frame.mask.shape == frame.painted.shape == (2, 1, *network.size_hw)
    assert frame.mask.min() > 0 and frame.mask.max() < 1


def test_the_printed_sizes():
    with torch.device("meta"):
        network = FrameGenerator(4096, 27)
    assert network.looks.in_features == 4096 and network.looks.out_features == 4 * 4 * 1024
    assert len(network.blocks) == 7
    assert network.sizes == [(8, 8), (16, 10), (32, 20), (64, 40), (128, 80), (256, 160), (512, 320)]
    assert network.cut_at == 1
    assert [block.convolutions[1].out_channels for block in network.blocks] == [1024, 1024, 512, 256, 128, 64, 32]
    assert network.output.out_channels == 4


def test_a_person_is_embedded_once_for_many_poses():
    network = small().eval()
    e_z, labels = torch.randn(1, 7), torch.rand(3, 3, 32, 20)
    tensor = network.tensor(e_z)
    assert tensor.shape == (1, 6, 4, 4)
    together = network.decode(tensor, labels)
    alone = network(e_z, labels[1:2])
    assert torch.allclose(together.z[1:2], alone.z, atol=1e-5) and torch.allclose(together.mask[1:2], alone.mask)
    other = network(torch.randn(1, 7), labels[1:2])
    assert not torch.allclose(other.z, alone.z, atol=1e-3)  # who it is matters


def test_the_cut_is_the_middle_and_labels_lie_where_they_are():
    """A network that only adds up what it sees shows the labels, doubled from every size, at their place."""
    network = small(widths=(1, 1, 1), first=1, hidden=1).double()
    for block in network.blocks:
        block.forward = lambda x, seen: x[..., : seen.shape[-1]] + seen[:, :1]
    nn.init.zeros_(network.output.weight)
    nn.init.zeros_(network.output.bias)
    network.output.weight.data[3, 0, 1, 1] = 1.0
    labels = torch.zeros(1, 3, 32, 20, dtype=torch.float64)
    labels[:, 0, 24:28, 12:16] = 1.0
    frame = network.decode(torch.zeros(1, 1, 4, 4, dtype=torch.float64), labels)
    shown = torch.logit(frame.mask[0, 0])
    # 1 of the picture's size, 1 of half of it, and of a quarter 1/2: the cut leaves the middle of two places of it
    assert shown.max().item() == shown[25, 13].item() == pytest.approx(2.5)
    assert shown[:16].abs().max() < 1e-6 and shown[16:24, :8].abs().max() < 1e-6
    assert shown[24:28, 12:16].min() == shown[24:28, 12:16].max()


def test_columns_are_cut_off_as_soon_as_they_come_out_whole_and_even():
    network = small(size_hw=(32, 16))
    assert network.sizes == [(8, 4), (16, 8), (32, 16)] and network.cut_at == 0
    network = small()
    assert network.sizes == [(8, 8), (16, 10), (32, 20)] and network.cut_at == 1


def test_a_part_alone_is_what_it_is_in_the_whole_picture():
    network = FrameGenerator(6, 5, (64, 64), first=4, widths=(6, 6, 5, 4), hidden=4, copies=1).eval()
    random = torch.Generator().manual_seed(0)
    labels, copied = torch.zeros(1, 5, 64, 64), torch.zeros(1, 1, 4, 64, 64)
    labels[:, 0] = 1
    labels[..., 10:, 6:58] = torch.rand(1, 5, 54, 52, generator=random)
    copied[..., 10:, 6:58] = torch.rand(1, 1, 4, 54, 52, generator=random)
    tensor = network.tensor(torch.randn(1, 6, generator=random))
    whole = network.say(tensor, labels, copied)
    assert network.grain == 2
    part = (slice(10, 64), slice(6, 58))
    some = network.say(tensor, labels[(..., *part)], copied[(..., *part)], part=part)
    margin = 14
    for one, all_of_it in zip(some, whole, strict=True):
        assert one.shape[-2:] == (54, 52)
        inside = all_of_it[..., 10 + margin :, 6 + margin : 58 - margin]
        assert torch.allclose(one[..., margin:, margin:-margin], inside, atol=1e-5)
    whole_side = slice(0, 64)
    for wrong in (slice(1, 5), slice(0, 66), slice(8, 8), slice(-2, 8)):
        for part in ((whole_side, wrong), (wrong, whole_side)):
            with pytest.raises(ValueError, match="no part of the picture"):
                network.say(tensor, labels, copied, part=part)


def test_where_nothing_is_to_be_copied_all_is_painted():
    z, logits = torch.rand(1, 3, 2, 2) * 2 - 1, torch.tensor([50.0, 50.0, -50.0]).view(1, 3, 1, 1).expand(1, 3, 2, 2)
    nothing = torch.zeros(1, 2, 4, 2, 2)
    mixed, painted = chosen(z, nothing, logits)
    assert torch.allclose(mixed, z) and torch.equal(painted, torch.ones(1, 1, 2, 2))


def test_the_choice_by_hand():
    z = torch.full((1, 3, 1, 1), -1.0)
    white, half = torch.ones(4), torch.tensor([0.25, 0.25, 0.25, 0.5])  # the second: grey, half seen through
    copied = torch.stack([white, half]).view(1, 2, 4, 1, 1)
    mixed, painted = chosen(z, copied, torch.zeros(1, 3, 1, 1))
    # weights 1, 1/2 and 1 of white (1), grey (0) and black (-1)
    assert mixed.flatten().tolist() == pytest.approx([0.0] * 3, abs=1e-6)
    assert painted.item() == pytest.approx(0.4)
    mixed, painted = chosen(z, copied, torch.tensor([4.0, -4.0, -4.0]).view(1, 3, 1, 1))
    assert mixed.min() > 0.95 and painted < 0.03


def test_copies_are_looked_up_by_the_flow_and_stay_premultiplied():
    copied = copies(batch=1)
    assert torch.allclose(moved(copied, torch.zeros(1, 2, 32, 20)), copied, atol=1e-5)
    flow = torch.zeros(1, 2, 32, 20)
    flow[:, 0], flow[:, 1] = 3, -2
    found = moved(copied, flow)
    assert torch.allclose(found[..., 5:-5, 5:-5], copied[..., 3:-7, 8:-2], atol=1e-5)
    found = moved(copied, flow + 0.37)
    assert (found[:, :, :3] <= found[:, :, 3:] + 1e-6).all() and found.min() >= 0 and found.max() <= 1


def test_a_hint_of_flow_is_none_when_played():
    network = small(copies=2, most_flow=3.0).eval()
    nn.init.zeros_(network.output.weight)
    labels, copied, tensor = torch.rand(1, 3, 32, 20), copies(batch=1), torch.randn(1, 6, 4, 4)

    def frame(flow, **how):
        bias = torch.zeros(9)  # z, m, three logits, flow
        bias[4:7] = torch.tensor([0.0, 1.0, 2.0])  # all alike
        bias[7:] = torch.atanh(torch.tensor(flow) / 3.0)
        network.output.bias.data.copy_(bias)
        return network.decode(tensor, labels, copied, **how).z

    still = frame([0.0, 0.0])
    assert torch.allclose(frame([0.6, 0.6], played=True), still, atol=1e-5)
    assert not torch.allclose(frame([0.6, 0.6]), still, atol=1e-3)
    assert torch.allclose(frame([2.0, 2.0], played=True), frame([2.0, 2.0]), atol=1e-5)


def test_a_network_that_has_learnt_nothing_copies_the_sharpest():
    network = small(copies=2)
    nn.init.zeros_(network.output.weight)
    nn.init.zeros_(network.output.bias)
    copied = torch.ones(1, 2, 4, 32, 20)
    copied[:, 1, :3] = 0.0
    frame = network(torch.randn(1, 7), torch.rand(1, 3, 32, 20), copied)
    shares = torch.softmax(torch.tensor([2.0, 1.0, 0.0]), 0)
    assert frame.painted.mean().item() == pytest.approx(shares[2].item(), abs=0.01)
    assert frame.z.mean().item() == pytest.approx((shares[0] - shares[1]).item(), abs=0.02)


def test_what_is_said_of_a_picture_is_said_of_a_larger_one():
    """Places lie as many times as far apart; shares and colours stay."""
    flow = torch.tensor([1.5, -2.0]).view(1, 2, 1, 1).expand(1, 2, 4, 6)
    said = Said(torch.full((1, 3, 4, 6), 0.25), torch.full((1, 1, 4, 6), 0.5), torch.full((1, 3, 4, 6), 2.0), flow)
    large = enlarged(said, 3)
    assert large.z.shape == (1, 3, 12, 18) and large.flow[0, :, 5, 5].tolist() == pytest.approx([4.5, -6.0])
    values = [maps.unique().tolist() for maps in (large.z, large.mask, large.logits)]
    assert values == [[0.25], [0.5], [2.0]]
    assert enlarged(said, 1) is said


def test_everything_learns():
    network = small(copies=2)
    initialise(network, 0.02)
    frame = network(torch.randn(2, 7), torch.rand(2, 3, 32, 20), copies())
    (frame.z.square().mean() + frame.mask.square().mean()).backward()
    assert all(values.grad is not None and values.grad.abs().sum() > 0 for values in network.parameters())


def test_blending_by_hand():
    frame = Frame(torch.ones(1, 3, 1, 2), torch.tensor([[[[0.25, 1.0]]]]), torch.ones(1, 1, 1, 2))
    background = torch.full((1, 3, 1, 2), -1.0)
    assert blended(frame, background)[0, 0, 0].tolist() == [-0.5, 1.0]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: small(size_hw=(48, 32)), "48x32 is not 4 doubled 3 times"),
        (lambda: small(size_hw=(32, 40)), "at most as wide as high"),
        (lambda: small(size_hw=(32, 21)), "make the width even"),
        (lambda: small(copies=-1), "copies must be at least 0"),
        (lambda: small()(torch.rand(1, 7), torch.rand(1, 3, 32, 32)), "0 copies at 32x20, not 0 at 32x32"),
        (lambda: small()(torch.rand(2, 7), torch.rand(2, 3, 32, 20), copies()), "for 0 copies at 32x20, not 2"),
    ],
)
def test_what_does_not_come_out_is_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_what_is_played_is_one_copy_rather_than_a_mixture():
    """Two copies at one place are a double print: where one is a little likelier, it is shown nearly alone."""
    network = small(copies=2, most_flow=2.0).eval()
    copied = torch.zeros(1, 2, 4, 32, 20)
    copied[:, :, 3], copied[:, 0, :3] = 1.0, 1.0  # one white, one black, both opaque
    with torch.no_grad():
        network.output.weight.zero_()
        network.output.bias.zero_()
        network.output.bias[4:7] = torch.tensor([-1.0, -1.0, -9.0])  # the first is 1 likelier by itself
        shown = [
            network.decode(torch.zeros(1, 6, 4, 4), torch.rand(1, 3, 32, 20), copied, played=played).z.mean().item()
            for played in (False, True)
        ]
    expected = [2 * torch.sigmoid(8 * torch.tanh(torch.tensor(logit / 8))).item() - 1 for logit in (1.0, 3.0)]
    assert shown == pytest.approx(expected, abs=1e-3)
