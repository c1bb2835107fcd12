"""Watch spiking and sparse-coding networks think."""

__version__ = "0.1.0"
