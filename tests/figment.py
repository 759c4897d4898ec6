"""The skeleton that Figment's nodes draw of MediaPipe's landmarks, by area, to compare our drawing with."""

import cv2
import numpy as np

from understudy.conditioning.white_skeleton import CONNECTIONS, RADIUS, WIDTH

FINER = 8


def as_figment_draws(places, size):
    """Its drawing, by area: landmarks (33, 2) in its own units, from the picture's corner; 1 is white."""
    fine = np.zeros((size * FINER, size * FINER), np.uint8)

    def corner(at):
        return np.rint((np.asarray(at) * FINER - 0.5) * 16).astype(int)  # OpenCV's pixels have their middles at numbers

    for first, last in CONNECTIONS:
        start, end = places[first], places[last]
        across = (end - start)[::-1] * (-1, 1) / np.linalg.norm(end - start) * WIDTH / 2
        corners = np.array([corner(at) for at in (start + across, end + across, end - across, start - across)])
        cv2.fillConvexPoly(fine, corners, 255, shift=4)
    for place in places:
        cv2.circle(fine, corner(place).tolist(), int(RADIUS * FINER * 16), 255, -1, shift=4)
    return fine.reshape(size, FINER, size, FINER).mean((1, 3)) / 255
