"""The numbers of Single-Shot Freestyle Dance Reenactment (Gafni, Ashual, Wolf 2021) and its presets.

Sections and equations are the paper's. P2B: a pose to a body in labels; B2F: that body to a frame; FR: its face.
"""

from __future__ import annotations

from dataclasses import dataclass

from understudy.networks.frame_generator import PRINTED_WIDTHS
from understudy.networks.perceptual import Features
from understudy.recipes.parts.groups import Optimisation, Placement

P2B, B2F, FR = NAMES = "p2b", "b2f", "fr"


@dataclass(frozen=True)
class Config:
    """The paper's numbers. Where three stand together, they are P2B's, B2F's and FR's."""

    size_hw: tuple[int, int] = (512, 320)
    """pixels: height and width of a frame (section 3.2)"""
    p2b_shrink: int = 1
    """how many times smaller P2B's pictures are than the frame; its labels are enlarged again. 1 is the paper's"""
    p2b_width: int = 64
    """channels of P2B's first level (pix2pixHD's)"""
    p2b_kernel: int = 7
    """side of P2B's first and last convolution (pix2pixHD's); at few channels they are most of the work"""
    p2b_downsamplings: int = 4
    """halvings in P2B (pix2pixHD's)"""
    p2b_blocks: int = 9
    """n_r, residual blocks in P2B (section 3.1; pix2pixHD's number)"""
    lambda_d: float = 40.0
    """eq. 9: weight of feature matching in P2B"""
    lambda_ce: float = 1.0
    """eq. 9: weight of the cross-entropy"""
    face_embedding: int = 2048
    """length of a face's embedding (section 3.2)"""
    part_embedding: int = 512
    """length of the embedding of each of the four other segments (section 3.2)"""
    b2f_first: int = 1024
    """channels of the tensor 4x4 that the embedding becomes (section 3.2)"""
    b2f_widths: tuple[int, ...] = PRINTED_WIDTHS
    """channels behind each doubling in B2F: seven of them (section 3.2); how many is SPADE's"""
    b2f_hidden: int = 128
    """channels that each SPADE reads from the labels (Park et al. 2019)"""
    b2f_shared: bool = False
    """read the labels once for each block of B2F, and not for each SPADE in it; false is the paper's"""
    b2f_shuffled: int = 1
    """2: B2F's last doubling is four channels a pixel that are laid side by side; 1 is the paper's"""
    copies: int = 0
    """K, "copy visible texture": pictures of the person in the pose, that B2F may copy from; 0 is the paper's"""
    most_flow: float = 8.0
    """pixels: how much farther B2F may look a copy up"""
    lambda_fm: float = 1.0
    """weight of eq. 15; none is printed"""
    lambda_vgg: float = 1.0
    """weight of eq. 16; none is printed"""
    lambda_face: float = 1.0
    """weight of eq. 18, in B2F and in FR; none is printed"""
    lambda_m: float = 5.0
    """eq. 17: weight of the blending mask's distance"""
    looked_at: float = 1.0
    """share of a frame's height and width that B2F's D and eq. 16 look at in a step, somewhere about the person; 1 is
    the paper's, and costs several times what B2F itself does"""
    lambda_copy: float = 0.0
    """weight of |z - x| on the person, which teaches what to copy sooner than features do; 0 is the paper's"""
    squeeze: float = 0.3
    """while P2B learns, widths of label maps alone are multiplied by 1 / (1 + this) to 1 + this; 0 leaves them (Figure
    6b). How much is not printed"""
    dense: bool = True
    """P2B sees the surface map P^D; without (Figure 6d) the stick figure alone"""
    hands: bool = True
    """hands have labels of their own; without (Figures 5d and 6e) they are arms"""
    blending: bool = True
    """the person is cut out along m; without (Figure 5c) along the labels"""
    refining: bool = True
    """FR mends the face; without (Figure 5b) it stays as B2F painted it"""
    face_network: str = "imagenet"
    """who is in a picture is told by this, see `networks/face_embedding.py`; the paper's is a VGGFace2 network"""
    features: Features = "auto"
    """what eq. 16 compares, see `networks/perceptual.py`"""
    vgg_layers: tuple[str, ...] = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
    """layers of eq. 16 (pix2pixHD's)"""
    face_size: int = 224
    """pixels: side of an aligned face, and of the segments t_1 to t_5 (section 3.2)"""
    fr_widths: tuple[int, ...] = (64, 128, 256, 512, 512)
    """channels behind each halving in FR (not printed)"""
    lambda_r: float = 1.0
    """weight of FR's reconstruction, of the crop and of what is blended (not printed)"""
    lambda_mask: float = 0.05
    """weight of the size of FR's mask (not printed)"""
    lambda_variation: float = 0.05
    """weight of the unevenness of FR's mask (not printed)"""
    discriminator_width: int = 64
    """channels of the first layer of all discriminators (pix2pixHD's)"""
    optimisation: Optimisation = Optimisation(batch=32)
    """B2F's; those of the other two are multiples of it"""
    batch_times: tuple[int, int, int] = (4, 1, 8)
    """batch of each network, in B2F's: 128, 32 and 256 (appendix B)"""
    rate_times: tuple[float, float, float] = (1.0, 1.0, 0.5)
    """learning rate of each network, in B2F's: 2e-4, 2e-4 and 1e-4 (appendix B)"""
    epochs: tuple[int, int, int] = (280, 60, 40)
    """passes over the people (appendix B)"""
    steps: tuple[int, int, int] | None = None
    """training steps of each network, however many people there are; in place of `epochs`"""
    shares: tuple[float, float, float] = (0.25, 0.65, 0.1)
    """of the training time when that is limited, for each network"""

    placement: Placement = Placement(scale_by="body", fit_limbs=True, on_ground=True)
    """how a driver is brought to the photograph's place; ours"""
    detail: int = 1
    """how many times as large as the networks see it a photograph is kept and shown: what they say is carried out with
    its own pixels; ours"""
    model: str = ""
    """file of the trained networks; empty are those that come with the program"""

    def __post_init__(self) -> None:
        for name in ("size_hw", "b2f_widths", "vgg_layers", "fr_widths", "batch_times", "rate_times", "epochs",
                     "steps", "shares"):  # fmt: skip
            given = getattr(self, name)  # lists, when read from a file
            object.__setattr__(self, name, given if given is None else tuple(given))
        height, width = self.size_hw
        divisor = self.p2b_shrink * 2**self.p2b_downsamplings if self.p2b_shrink > 0 else 0
        if divisor == 0 or height % divisor or width % divisor or min(height, width) < 2 * divisor:
            raise ValueError(
                f"size_hw {height},{width} cannot be shrunk {self.p2b_shrink} times and halved "
                f"{self.p2b_downsamplings} times for P2B: use multiples of {divisor} from {2 * divisor} up"
            )
        doubled = 4 * 2 ** len(self.b2f_widths) * self.b2f_shuffled
        if height != doubled or width > height:
            raise ValueError(
                f"size_hw {height},{width} does not fit b2f_widths: {len(self.b2f_widths)} doublings of 4 pixels make "
                f"a frame {doubled} high, and at most as wide"
            )
        if self.face_size % 2 ** len(self.fr_widths) or self.face_size < 2 * 2 ** len(self.fr_widths):
            raise ValueError(f"face_size {self.face_size} cannot be halved {len(self.fr_widths)} times")
        if min(self.p2b_width, self.p2b_blocks, self.face_embedding, self.part_embedding, self.b2f_first) < 1:
            raise ValueError("p2b_width, p2b_blocks, face_embedding, part_embedding and b2f_first must be at least 1")
        if self.detail < 1 or (self.detail > 1 and not self.copies):
            raise ValueError(f"detail must be at least 1, and more than that needs copies: not {self.detail}")
        if self.copies < 0 or self.most_flow < 0 or self.b2f_shuffled not in (1, 2):
            raise ValueError(
                f"copies and most_flow must be at least 0 and b2f_shuffled 1 or 2: "
                f"not {self.copies}, {self.most_flow} and {self.b2f_shuffled}"
            )
        if not 0 < self.looked_at <= 1:
            raise ValueError(f"looked_at must be above 0 and at most 1, not {self.looked_at}")
        if any(share <= 0 for share in self.shares):
            raise ValueError(f"each network needs a share of the time above 0: not {self.shares}")
        if min(self.steps or self.epochs) < 1 or min(self.batch_times) < 1 or min(self.rate_times) <= 0:
            raise ValueError("each network needs at least one step or epoch, a batch and a learning rate")

    @property
    def size(self) -> int:
        """Pixels: side of the square that people are placed in and shown in."""
        return self.side * self.detail

    @property
    def side(self) -> int:
        """Pixels: the same as the networks see it; their frame is the middle of it."""
        return self.size_hw[0]

    @property
    def embedding(self) -> int:
        """Length of e_z: one face and four other segments, 4096 as printed."""
        return self.face_embedding + 4 * self.part_embedding

    @property
    def p2b_hw(self) -> tuple[int, int]:
        """Height and width of P2B's pictures."""
        return self.size_hw[0] // self.p2b_shrink, self.size_hw[1] // self.p2b_shrink

    def batch_of(self, name: str) -> int:
        """Samples a step of one of `NAMES`."""
        return self.optimisation.batch * self.batch_times[NAMES.index(name)]

    def rate_of(self, name: str) -> float:
        """Adam's step size for one of `NAMES`."""
        return self.optimisation.learning_rate * self.rate_times[NAMES.index(name)]

    def steps_of(self, name: str, samples: int) -> int:
        """Training steps of one of `NAMES`, where there are that many samples."""
        place = NAMES.index(name)
        return self.steps[place] if self.steps else self.epochs[place] * max(1, -(-samples // self.batch_of(name)))


def paper() -> Config:
    """The paper's numbers; "Where we differ from the paper" lists what is not as printed."""
    return Config()


def fast() -> Config:
    """What the model that ships has: narrow enough for a CPU to paint several frames a second, and copying texture.

    P2B at half the size, B2F with its last doubling laid out of channels, the embedding of a face and of four segments
    320 long each (EfficientNet-Lite0's). Fewer than 6 million weights, fewer than 10 billion multiplications a frame.
    First weights are larger, since what few channels say would be too faint: B2F's mask came in two thirds of the
    steps.
    """
    return Config(
        p2b_shrink=2,
        p2b_width=16,
        p2b_kernel=3,
        lambda_d=10.0,
        lambda_ce=10.0,
        p2b_downsamplings=3,
        p2b_blocks=4,
        face_embedding=320,
        part_embedding=320,
        b2f_first=64,
        b2f_widths=(96, 96, 96, 64, 48, 32),
        b2f_hidden=24,
        b2f_shared=True,
        b2f_shuffled=2,
        copies=3,
        lambda_fm=10.0,
        lambda_vgg=10.0,
        lambda_copy=10.0,
        lambda_face=0.3,
        looked_at=0.5,
        features="lite0",
        fr_widths=(16, 24, 32, 48, 64),
        lambda_r=10.0,
        discriminator_width=16,
        optimisation=Optimisation(batch=4, learning_rate=3e-4, initial_deviation=0.06, ema_decay=0.998),
        batch_times=(1, 1, 1),
        steps=(20_000, 30_000, 5_000),
    )


def preview() -> Config:
    """128x80 and narrower still: minutes on a CPU, to see whether people and networks work together."""
    return Config(
        size_hw=(128, 80),
        p2b_width=12,
        p2b_downsamplings=3,
        p2b_blocks=3,
        face_embedding=320,
        part_embedding=320,
        b2f_first=32,
        b2f_widths=(48, 48, 48, 32, 24),
        b2f_hidden=16,
        b2f_shared=True,
        copies=3,
        most_flow=3.0,
        lambda_fm=10.0,
        lambda_vgg=10.0,
        lambda_copy=10.0,
        features="lite0",
        fr_widths=(8, 12, 16, 24, 32),
        lambda_r=10.0,
        discriminator_width=16,
        optimisation=Optimisation(batch=4, learning_rate=5e-4, initial_deviation=0.06, ema_decay=0.995),
        batch_times=(1, 1, 1),
        steps=(1500, 2000, 500),
    )
