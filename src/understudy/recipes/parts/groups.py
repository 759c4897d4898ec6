"""Groups of numbers that configs of recipes have in common. What a recipe's paper prints are its own defaults."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.retargeting.alignment import NormalizeBy, ScaleBy


@dataclass(frozen=True)
class Placement:
    """How a driver is brought to the reference's place when performing."""

    normalization: NormalizeBy = "similarity"
    """"similarity" (one scale and translation a clip), "ground" (one a frame, by the feet: Chan et al. 2019,
    section 8.5, made steadier) or "ground-printed" (that section to the letter)"""
    scale_by: ScaleBy = "body"
    """what sets the scale of "similarity": the mean hip width ("hips"; Aberman et al. 2018, section 3.1), or the body's
    limb lengths ("body"; ours)"""
    fit_limbs: bool = False
    """give the driver's limbs the reference's lengths; beyond the papers, whose limit this is"""
    on_ground: bool = False
    """of "similarity": both stand at one height, where both show their feet, in place of having both trunks at one on
    average; ours, since a photograph has no average"""

    def __post_init__(self) -> None:
        if self.normalization not in ("similarity", "ground", "ground-printed"):
            raise ValueError(f"normalization must be similarity, ground or ground-printed, not {self.normalization}")
        if self.scale_by not in ("hips", "body"):
            raise ValueError(f"scale_by must be hips or body, not {self.scale_by}")


@dataclass(frozen=True)
class Augmentation:
    """Random similarities of what is learnt from, one for all frames, poses and flow of a window. All 0 is none."""

    rotate: float = 0.0
    """degrees: the angle is drawn from -rotate to rotate"""
    zoom: float = 0.0
    """the scale is drawn from 1 / (1 + zoom) to 1 + zoom"""
    shift: float = 0.0
    """share of the picture's side"""

    def __post_init__(self) -> None:
        for name in ("rotate", "zoom", "shift"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"{name} must be at least 0, not {getattr(self, name)}")

    def __bool__(self) -> bool:
        """Whether it changes anything."""
        return any(self.amounts)

    @property
    def amounts(self) -> tuple[float, float, float]:
        """As `clips.random_similarity` takes them."""
        return self.rotate, self.zoom, self.shift


@dataclass(frozen=True)
class Optimisation:
    """How weights are begun, moved and averaged; the same for all networks of a recipe."""

    batch: int = 1
    """windows (or pictures) a step"""
    learning_rate: float = 2e-4
    """Adam's step size"""
    betas: tuple[float, float] = (0.5, 0.999)
    """Adam's decays of the gradient's first and second moment"""
    initial_deviation: float = 0.02
    """standard deviation of the first weights"""
    ema_decay: float = 0.0
    """decay of the average of weights that is shown; 0 shows the last weights, as the papers do"""

    def __post_init__(self) -> None:
        object.__setattr__(self, "betas", tuple(self.betas))  # a list, when read from a file
        if self.batch < 1:
            raise ValueError(f"batch must be at least 1, not {self.batch}")
        if not 0 < self.learning_rate < float("inf"):
            raise ValueError(f"learning_rate must be above 0, not {self.learning_rate}")
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"betas must be two numbers of at least 0 and below 1, not {self.betas}")
        if not 0 <= self.initial_deviation < float("inf"):
            raise ValueError(f"initial_deviation must be at least 0, not {self.initial_deviation}")
        if not 0 <= self.ema_decay < 1:
            raise ValueError(f"ema_decay must be at least 0 and below 1, not {self.ema_decay}")
