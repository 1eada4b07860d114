"""Repairs a rendered picture in one step."""
