"""Set up the workbench in its own environment and open it, or run its tests.

    python3 start.py [arguments of workbench]    open the window (without a display: run and draw)
    python3 start.py test [arguments of pytest]  check the imports and the style, run the tests

Needs Python 3.11 or newer and nothing else. Everything goes into the folder .venv beside this
file; what Qt needs of a Linux system is installed where that is possible without asking.
"""

import ctypes
import hashlib
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036  (older Pythons read this far, and no further)
    sys.exit(
        f"start.py needs Python 3.11 or newer; this is {sys.version.split()[0]} ({sys.executable})"
    )

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "set-up.txt"  # what is installed; written last, so that an interruption shows
IN_PROGRESS = "in progress"
# the tests share two processes, file by file; one window at a time in each
SPREAD = ("-n", "2", "--dist", "loadfile")

# What Qt loads from a Linux system: always, and for a window on a screen. Each library with its
# package for apt and for pacman; dnf and zypper find a package by the name of the library.
LIBRARIES = {
    "libEGL.so.1": ("libegl1", "libglvnd"),
    "libGL.so.1": ("libgl1", "libglvnd"),
    "libX11.so.6": ("libx11-6", "libx11"),
    "libxkbcommon.so.0": ("libxkbcommon0", "libxkbcommon"),
    "libdbus-1.so.3": ("libdbus-1-3", "dbus"),
    "libfontconfig.so.1": ("libfontconfig1", "fontconfig"),
    "libglib-2.0.so.0": ("libglib2.0-0", "glib2"),
    "libzstd.so.1": ("libzstd1", "zstd"),
}
SCREEN_LIBRARIES = {
    "libxcb-cursor.so.0": ("libxcb-cursor0", "xcb-util-cursor"),
    "libxkbcommon-x11.so.0": ("libxkbcommon-x11-0", "libxkbcommon-x11"),
    "libxcb-icccm.so.4": ("libxcb-icccm4", "xcb-util-wm"),
    "libxcb-keysyms.so.1": ("libxcb-keysyms1", "xcb-util-keysyms"),
    "libxcb-image.so.0": ("libxcb-image0", "xcb-util-image"),
    "libxcb-render-util.so.0": ("libxcb-render-util0", "xcb-util-renderutil"),
    "libxcb-util.so.1": ("libxcb-util1", "xcb-util"),
    "libxcb-randr.so.0": ("libxcb-randr0", "libxcb"),
    "libxcb-render.so.0": ("libxcb-render0", "libxcb"),
    "libxcb-shape.so.0": ("libxcb-shape0", "libxcb"),
    "libxcb-shm.so.0": ("libxcb-shm0", "libxcb"),
    "libxcb-sync.so.1": ("libxcb-sync1", "libxcb"),
    "libxcb-xfixes.so.0": ("libxcb-xfixes0", "libxcb"),
    "libxcb-xkb.so.1": ("libxcb-xkb1", "libxcb"),
    "libX11-xcb.so.1": ("libx11-xcb1", "libx11"),
}
INSTALL = {
    "apt-get": ["apt-get", "install", "-y", "--no-install-recommends"],
    "dnf": ["dnf", "install", "-y"],
    "zypper": ["zypper", "--non-interactive", "install"],
    "pacman": ["pacman", "-S", "--needed", "--noconfirm"],
}
FONTS = {
    "apt-get": "fonts-dejavu-core",
    "dnf": "dejavu-sans-fonts",
    "zypper": "dejavu-fonts",
    "pacman": "ttf-dejavu",
}


class Stop(Exception):
    """Set-up cannot go on; the message says why and what to do."""


