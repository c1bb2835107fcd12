"""The pictures of the window in the documentation, taken from the sessions that come along.

    python scripts/pictures.py [--only NAME]

They are written to docs/. Without a display the window is drawn off screen.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from workbench.desktop.app import take_picture
from workbench.document import load, shipped

DOCS = Path(__file__).resolve().parents[1] / "docs"
# name, session, settings, step, views brought up
PICTURES = (
    ("window", "digits-exemplar", ("view.sample=242",), 100, ()),
    ("branches", "digits-lesion", (), 100, ()),
    ("why", "digits-exemplar", ("view.sample=242", "view.neuron=1264"), 96, ("why", "ledger")),
    (
        "map",
        "digits-exemplar",
        ("view.sample=242", "view.layout=debug", "view.neuron=1163"),
        96,
        ("phase", "regimes"),
    ),
)


def main() -> int:
    """Take them; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=[name for name, *_ in PICTURES])
    only = parser.parse_args().only
    for name, session, settings, step, views in PICTURES:
        if only not in (None, name):
            continue
        path = shipped()[session]
        document = load(path)
        for setting in settings:
            document = document.with_text(setting)
        take_picture(document, path, step, DOCS / f"{name}.png", (1440, 900), True, views)
        print(DOCS / f"{name}.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
