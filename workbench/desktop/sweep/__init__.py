"""Sweeps from the window: what is varied, the work, and what came out."""
