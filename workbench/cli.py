"""The command line: open, run, screenshot, info. Torch and Qt are imported only when needed.

Exit codes: 0 done; 2 the user's input is wrong, said in one line; 1 our fault, with the traceback
in the log.
"""

from __future__ import annotations

import argparse
import faulthandler
import importlib.metadata
import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from workbench import __version__
from workbench.document import Document, load, shipped
from workbench.errors import InputError
from workbench.folders import home

DEFAULT_SESSION = "digits-exemplar"
log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        options = _parse(arguments)
        return options.do(options)
    except InputError as error:
        print(f"workbench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("workbench: stopped", file=sys.stderr)
        return 130
    except Exception as error:
        path = _start_log()
        log.exception("workbench %s", " ".join(arguments))
        print(f"workbench: {type(error).__name__}: {error} (details in {path})", file=sys.stderr)
        return 1


def gui() -> int:
    """The entry point without a console."""
    return main()


def _parse(arguments: list[str]) -> argparse.Namespace:
    commands = {"run": _run_parser, "screenshot": _screenshot_parser, "info": _info_parser}
    if arguments and arguments[0] in commands:
        return commands[arguments[0]]().parse_args(arguments[1:])
    return _open_parser().parse_args(arguments)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> None:
        raise InputError(f"{message}; see {self.prog} --help")


def _open_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="workbench",
        description="Watch spiking and sparse-coding networks think.",
        epilog="Other commands: workbench run, workbench screenshot, workbench info; "
        f"each has --help. Examples to open by name: {', '.join(shipped())}.",
    )
    _add_session(parser, optional=True)
    parser.add_argument("--version", action="version", version=f"workbench {__version__}")
    parser.set_defaults(do=_open)
    return parser


def _run_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="workbench run", description="Code and classify the test set without a display."
    )
    _add_session(parser)
    parser.add_argument("--samples", type=_count, metavar="N", help="only the first N test images")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write results and figures there")
    parser.add_argument("--json", action="store_true", help="print one JSON object to stdout")
    parser.set_defaults(do=_run)
    return parser


def _screenshot_parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="workbench screenshot", description="A picture of the window at a step.")
    _add_session(parser)
    parser.add_argument("--step", type=int, required=True, metavar="K", help="the time step")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.png")
    parser.add_argument("--size", type=_size, default=(1440, 900), metavar="WxH")
    parser.add_argument("--dark", action="store_true", help="with the dark theme")
    parser.set_defaults(do=_screenshot)
    return parser


def _info_parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="workbench info", description="Versions, folders, systems, examples.")
    parser.set_defaults(do=_info)
    return parser


def _add_session(parser: argparse.ArgumentParser, optional: bool = False) -> None:
    parser.add_argument(
        "session",
        nargs="?" if optional else None,
        default=DEFAULT_SESSION,
        help="a session file, or the name of an example",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="SECTION.KEY=VALUE",
        dest="assignments",
        help="change the session, such as --set system.threshold=0.5",
    )


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number of at least 1")
    return int(text)


def _size(text: str) -> tuple[int, int]:
    width, cross, height = text.partition("x")
    if not (cross and width.isdigit() and height.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} must be WIDTHxHEIGHT, such as 1440x900")
    return int(width), int(height)


def _session(options: argparse.Namespace) -> tuple[Document, Path]:
    """The document that was asked for, with its changes, and where it came from."""
    path = shipped().get(options.session, Path(options.session))
    document = load(path)
    for assignment in options.assignments:
        document = document.with_text(assignment)
    return document, path


def _open(options: argparse.Namespace) -> int:
    document, path = _session(options)
    if not _has_display():
        raise InputError(
            "there is no display to open the window on; "
            f"`workbench run {options.session}` does the same job without one"
        )
    faulthandler.enable(_start_log().open("a", encoding="utf-8"))
    # without a session of their own, people are shown the network at work
    return _desktop().open_window(document, path, run=options.session == DEFAULT_SESSION)


