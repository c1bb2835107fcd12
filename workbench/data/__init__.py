"""Datasets: nothing but loading, splitting and shape."""
