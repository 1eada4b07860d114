"""Entropy coding: symbols to bytes and back, in integer arithmetic only."""