def main(arguments: list[str]) -> int:
    """Do what the command line asks; the exit code of the last command that failed, or 0."""
    try:
        if arguments[:1] == ["test"]:
            prepare(extra="test", window=False)
            return run_tests(arguments[1:])
        display = has_display()
        prepare(extra="", window=display)
        if not display and not arguments:
            return run_without_display()
        return become([str(python()), "-m", "workbench", *arguments])
    except Stop as reason:
        print(f"start.py: {reason}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("start.py: interrupted; the same command begins again", file=sys.stderr)
        return 130


def prepare(extra: str, window: bool) -> None:
    """Everything the workbench needs, of the system and of Python; nothing if it is there."""
    if sys.platform == "linux":
        provide_libraries(window)
    if stamp_of(extra) in installed():
        return
    provide_venv()
    set_up(extra)


def run_tests(arguments: list[str]) -> int:
    """The import contracts, the style and the tests; all of them, also after one failed."""
    commands = [
        [str(tool("lint-imports"))],
        [str(tool("ruff")), "check", "."],
        [str(python()), "-m", "pytest", *SPREAD, *arguments],
    ]
    codes = []
    for command in commands:
        say(f"Running {Path(command[0]).stem} {' '.join(command[1:])}".rstrip())
        codes.append(subprocess.call(command, cwd=ROOT))
    return next((code for code in codes if code), 0)


def run_without_display() -> int:
    """Do the default session's job with files in place of a window."""
    say("There is no display: running the default session into files.")
    session = str(Path("sessions", "digits-exemplar.json"))
    figures, picture = Path("out", "digits-exemplar"), Path("out", "window.png")
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    for command in (
        ["run", session, "--out", str(figures)],
        ["screenshot", session, "--step", "44", "--out", str(picture)],
    ):
        workbench = [str(python()), "-m", "workbench", *command]
        code = subprocess.call(workbench, cwd=ROOT, env=environment)
        if code:
            return code
    say(f"Results and figures: {ROOT / figures}")
    say(f"Picture of the window: {ROOT / picture}")
    return 0


def become(command: list[str]) -> int:
    """Go on as another program, which then gets the signals; Windows has no such thing."""
    if os.name == "posix":
        sys.stdout.flush()
        os.execv(command[0], command)
    return subprocess.call(command)


def has_display() -> bool:
    """Whether a window can be shown; only Linux runs without."""
    return sys.platform != "linux" or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )


# Python's side


def python() -> Path:
    """The interpreter of the environment."""
    return tool("python")


def tool(name: str) -> Path:
    """A program of the environment."""
    return (
        VENV
        / ("Scripts" if os.name == "nt" else "bin")
        / (name + (sysconfig.get_config_var("EXE") or ""))
    )


def stamp_of(extra: str) -> str:
    """What tells one set-up from another: what is asked for, which versions, and the folder."""
    content = b"".join((ROOT / n).read_bytes() for n in ("pyproject.toml", "constraints.txt"))
    digest = hashlib.sha256(content + os.fsencode(ROOT)).hexdigest()
    return f"{digest} {extra or 'workbench'}"


def installed() -> list[str]:
    """The stamps of what is set up; none if the interpreter is gone."""
    if not (python().exists() and STAMP.exists()):
        return []
    return STAMP.read_text(encoding="utf-8").splitlines()


