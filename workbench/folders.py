"""Where the workbench keeps what is the user's: settings, log and cache."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def home() -> Path:
    """The user's folder; the environment variable ``WORKBENCH_HOME`` puts it elsewhere."""
    elsewhere = os.environ.get("WORKBENCH_HOME")
    return Path(elsewhere) if elsewhere else Path(platformdirs.user_config_dir("workbench", False))


def data() -> Path:
    """Where datasets are put that are downloaded from the window."""
    elsewhere = os.environ.get("WORKBENCH_HOME")
    if elsewhere:
        return Path(elsewhere) / "data"
    return Path(platformdirs.user_data_dir("workbench", False))


def cache() -> Path:
    """Where is kept what can be computed again."""
    elsewhere = os.environ.get("WORKBENCH_HOME")
    if elsewhere:
        return Path(elsewhere) / "cache"
    return Path(platformdirs.user_cache_dir("workbench", False))
