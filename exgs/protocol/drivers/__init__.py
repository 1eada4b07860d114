"""Shells that carry the protocol over a real or an in-memory transport."""