def _run(options: argparse.Namespace) -> int:
    document, _ = _session(options)
    from workbench.engine import results
    from workbench.engine.evaluation import evaluate
    from workbench.engine.experiment import prepare

    experiment = prepare(document, report=lambda text: _say(f"{text} …"))
    evaluation = None
    for evaluation in evaluate(experiment, options.samples):
        left = f", {evaluation.seconds_left:.0f} s left" if evaluation.seconds_left >= 1 else ""
        _say(f"Coded {evaluation.done} of {evaluation.total} images{left}")
    if options.out is not None:
        for path in results.write(options.out, evaluation, experiment):
            _say(f"Wrote {path}")
    found = results.as_object(evaluation, experiment)
    print(json.dumps(found, ensure_ascii=False) if options.json else _summary(found))
    return 0


def _summary(found: dict) -> str:
    """The result in a few lines."""
    lines = [f"{found['samples']} test images, {found['steps']} steps"]
    for name, value in found["accuracy"].items():
        if value is not None:
            lines.append(f"accuracy, {name} decoder: {100 * value:.2f} %")
    counts = found["firing_counts"]
    if counts:
        peak = max(range(len(counts)), key=counts.__getitem__)
        lines.append(f"firing neurons: at most {counts[peak]:.1f} (step {peak}), mean per image")
    total = found["energy"]["total"]
    if total:
        end = "not finite: the network diverged" if total[-1] is None else f"{total[-1]:.4g}"
        lines.append(f"energy: {total[0]:.4g} at the start, {end} at the end")
    lines.append(f"fingerprint {found['fingerprint']}")
    return "\n".join(lines)


def _screenshot(options: argparse.Namespace) -> int:
    document, path = _session(options)
    if options.step < 0:
        raise InputError(f"--step {options.step}: must be a whole number of at least 0")
    if options.out.suffix.lower() != ".png":
        raise InputError(f"--out {options.out}: must be a .png file")
    if not _has_display():
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    options.out.parent.mkdir(parents=True, exist_ok=True)
    shown = _desktop().take_picture(
        document, path, options.step, options.out, options.size, options.dark
    )
    note = "" if shown == options.step else f" (the run ends at step {shown})"
    _say(f"Wrote {options.out}{note}")
    return 0


def _info(options: argparse.Namespace) -> int:
    from workbench.data import torchvision_compat

    torchvision_compat.ensure()
    import torch

    from workbench import systems
    from workbench.parameters import declared

    print(f"workbench {__version__}, Python {sys.version.split()[0]}")
    for name in ("torch", "torchvision", "PySide6-Essentials", "pyqtgraph", "scikit-learn"):
        print(f"  {name} {importlib.metadata.version(name)}")
    print(f"  threads {torch.get_num_threads()}")
    print(f"settings and log: {home()}")
    print("examples: " + ", ".join(shipped()))
    for kind, system in systems.kinds().items():
        print(f"system {kind}: {system.summary}")
        for parameter in declared(system.Params):
            name = f"system.{parameter.name}"
            default = "null" if parameter.default is None else parameter.default
            print(f"  {name:<24} {parameter.symbol:<6} {default!s:<8} {parameter.allowed}")
    return 0


def _desktop():
    """The window's module; says in one line when Qt cannot be loaded."""
    try:
        from workbench.desktop import app
    except ImportError as error:
        raise InputError(f"the window cannot be opened, Qt does not load: {error}") from error
    return app


def _has_display() -> bool:
    """Whether a window can be shown; on Windows and macOS there always is a display."""
    if sys.platform in ("win32", "darwin") or os.environ.get("QT_QPA_PLATFORM"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _start_log() -> Path:
    """Write log records to a file; returns its path."""
    path = home() / "workbench.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    root = logging.getLogger("workbench")
    if not root.handlers:
        handler = logging.FileHandler(path, encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
        root.addHandler(handler)
    return path
