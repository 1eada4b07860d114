"""A scene of eight Gaussians of degree 1 in a row, one unit ahead of a head at the origin: to warm up with.

A file of bitstream version 1, which is frozen: it decodes for ever.
"""

from __future__ import annotations

import base64

SAMPLE = base64.b85decode(
    "iB(5K0RR91fdBviCIJDOnVG%-000000DwP~Lz_P1rJFmZn}9zbh3h^-"
    "VC6f_%*;Fq_%fOURSy9H0RaL81|eYG0oVi02e%K4AG1Et0e}hs0OO?_JO|K%Dqs-"
    "60RR910000000000000O80YCs?fCNBzi(%{s4nBaVogW7Z0PltY0BC6f=z}d;WB"
)
"""The bytes of the file."""
