"""Which of BlazePose's landmarks, and of its face mesh, are which of the 133 points of COCO-WholeBody."""

from understudy.poses import pose as p

BODY_FROM_BLAZEPOSE = (
    (p.NOSE, 0),
    (p.LEFT_EYE, 2),
    (p.RIGHT_EYE, 5),
    (p.LEFT_EAR, 7),
    (p.RIGHT_EAR, 8),
    (p.LEFT_SHOULDER, 11),
    (p.RIGHT_SHOULDER, 12),
    (p.LEFT_ELBOW, 13),
    (p.RIGHT_ELBOW, 14),
    (p.LEFT_WRIST, 15),
    (p.RIGHT_WRIST, 16),
    (p.LEFT_HIP, 23),
    (p.RIGHT_HIP, 24),
    (p.LEFT_KNEE, 25),
    (p.RIGHT_KNEE, 26),
    (p.LEFT_ANKLE, 27),
    (p.RIGHT_ANKLE, 28),
    (p.LEFT_HEEL, 29),
    (p.RIGHT_HEEL, 30),
    (p.LEFT_BIG_TOE, 31),
    (p.RIGHT_BIG_TOE, 32),
)
"""(point among the 133, landmark among BlazePose's 33)"""

# fmt: off
FACE_FROM_MESH = (
    162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389,  # jaw, from the person's right
    71, 63, 105, 66, 107,  # right brow
    336, 296, 334, 293, 301,  # left brow
    168, 197, 5, 4,  # nose ridge
    75, 97, 2, 326, 305,  # nostrils
    33, 160, 158, 133, 153, 144,  # right eye
    362, 385, 387, 263, 373, 380,  # left eye
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181,  # outer lips
    78, 82, 13, 312, 308, 317, 14, 87,  # inner lips
)
# fmt: on
"""for each of the 68 face points, the nearest vertex of MediaPipe's face mesh of 468"""