def set_up(extra: str) -> None:
    """Make the environment and install the workbench with the tested versions into it."""
    if VENV.exists() and not STAMP.exists() and any(VENV.iterdir()):
        raise Stop(f"{VENV} was not made by start.py; move it away and start again")
    if VENV.exists() and (not python().exists() or installed() == [IN_PROGRESS]):
        say("The last set-up was not finished; beginning anew.")
        shutil.rmtree(VENV)
    VENV.mkdir(exist_ok=True)
    STAMP.write_text(IN_PROGRESS, encoding="utf-8")
    if not python().exists():
        say(f"[1/2] Making an environment in {VENV}")
        run([sys.executable, "-m", "venv", str(VENV)], "The environment could not be made")
    say("[2/2] Installing the workbench (the first time takes minutes)")
    what = f".[{extra}]" if extra else "."
    run(
        [str(python()), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
        + ["-c", "constraints.txt", "-e", what],
        "The packages could not be installed (is there a network?)",
    )
    # The tests need all that the window needs.
    stamps = {stamp_of(extra), stamp_of("")}
    STAMP.write_text("\n".join(sorted(stamps)), encoding="utf-8")
    say("Set up.")


def provide_venv() -> None:
    """Debian splits ensurepip off Python; bring it back."""
    if importlib.util.find_spec("ensurepip"):
        return
    package = "python{}.{}-venv".format(*sys.version_info)
    if manager() != "apt-get":
        raise Stop(f"this Python ({sys.executable}) has no ensurepip; install its venv package")
    install_packages([package], "This Python cannot make environments")
    importlib.invalidate_caches()
    if not importlib.util.find_spec("ensurepip"):
        raise Stop(f"{package} is installed, but {sys.executable} still has no ensurepip")


def run(command: list[str], failure: str) -> None:
    """Run a command, once more if it fails: most failures here are the network's."""
    for attempt in (1, 2):
        if subprocess.call(command, cwd=ROOT, stdin=subprocess.DEVNULL) == 0:
            return
        if attempt == 1:
            say("That failed; trying once more.")
    raise Stop(f"{failure}. What failed: {shlex.join(command)}")


# The system's side


def provide_libraries(window: bool) -> None:
    """Install the libraries and the font that Qt misses, or say how."""
    wanted = LIBRARIES | (SCREEN_LIBRARIES if window else {})
    missing = [name for name in wanted if not loads(name)]
    if not missing and has_font():
        return
    packages = [package_of(name, wanted[name]) for name in missing]
    if not has_font():
        packages.append(FONTS.get(manager(), "DejaVu fonts"))
    what = ", ".join(missing + ([] if has_font() else ["a font"]))
    try:
        install_packages(list(dict.fromkeys(packages)), f"Qt needs {what} of the system")
    except Stop as reason:
        if set(missing) & set(LIBRARIES):
            raise
        # Without its own libraries for X11, Qt may still find Wayland; without a font, boxes.
        print(f"start.py: {reason}", file=sys.stderr)


def loads(library: str) -> bool:
    """Whether the system finds a library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def has_font() -> bool:
    """Whether there is a font that Qt can draw with."""
    folders = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")
    return any(
        path.suffix.lower() in (".ttf", ".otf", ".ttc")
        for folder in folders
        for path in Path(folder).expanduser().rglob("*")
    )


def manager() -> str:
    """The system's package manager, or nothing."""
    return next((name for name in INSTALL if shutil.which(name)), "")


def package_of(library: str, names: tuple[str, str]) -> str:
    """What the package manager knows a library by."""
    by_name = {"apt-get": names[0], "pacman": names[1]}
    return by_name.get(manager(), f"{library}()(64bit)" if manager() else library)


def install_packages(packages: list[str], why: str) -> None:
    """Install packages of the system if nobody has to be asked; else say what to type."""
    if not manager():
        raise Stop(f"{why}, and no package manager is known here; install: {', '.join(packages)}")
    command = INSTALL[manager()] + packages
    root = os.geteuid() == 0
    if not root and not may_sudo():
        raise Stop(f"{why}. Type this, then start again:\n    sudo {shlex.join(command)}")
    prefix = [] if root else ["sudo", "-n"]
    say(f"{why}. Installing: {' '.join(packages)}")
    if manager() == "apt-get":
        prefix += ["env", "DEBIAN_FRONTEND=noninteractive"]
        if subprocess.call([*prefix, "apt-get", "update", "-q"], stdin=subprocess.DEVNULL):
            say("Not every list of packages could be fetched; trying with those there are.")
    by_hand = shlex.join(command if root else ["sudo", *command])
    run(prefix + command, f"{why}, and could not be installed; by hand: {by_hand}")


def may_sudo() -> bool:
    """Whether sudo works without a password."""
    return bool(shutil.which("sudo")) and (
        subprocess.call(["sudo", "-n", "true"], stderr=subprocess.DEVNULL) == 0
    )


def say(line: str) -> None:
    """One line of progress."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
