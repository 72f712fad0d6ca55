"""Measurements against the targets of design 9; ratios are taken within one run."""
