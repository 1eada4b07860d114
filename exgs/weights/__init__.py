"""Where the weights of networks are found, what stands beside them, and that they are whole."""

from exgs.weights.errors import WeightsError
from exgs.weights.manifest import Manifest
from exgs.weights.shelf import Weights, open_weights, shipped

__all__ = ["Manifest", "Weights", "WeightsError", "open_weights", "shipped"]
