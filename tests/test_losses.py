"""Every loss: identity gives 0, a value worked out by hand, a gradient check in double precision."""

import math

import pytest
import torch

from understudy import losses
from understudy.conditioning.limbs import limb_falloff


def test_feature_distance_is_zero_for_identical_features_and_the_mean_difference_otherwise():
    features = torch.rand(3, 4, 5, 6)
    assert torch.equal(losses.feature_distance(features, features), torch.zeros(3))
    assert losses.feature_distance(features, features + 0.25).tolist() == pytest.approx([0.25] * 3, abs=1e-6)


@pytest.mark.parametrize(
    ("real", "fake", "expected"),
    [
        pytest.param(0.0, 0.0, 2 * math.log(2), id="cannot tell"),
        pytest.param(40.0, -40.0, 0.0, id="sure and right"),
        pytest.param(-3.0, 3.0, 2 * math.log(1 + math.exp(3)), id="sure and wrong"),
    ],
)
def test_discriminator_loss_by_hand(real, fake, expected):
    loss = losses.discriminator_loss(torch.full((2, 1, 3, 3), real), torch.full((2, 1, 3, 3), fake))
    assert loss.tolist() == pytest.approx([expected] * 2, abs=1e-5)


def test_generator_loss_by_hand():
    assert losses.generator_loss(torch.zeros(2, 1, 4, 4)).tolist() == pytest.approx([math.log(2)] * 2)
    assert losses.generator_loss(torch.full((1, 1, 4, 4), 30.0)).item() == pytest.approx(0, abs=1e-6)


def test_warp_with_zero_flow_is_the_identity():
    frames = torch.rand(2, 3, 7, 9, dtype=torch.float64)
    assert torch.allclose(losses.warp(frames, torch.zeros(2, 2, 7, 9, dtype=torch.float64)), frames)


def test_warp_looks_up_where_the_pixel_was():
    frames = torch.rand(1, 3, 8, 8)
    moved = torch.roll(frames, shifts=(1, 2), dims=(2, 3))  # 2 to the right, 1 down
    flow = torch.tensor([-2.0, -1.0]).view(1, 2, 1, 1).expand(1, 2, 8, 8)
    assert torch.allclose(losses.warp(frames, flow)[:, :, 1:, 2:], moved[:, :, 1:, 2:], atol=1e-5)


def test_warp_repeats_the_edge_beyond_the_frame():
    frames = torch.rand(1, 3, 4, 5) + 1
    far = torch.tensor([-9.0, 0.0]).view(1, 2, 1, 1).expand(1, 2, 4, 5)
    assert torch.allclose(losses.warp(frames, far), frames[..., :1].expand(1, 3, 4, 5))
    assert torch.allclose(losses.warp(frames, -far.flip(1)), frames[..., -1:, :].expand(1, 3, 4, 5))


def test_warp_between_two_pixels_is_their_mean():
    frames = torch.arange(6.0).view(1, 1, 1, 6).expand(1, 1, 2, 6)
    flow = torch.zeros(1, 2, 2, 6)
    flow[:, 0] = 0.5
    assert losses.warp(frames, flow)[0, 0, 0, :5].tolist() == pytest.approx([0.5, 1.5, 2.5, 3.5, 4.5])


def test_limb_falloff_is_one_on_the_limb_and_gaussian_beside_it():
    xy = torch.tensor([[[2.0, 4.0], [8.0, 4.0], [0.0, 0.0]]])
    seen = torch.tensor([[True, True, False]])
    limbs = torch.tensor([[0, 1], [1, 2]])
    alpha = limb_falloff(xy, seen, limbs, (10, 12), sigma=2.0)[0, 0]
    assert alpha[4, 2:9].tolist() == pytest.approx([1.0] * 7)
    assert alpha[7, 5].item() == pytest.approx(math.exp(-9 / 8))  # three pixels below the middle
    assert alpha[4, 0].item() == pytest.approx(math.exp(-4 / 8))  # two pixels beyond the end
    assert alpha[0, 0].item() == pytest.approx(math.exp(-(2**2 + 4**2) / 8))  # the unseen joint's limb counts not


def test_limb_falloff_without_any_seen_limb_is_zero():
    alpha = limb_falloff(torch.rand(1, 2, 2), torch.zeros(1, 2, dtype=torch.bool), torch.tensor([[0, 1]]), (4, 4), 1)
    assert torch.equal(alpha, torch.zeros(1, 1, 4, 4))


