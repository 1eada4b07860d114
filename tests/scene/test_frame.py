from itertools import product

import numpy as np
import pytest

from exgs.scene import Frame, SceneError

AXES = ["RDF", "RUB", "LUF", "RUF", "FRU", "BDL"]


@pytest.mark.parametrize("axes", ["", "RD", "RDFB", "RRF", "RLF", "RDX", "rdf", "DUB"])
def test_axes_that_name_no_frame(axes: str) -> None:
    with pytest.raises(SceneError, match="axes"):
        Frame(axes)


@pytest.mark.parametrize("unit", [0.0, -1.0, float("inf"), float("nan")])
def test_units_that_are_no_length(unit: float) -> None:
    with pytest.raises(SceneError, match="metres per unit"):
        Frame("RDF", unit)


@pytest.mark.parametrize(
    ("axes", "up", "vector"), [("RDF", "-y", (0, -1, 0)), ("RUB", "+y", (0, 1, 0)), ("FRU", "+z", (0, 0, 1))]
)
def test_up(axes: str, up: str, vector: tuple[int, int, int]) -> None:
    assert Frame(axes).up == up
    assert tuple(Frame(axes).up_vector) == vector


def test_known_conversions() -> None:
    """SPZ = (x, -y, -z) of PLY, glTF = (-x, -y, z) of PLY."""
    np.testing.assert_array_equal(Frame("RDF").to(Frame("RUB")), np.diag([1, -1, -1]))
    np.testing.assert_array_equal(Frame("RDF").to(Frame("LUF")), np.diag([-1, -1, 1]))


@pytest.mark.parametrize(("a", "b"), list(product(AXES, AXES)))
def test_conversions_undo_and_chain(a: str, b: str) -> None:
    there, back = Frame(a).to(Frame(b)), Frame(b).to(Frame(a))
    np.testing.assert_array_equal(back @ there, np.eye(3))
    np.testing.assert_array_equal(Frame("RUB").to(Frame(b)) @ Frame(a).to(Frame("RUB")), there)
    np.testing.assert_array_equal(there @ Frame(a).up_vector, Frame(b).up_vector)
