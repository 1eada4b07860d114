"""The model of a chunk: its integer columns, the contexts of their symbols, and what is predicted from what.

Theory. A splat is a column of integers (the rows of ``codes`` are named below). Encoder and decoder go
through them attribute by attribute, and every integer is coded in a context that both know: the class of
precision, the shape, the nearest splats among the last few. The passes are written down twice, in
symbol_writer.py for the encoder and in symbol_reader.py for the decoder, on top of the functions in
prediction.py and turns.py; everything is integer arithmetic, so both come to the same contexts everywhere.
"""

from __future__ import annotations

X, Y, Z = 0, 1, 2
"""Means, as twice the lattice coordinate relative to the chunk, at the middle of the known cell."""
X_OPEN, Y_OPEN, Z_OPEN = 3, 4, 5
"""Bits of the means that the splitting of cells leaves open."""
NEAR, NEXT_NEAR = 6, 7
"""The nearest and the second nearest splat of the last WINDOW; -1 where there is none."""
CLASS = 8
"""Class of precision, which follows from size and opacity: each one doubles the steps of colour, harmonics
and rotation."""
SCALE = 9
"""Log of the largest scale, in steps."""
DROP_2, DROP_3 = 10, 11
"""How far the second log scale lies below the first, the third below the second, in steps."""
OPACITY = 12
"""Index of the opacity."""
LUMA, CHROMA_O, CHROMA_G = 13, 14, 15
"""Colour, in steps of the class."""
FACE, POLE_U, POLE_V, POLE_BITS = 16, 17, 18, 19
"""The pole: its nearest axis, its place on that face of the cube, the bits of each coordinate; -1 bits
where the pole is the x axis and nothing is coded."""
SPIN, SPIN_BITS = 20, 21
"""Angle of the other two axes about the pole, and its bits."""
BAND, MASK = 22, 23
"""Highest band of harmonics that is not all zero, and which of the three channels are not all zero."""
GUIDE = 24
"""The neighbour whose pole is the guess for that of the splat; -1 if there is none."""
FINE = 25
"""First of three: bits that follow those of the longest, the middle and the shortest log scale."""
SH = 28
"""First coefficient; they follow coefficient by coefficient, three channels each."""

CLASSES = 8
WINDOW = 8
"""How many splats back the nearest one is looked for."""
MAX_DROP = (1 << 15) - 1
"""Largest value of the two drops."""
MAX_AXIS_BITS = 21
"""Bits of a lattice coordinate within a chunk."""
MAX_SHIFT = 12
"""Most low bits that a large splat does without."""
MAX_FINE_BITS = 3
"""Further bits of a log scale."""
MAX_ROTATION_BITS = 10
"""Bits of a pole coordinate or of a spin."""
MAX_OPACITIES = 256
"""Most opacities that a file may tell apart."""
SMALL_SPLIT = 16
"""Cells of fewer splats code how many lie in the lower half; larger ones code it in sixteenths first."""

FAMILIES = (
    ("split", 14 + 12),
    ("opacity", 9),
    ("scale", 5),
    ("drop 2", 16),
    ("drop 3", 16),
    ("luma", CLASSES),
    ("chroma o", CLASSES),
    ("chroma g", CLASSES),
    ("face", 8),
    ("pole", 2 * 7),
    ("band", 16),
    ("mask", 8),
    ("coefficient", 120),
)
"""Name and number of contexts of each family of symbols; a family shares no table with another."""

(
    SPLIT_CONTEXT,
    OPACITY_CONTEXT,
    SCALE_CONTEXT,
    DROP_2_CONTEXT,
    DROP_3_CONTEXT,
    LUMA_CONTEXT,
    CHROMA_O_CONTEXT,
    CHROMA_G_CONTEXT,
    FACE_CONTEXT,
    POLE_CONTEXT,
    BAND_CONTEXT,
    MASK_CONTEXT,
    COEFFICIENT_CONTEXT,
    CONTEXTS,
) = (sum(count for _, count in FAMILIES[:index]) for index in range(len(FAMILIES) + 1))
"""First context of each family, and the number of all contexts."""

SECTION_OF_FAMILY = {
    "split": "positions",
    "scale": "scales",
    "drop 2": "scales",
    "drop 3": "scales",
    "opacity": "opacity",
    "luma": "colour",
    "chroma o": "colour",
    "chroma g": "colour",
    "face": "rotations",
    "pole": "rotations",
    "band": "SH",
    "mask": "SH",
    "coefficient": "SH",
}
"""Where the bytes of each family are counted."""

DIRECT = 16
"""Values below it are tokens of their own."""
TOKENS = 42
"""Tokens 16 and above stand for a leading one, the bit after it, and raw bits: values below 2^17."""
MAX_VALUE = (1 << 17) - 1

STATE_A, STATE_B, NEXT_WORD = 0, 1, 2
"""Places of the book, the array of integers that goes along with all passes: state of the entropy coder."""
CLASS_FROM, CLASS_SLOPE, OPACITY_SLOPE, FINE_BELOW = 3, 4, 5, 6
"""Where classes begin, and how they fall with size and opacity, in 65536ths of a class;
below which class log scales have further bits."""
SHIFT_FROM, SHIFT_SLOPE = 7, 8
"""Log scale where positions begin to coarsen, and how fast."""
PREDICT = 9
"""First of four pairs: mean of scale, luma, chroma o, chroma g, and eighths of trust in the neighbours."""
OPACITY_LEVELS = 17
"""Number of opacities."""
SH_BANDS = 18
"""Degree of the harmonics."""
TURNS = 19
"""First of the thresholds of ``turn_bits``."""
TURN_THRESHOLDS = 16
TABLE_OF = TURNS + TURN_THRESHOLDS
"""First of the tables of the contexts."""
BOOK = TABLE_OF + CONTEXTS
"""Length of the book."""
