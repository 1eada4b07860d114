"""Keeps the nearest truth at hand and shows it in time."""
