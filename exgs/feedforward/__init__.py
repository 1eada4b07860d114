"""Turns posed pictures into Gaussians in one forward pass."""