def test_temporal_coherence_is_zero_when_the_next_frame_is_the_warped_one():
    frame, flow = torch.rand(2, 3, 6, 6), torch.randn(2, 2, 6, 6)
    after = losses.warp(frame, flow)
    assert losses.temporal_coherence(torch.ones(2, 1, 6, 6), frame, after, flow).tolist() == [0.0, 0.0]
    loss = losses.temporal_coherence(torch.full((2, 1, 6, 6), 0.5), frame, after + 0.1, flow)
    assert loss.tolist() == pytest.approx([0.05] * 2, rel=1e-4)


def test_gradients_match_finite_differences():
    torch.manual_seed(0)
    real = torch.rand(1, 2, 3, 3, dtype=torch.float64)
    fake = torch.rand(1, 2, 3, 3, dtype=torch.float64, requires_grad=True)

    def in_double(function):
        return lambda *a: function(*a).double()

    assert torch.autograd.gradcheck(in_double(lambda x: losses.warp(x, real * 0.7)), fake)
    # The two below reduce in single precision, as training does, so the step and the tolerance are coarse
    coarse = {"eps": 1e-3, "atol": 1e-3, "rtol": 1e-2}
    assert torch.autograd.gradcheck(in_double(losses.feature_distance), (fake, real + 2), **coarse)
    assert torch.autograd.gradcheck(in_double(losses.generator_loss), fake, **coarse)
    assert torch.autograd.gradcheck(in_double(lambda x: losses.discriminator_loss(real, x)), fake, **coarse)


def test_absolute_difference_by_hand():
    pictures = torch.rand(2, 3, 4, 4)
    assert torch.equal(losses.absolute_difference(pictures, pictures), torch.zeros(2))
    moved = pictures + torch.tensor([0.5, -0.25]).view(2, 1, 1, 1)
    assert losses.absolute_difference(moved, pictures).tolist() == pytest.approx([0.5, 0.25])


@pytest.mark.parametrize(
    ("real", "fake", "expected"),
    [
        pytest.param(0.5, 0.5, 0.5, id="cannot tell"),
        pytest.param(1.0, 0.0, 0.0, id="right"),
        pytest.param(0.0, 2.0, 5.0, id="wrong"),
    ],
)
def test_least_squares_by_hand(real, fake, expected):
    real_values, fake_values = torch.full((2, 1, 3, 3), real), torch.full((2, 1, 3, 3), fake)
    assert losses.least_squares_discriminator_loss(real_values, fake_values).tolist() == [expected] * 2
    assert losses.least_squares_generator_loss(fake_values).tolist() == [(fake - 1) ** 2] * 2


def maps_of(seed, scales=2, layers=3):
    generator = torch.Generator().manual_seed(seed)
    return [
        [torch.randn(2, layer + 1, 4, 5 + scale, generator=generator) for layer in range(layers)]
        for scale in range(scales)
    ]


def test_feature_matching_sums_means_over_layers_and_scales_and_leaves_the_judgement_out():
    real = maps_of(0)
    assert losses.feature_matching(real, real).tolist() == [0.0, 0.0]
    moved = [[maps + 0.5 for maps in scale] for scale in real]
    assert losses.feature_matching(real, moved).tolist() == pytest.approx([4 * 0.5] * 2, rel=1e-5)
    judged_otherwise = [[*scale[:-1], scale[-1] + 9] for scale in real]
    assert losses.feature_matching(real, judged_otherwise).tolist() == [0.0, 0.0]


def test_feature_matching_of_two_structures_is_refused():
    with pytest.raises(ValueError, match="shorter"):
        losses.feature_matching(maps_of(0, scales=2), maps_of(0, scales=1))
    with pytest.raises(ValueError, match="shorter"):
        losses.feature_matching(maps_of(0, layers=3), maps_of(0, layers=2))


def test_perceptual_distance_sums_the_layers():
    real = maps_of(1)[0]
    assert losses.perceptual_distance(real, real).tolist() == [0.0, 0.0]
    moved = [maps + torch.tensor([0.25, -1.0]).view(2, 1, 1, 1) for maps in real]
    assert losses.perceptual_distance(moved, real).tolist() == pytest.approx([0.75, 3.0], rel=1e-5)


