"""The walls of the desktop: it names no system, and needs no torch to show its window."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import workbench
from workbench.systems import kinds

PACKAGE = Path(workbench.__file__).parent
DESKTOP = sorted((PACKAGE / "desktop").rglob("*.py"))


def run(code: str, root: Path, home: Path) -> str:
    """Run Python on the package below ``root``; returns what it printed."""
    environment = os.environ | {
        "PYTHONPATH": str(root),
        "QT_QPA_PLATFORM": "offscreen",
        "WORKBENCH_HOME": str(home),
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_no_line_of_the_desktop_names_a_system():
    names = {name for kind, system in kinds().items() for name in (kind, system.__name__)}
    word = re.compile(rf"\b({'|'.join(map(re.escape, names))})\b", re.IGNORECASE)
    found = [
        f"{path.relative_to(PACKAGE)}:{number}: {line.strip()}"
        for path in DESKTOP
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if word.search(line)
    ]
    assert not found


def test_the_window_is_painted_before_torch_is_imported(tmp_path):
    code = """
import sys
from pathlib import Path
from workbench.desktop import app
from workbench.desktop.settings import Settings
from workbench.desktop.window import Window
from workbench.document import load, shipped
path = shipped()["digits-lesion"]
qt = app.application()
window = Window(load(path), path, Settings(Path("settings.json")))
window.show()
qt.processEvents()
heavy = {"torch", "torchvision", "sklearn", "skimage", "matplotlib"} & set(sys.modules)
print(sorted(heavy))
"""
    assert run(code, PACKAGE.parent, tmp_path).strip() == "[]"


def test_a_window_without_the_lca_system_still_opens_the_other(tmp_path):
    for folder in ("workbench", "assets", "sessions"):
        source = PACKAGE if folder == "workbench" else PACKAGE.parent / folder
        if source.is_dir():
            junk = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, tmp_path / "copy" / folder, ignore=junk)
    (tmp_path / "copy" / "workbench" / "systems" / "lca.py").unlink()
    home = tmp_path / "home"
    home.mkdir()
    code = """
import importlib, pkgutil
import workbench.desktop
for module in pkgutil.walk_packages(workbench.desktop.__path__, "workbench.desktop."):
    importlib.import_module(module.name)
from pathlib import Path
from workbench import systems
from workbench.desktop.app import take_picture
from workbench.document import load, shipped
assert "lca" not in systems.kinds()
path = shipped()["lif-population"]
print(take_picture(load(path), path, 12, Path("lif.png"), (1280, 800), False))
print(Path(workbench.desktop.__file__))
"""
    printed = run(code, tmp_path / "copy", home).splitlines()
    assert printed[0] == "12"
    assert str(tmp_path) in printed[1]  # it was the copy
    assert (home / "lif.png").stat().st_size > 10_000
