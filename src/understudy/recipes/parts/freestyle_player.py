"""One photograph dances: P2B says what is where, B2F paints and copies it, FR mends the face; frame by frame.

Shape letters: T moments, B of them at a time, S the side of the square picture; the networks see its middle columns, as
many as they were made for, or all of them where somebody reaches farther out.
"""

from __future__ import annotations