def test_gradients_of_feature_losses_match_finite_differences_and_stay_off_the_real_side():
    torch.manual_seed(0)
    fake = torch.rand(1, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    real = torch.rand(1, 2, 3, 3, dtype=torch.float64) + 2
    coarse = {"eps": 1e-3, "atol": 1e-3, "rtol": 1e-2}

    def matching(x):
        return losses.feature_matching([[real, real * 2, real]], [[x, x * x, x]]).double()

    def perceptual(x):
        return losses.perceptual_distance([x, x * x], [real, real * 2]).double()

    assert torch.autograd.gradcheck(matching, fake, **coarse)
    assert torch.autograd.gradcheck(perceptual, fake, **coarse)
    assert torch.autograd.gradcheck(lambda x: losses.least_squares_generator_loss(x).double(), fake, **coarse)


def test_unit_features_are_compared_by_direction_alone():
    real = [torch.tensor([[3.0, 4.0]]).view(1, 2, 1, 1).repeat(2, 1, 2, 2)]
    assert losses.unit_feature_distance(real, real).tolist() == [0.0, 0.0]
    assert losses.unit_feature_distance([7 * real[0]], real).tolist() == pytest.approx([0.0, 0.0], abs=1e-9)
    crossed = [torch.tensor([[-4.0, 3.0]]).view(1, 2, 1, 1).repeat(2, 1, 2, 2)]
    assert losses.unit_feature_distance(crossed, real).tolist() == pytest.approx([2.0, 2.0])
    assert losses.unit_feature_distance([-real[0]], real).tolist() == pytest.approx([4.0, 4.0]), "the most there is"
    assert losses.unit_feature_distance([real[0], crossed[0]], [real[0]] * 2).tolist() == pytest.approx([1.0, 1.0])


def test_a_picture_a_pixel_aside_costs_nothing_and_its_blur_does():
    torch.manual_seed(0)
    real = torch.rand(1, 3, 16, 16)
    inside = torch.zeros_like(real)
    inside[..., 4:12, 4:12] = real[..., 4:12, 4:12]
    aside = torch.roll(inside, (1, -1), dims=(2, 3))
    assert losses.shift_tolerant_distance(inside, inside).item() == 0
    assert losses.shift_tolerant_distance(aside, inside).item() == pytest.approx(0, abs=1e-7)
    blurred = torch.nn.functional.avg_pool2d(inside, 3, 1, 1)
    assert losses.shift_tolerant_distance(blurred, inside).item() > 0.02
    assert (aside - inside).abs().mean() > (blurred - inside).abs().mean(), "a plain L1 prefers the blur"


def test_the_shift_tolerant_distance_of_flat_pictures_is_their_difference():
    flat = torch.full((2, 3, 8, 8), 0.25)
    found = losses.shift_tolerant_distance(torch.full((2, 3, 8, 8), 0.75), flat)
    assert found.tolist() == pytest.approx([0.5 * (6 / 8 + 2 / 8 * 2 / 3) ** 2] * 2, rel=1e-5), "0 lies beyond the edge"


def test_gradients_of_refining_losses_match_finite_differences():
    torch.manual_seed(0)
    fake = torch.rand(1, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    real = torch.rand(1, 2, 4, 4, dtype=torch.float64) + 2
    assert torch.autograd.gradcheck(lambda x: losses.shift_tolerant_distance(x, real), fake)
    coarse = {"eps": 1e-3, "atol": 1e-3, "rtol": 1e-2}
    assert torch.autograd.gradcheck(lambda x: losses.unit_feature_distance([x], [real]).double(), fake, **coarse)


@pytest.mark.parametrize(
    ("real", "fake", "expected"),
    [
        pytest.param(0.0, 0.0, 2.0, id="cannot tell"),
        pytest.param(1.0, -1.0, 0.0, id="right"),
        pytest.param(5.0, -5.0, 0.0, id="surer than it need be"),
        pytest.param(-1.0, 2.0, 5.0, id="wrong"),
    ],
)
def test_hinge_by_hand(real, fake, expected):
    real_values, fake_values = torch.full((2, 1, 3, 3), real), torch.full((2, 1, 3, 3), fake)
    assert losses.hinge_discriminator_loss(real_values, fake_values).tolist() == [expected] * 2
    assert losses.hinge_generator_loss(fake_values).tolist() == [-fake] * 2


def test_the_two_sides_of_the_hinge_pull_apart():
    """As eq. 14 is printed, D would be drawn to the same side as G."""
    fake = torch.zeros(1, 1, 2, 2, requires_grad=True)
    (of_d,) = torch.autograd.grad(losses.hinge_discriminator_loss(torch.zeros(1, 1, 2, 2), fake).sum(), fake)
    (of_g,) = torch.autograd.grad(losses.hinge_generator_loss(fake).sum(), fake)
    assert torch.equal(of_d, -of_g) and of_d.min() > 0


def test_label_cross_entropy_by_hand():
    labels = torch.tensor([[[0, 2]], [[1, 1]]], dtype=torch.uint8)
    undecided = torch.zeros(2, 3, 1, 2)
    assert losses.label_cross_entropy(undecided, labels).tolist() == pytest.approx([3 * math.log(2)] * 2)
    sure = torch.full((2, 3, 1, 2), -30.0).scatter(1, labels[:, None].long(), 30.0)
    assert losses.label_cross_entropy(sure, labels).tolist() == pytest.approx([0, 0], abs=1e-6)
    torch.manual_seed(0)
    logits = torch.randn(2, 3, 1, 2)
    there = torch.nn.functional.one_hot(labels.long(), 3).permute(0, 3, 1, 2).float()
    each = -(there * logits.sigmoid().log() + (1 - there) * (1 - logits.sigmoid()).log())
    expected = each.sum(1).mean((1, 2)).tolist()
    assert losses.label_cross_entropy(logits, labels).tolist() == pytest.approx(expected, rel=1e-5)


def test_only_the_person_is_left():
    pictures, person = torch.rand(2, 3, 2, 2) + 1, torch.tensor([[1.0, 0], [0, 1]]).expand(2, 1, 2, 2)
    alone = losses.person_alone(pictures, person)
    assert torch.equal(alone[..., 0, 0], pictures[..., 0, 0]) and torch.equal(alone[..., 1, 1], pictures[..., 1, 1])
    assert alone[..., 0, 1].abs().max() == 0


def test_mask_distance_counts_what_is_to_count():
    mask, person = torch.full((1, 1, 2, 2), 0.25), torch.tensor([[[[1.0, 0], [0, 0]]]])
    assert losses.mask_distance(person, person, torch.ones(1, 1, 2, 2)).tolist() == [0]
    assert losses.mask_distance(mask, person, torch.ones(1, 1, 2, 2)).tolist() == pytest.approx([1.5 / 4])
    half = torch.tensor([[[[1.0, 1], [0, 0]]]])
    assert losses.mask_distance(mask, person, half).tolist() == pytest.approx([(0.75 + 0.25) / 2])
    assert losses.mask_distance(mask, person, torch.zeros(1, 1, 2, 2)).tolist() == [0]


def test_face_perceptual_sums_over_sizes_and_the_embedding():
    maps = [torch.rand(2, 3, 4, 4), torch.rand(2, 5, 2, 2), torch.rand(2, 7)]
    assert losses.face_perceptual(maps, maps).tolist() == [0, 0]
    moved = [maps[0] + 0.5, maps[1], maps[2] - 0.25]
    assert losses.face_perceptual(moved, maps).tolist() == pytest.approx([0.75] * 2, rel=1e-5)


def test_mask_regularity_by_hand():
    mask = torch.tensor([[[[0.0, 1.0, 1.0], [0.0, 1.0, 0.0]]]])
    size, variation = losses.mask_regularity(mask)
    assert size.tolist() == [0.5]
    assert variation.tolist() == pytest.approx([3 / 4 + 1 / 3])  # 3 steps of 4 across, 1 of 3 down
    flat = losses.mask_regularity(torch.full((1, 1, 3, 3), 0.5))
    assert flat[0].tolist() == [0.5] and flat[1].tolist() == [0]


def test_gradients_of_the_freestyle_losses_match_finite_differences():
    torch.manual_seed(1)
    fake = (torch.rand(1, 1, 3, 3, dtype=torch.float64) * 0.5 + 0.2).requires_grad_()
    apart = torch.zeros(1, 1, 3, 3, dtype=torch.float64)  # no kink of an absolute value or a hinge is near
    labels, ones = torch.zeros(1, 3, 3, dtype=torch.uint8), torch.ones(1, 1, 3, 3, dtype=torch.float64)
    coarse = {"eps": 1e-3, "atol": 1e-3, "rtol": 1e-2}
    for loss in (
        lambda x: losses.hinge_discriminator_loss(x, x),
        losses.hinge_generator_loss,
        lambda x: losses.label_cross_entropy(x, labels),
        lambda x: losses.mask_distance(x, apart, ones),
        lambda x: losses.mask_regularity(x)[0],
        lambda x: losses.face_perceptual([x, x.flatten(1)], [apart, apart.flatten(1)]),
        lambda x: losses.person_alone(x, ones),
    ):
        assert torch.autograd.gradcheck(lambda x, loss=loss: loss(x).double(), fake, **coarse)
