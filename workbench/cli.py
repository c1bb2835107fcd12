"""The command line: open, run, sweep, reproduce, screenshot, info. Torch and Qt are imported late.

Exit codes: 0 done; 2 the user's input is wrong, said in one line; 1 our fault, with the traceback
in the log.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import faulthandler
import importlib.metadata
import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench import __version__, cli_reproduce, cli_store, cli_sweep
from workbench.display import has_display
from workbench.document import Document, holds_data, is_picture, load, sections, shipped
from workbench.errors import InputError
from workbench.folders import home

DEFAULT_SESSION = "digits-exemplar"
SMALLEST, LARGEST = (960, 600), (7680, 4320)  # pictures of the window, in pixels
LONGEST_LINE = 800  # characters of a complaint
MOST_LISTED = 10  # images named in a summary
log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    _set_up_process()
    if os.environ.get("RANK") and os.environ.get("WORLD_SIZE", "1") != "1":  # as torchrun sets them
        from workbench.engine import ending

        return ending.together(lambda shard: _outcome(arguments, shard), _complain)
    code, complaint = _outcome(arguments)
    if complaint:
        _complain(complaint)
    return code


def _outcome(arguments: list[str], shard: Any = None) -> tuple[int, str]:
    """Run one command; returns the exit code and what went wrong, in one line, or nothing.

    Args:
        shard: which part of the network this process holds, where there are several.
    """
    try:
        options = _parse(arguments)
        if shard is not None:
            if options.do is not _run:
                raise InputError("several processes can do `workbench run` and nothing else")
            options.shard = shard
        return options.do(options), ""
    except InputError as error:
        return 2, str(error)
    except KeyboardInterrupt:
        return 130, "stopped"
    except BrokenPipeError:  # who read our output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1, ""
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
            return 2, f"{error.filename}: the name is too long for a file"
        return 1, f"{type(error).__name__}: {error} ({_logged(arguments)})"


def gui() -> int:
    """The entry point without a console."""
    return main()


def _parse(arguments: list[str]) -> argparse.Namespace:
    commands = {
        "run": _run_parser,
        "sweep": _sweep_parser,
        "reproduce": _reproduce_parser,
        "screenshot": _screenshot_parser,
        "download": _download_parser,
        "cache": _cache_parser,
        "info": _info_parser,
    }
    if arguments and arguments[0] in commands:
        return commands[arguments[0]]().parse_args(arguments[1:])
    return _open_parser().parse_args(arguments)


def _set_up_process() -> None:
    """What must be settled before torch is imported or a line is written."""
    # Torch's threads would spin while they wait for each other. Beside any other busy process,
    # or our own window, each then waits for one that is not running: 2 to 10 times slower.
    # Where nobody else is busy, waking a thread takes longer than most waits: so a short spin.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    if os.environ.get("RANK"):  # where one process of several fails, our own line is enough
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # there is none without a console
            stream.reconfigure(errors="backslashreplace")  # λ on a terminal that has no Greek


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def __init__(self, **settings: str) -> None:
        super().__init__(**settings, allow_abbrev=False)

    def error(self, message: str) -> None:
        raise InputError(f"{message}; see {self.prog} --help")


def _open_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="workbench",
        description="Watch spiking and sparse-coding networks think.",
        epilog="Other commands: workbench run, sweep, reproduce, screenshot, download, cache, "
        f"info; each has --help. Examples to open by name: {', '.join(shipped())}.",
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
    parser.add_argument(
        "--out", type=_folder, metavar="DIR", help="write results and figures there"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object to stdout")
    parser.set_defaults(do=_run, shard=None)
    return parser


def _sweep_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="workbench sweep", description="Run a session under many values of its parameters."
    )
    _add_session(parser)
    cli_sweep.add_sweep(parser)
    parser.set_defaults(do=_sweep)
    return parser


def _reproduce_parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="workbench reproduce", description="Recompute what a paper claims.")
    cli_reproduce.add_reproduce(parser)
    return parser


def _screenshot_parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="workbench screenshot", description="A picture of the window at a step.")
    _add_session(parser)
    parser.add_argument("--step", type=int, required=True, metavar="K", help="the time step")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.png")
    parser.add_argument("--size", type=_size, default=(1440, 900), metavar="WxH")
    parser.add_argument("--dark", action="store_true", help="with the dark theme")
    parser.add_argument(
        "--show",
        action="append",
        default=[],
        metavar="VIEW",
        help="a view to bring up, such as why, regimes, phase or confusion; may be repeated",
    )
    parser.set_defaults(do=_screenshot)
    return parser


def _info_parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="workbench info", description="Versions, folders, systems, examples.")
    parser.set_defaults(do=_info)
    return parser


def _download_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="workbench download", description="Fetch a dataset or the weights of a backbone."
    )
    cli_store.add_download(parser)
    return parser


def _cache_parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="workbench cache", description="List or clear the cached features.")
    cli_store.add_cache(parser)
    return parser


def _add_session(parser: argparse.ArgumentParser, optional: bool = False) -> None:
    parser.add_argument(
        "session",
        nargs="?" if optional else None,
        default=DEFAULT_SESSION,
        help="a session file, the name of an example, images (a folder, a zip, a .npz), or one "
        "picture to be coded",
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
    if not text.isdecimal() or len(text) > 9 or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number of at least 1")
    return int(text)


def _folder(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("'' must be the name of a folder")
    return Path(text)


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if width.isdecimal() and height.isdecimal() and len(text) < 20:
        size = int(width), int(height)
        if SMALLEST[0] <= size[0] <= LARGEST[0] and SMALLEST[1] <= size[1] <= LARGEST[1]:
            return size
    raise argparse.ArgumentTypeError(
        f"{text!r} must be WIDTHxHEIGHT from {SMALLEST[0]}x{SMALLEST[1]} to "
        f"{LARGEST[0]}x{LARGEST[1]}, such as 1440x900"
    )


def _session(options: argparse.Namespace) -> tuple[Document, Path]:
    """The document that was asked for, with its changes, and where it came from."""
    examples = shipped()
    path = examples.get(options.session, Path(options.session))
    if not options.session:
        raise InputError("'': must be a session file, the name of an example, or images")
    if not path.suffix and not os.path.exists(path):
        raise InputError(
            f"{options.session}: no such file or example; the examples are {', '.join(examples)}"
        )
    default = examples[DEFAULT_SESSION]
    if holds_data(path):
        document, path = load(default).on_data(path), default
    elif is_picture(path):
        if not os.path.isfile(path):  # a name may be too long to be asked for
            raise InputError(f"{path}: there is no such picture")
        picture = str(path.resolve())
        document, path = load(default).with_value("view.picture", picture), default
    else:
        document = load(path)
    for assignment in options.assignments:
        document = document.with_text(assignment)
    return document, path


def _open(options: argparse.Namespace) -> int:
    document, path = _session(options)
    if not has_display():
        raise InputError(
            "there is no display to open the window on; "
            f"`workbench run {options.session}` does the same job without one"
        )
    with contextlib.suppress(OSError):  # the window opens where no log can be written, too
        faulthandler.enable(_start_log().open("a", encoding="utf-8"))
    # without a session of their own, people are shown the network at work
    return _desktop().open_window(document, path, run=options.session == DEFAULT_SESSION)


def _evaluated(options: argparse.Namespace, command: str) -> Document:
    """The document that was asked for, if it has a test set."""
    document, _ = _session(options)
    if is_picture(options.session):
        raise InputError(
            f"{options.session}: is one picture, and `workbench {command}` codes a test set; "
            f"`workbench {options.session}` opens the window on it"
        )
    return document


def _sweep(options: argparse.Namespace) -> int:
    return cli_sweep.sweep(options, _evaluated(options, "sweep"), _Progress())


def _run(options: argparse.Namespace) -> int:
    document = _evaluated(options, "run")
    from workbench.engine import results
    from workbench.engine.evaluation import evaluate
    from workbench.engine.experiment import prepare
    from workbench.systems.protocol import WHOLE

    shard = options.shard or WHOLE
    first = shard.rank == 0  # of several processes this one alone speaks and writes
    if first and options.out is not None:
        results.make_folder(options.out)  # before the work, not after it
    progress = _Progress(silent=not first)
    experiment = prepare(
        document,
        report=lambda text: progress.pass_on(f"{text} …"),
        samples=options.samples,
        shard=shard,
    )
    for note in experiment.notes:
        progress.say(f"Note: {note}")
    for evaluation in evaluate(experiment, options.samples):
        if evaluation.stage:
            progress.pass_on(evaluation.stage)
            continue
        left = f", {evaluation.seconds_left:.0f} s left" if evaluation.seconds_left >= 1 else ""
        progress.say(f"Coded {evaluation.done} of {evaluation.total} images{left}")
    if not first:
        return 0
    if options.out is not None:
        for path in results.write(options.out, evaluation, experiment):
            progress.say(f"Wrote {path}")
    progress.end()
    found = results.as_object(evaluation, experiment)
    print(json.dumps(found, allow_nan=False) if options.json else _summary(found), flush=True)
    return 0


class _Progress:
    """Lines about the work, held back for a moment: what is refused at once is one line."""

    HELD = 3.0  # seconds
    PACE = 1.0  # seconds between two lines of the same work

    def __init__(self, silent: bool = False) -> None:
        self._silent = silent
        self._passing, self._passed_at = "", 0.0
        self._lines: list[str] = []
        self._started = time.monotonic()

    def say(self, line: str) -> None:
        self._lines.append(line)
        if time.monotonic() - self._started >= self.HELD:
            self.end()

    def pass_on(self, line: str) -> None:
        """Say a line of a long row of them, if it is not too soon after the last."""
        now = time.monotonic()
        words = line.partition(" ")[0]  # another first word: another kind of work
        if words != self._passing or now - self._passed_at >= self.PACE:
            self._passing, self._passed_at = words, now
            self.say(line)

    def end(self) -> None:
        """Nothing will be refused any more."""
        for line in [] if self._silent else self._lines:
            _say(line)
        self._lines.clear()


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
    if "unconverged" in found["certificate"]:
        lines.append(_convergence(found))
    lines.append(f"fingerprint {found['fingerprint']}")
    return "\n".join(lines)


def _convergence(found: dict) -> str:
    """Who did not converge, or after how many steps all had."""
    missed, steps = found["certificate"]["unconverged"], found["certificate"]["steps"]
    images = f"{found['samples']} image{'s' if found['samples'] > 1 else ''}"
    if not missed:
        took = f"after {steps['mean']:.1f} steps on average, at most {steps['max']}"
        return f"{images} converged, {took}"
    listed = ", ".join(map(str, missed[:MOST_LISTED])) + ", …" * (len(missed) > MOST_LISTED)
    return f"{len(missed)} of {images} did not converge within {found['steps']} steps: {listed}"


def _screenshot(options: argparse.Namespace) -> int:
    document, path = _session(options)
    if options.step < 0:
        raise InputError(f"--step {options.step}: must be a whole number of at least 0")
    if options.out.suffix.lower() != ".png":
        raise InputError(f"--out {options.out}: must be a .png file")
    try:
        options.out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {options.out}: {error.strerror or error}") from error
    if not has_display():
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        os.environ.setdefault("QT_LOGGING_RULES", "default.warning=false")  # what it cannot do
    shown = _desktop().take_picture(
        document, path, options.step, options.out, options.size, options.dark, options.show
    )
    note = "" if shown == options.step else f" (the run ends at step {shown})"
    _say(f"Wrote {options.out}{note}")
    return 0


def _info(options: argparse.Namespace) -> int:
    from workbench.data import torchvision_compat

    torchvision_compat.ensure()
    import torch

    from workbench import systems
    from workbench.engine import devices
    from workbench.parameters import declared

    print(f"workbench {__version__}, Python {sys.version.split()[0]}")
    for name in ("torch", "torchvision", "PySide6-Essentials", "pyqtgraph", "scikit-learn"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            print(f"  {name} {importlib.metadata.version(name)}")
    print(f"  threads {torch.get_num_threads()}")
    print(f"  devices {', '.join(map(devices.described, devices.there()))}")
    print(f"settings and log: {home()}")
    print("\n".join(cli_store.listing()))
    print("examples: " + ", ".join(shipped()))
    for section, model in sections().items():
        print(f"{section}:")
        _list_parameters(section, declared(model))
    for kind, system in systems.kinds().items():
        print(f"system {kind}: {system.summary}")
        _list_parameters("system", declared(system.Params))
    return 0


def _list_parameters(section: str, parameters: Sequence[Any]) -> None:
    for parameter in parameters:
        name = f"{section}.{parameter.name}"
        default = "null" if parameter.default is None else parameter.default
        print(f"  {name:<30} {parameter.symbol:<6} {default!s:<8} {parameter.allowed}")


def _desktop():
    """The window's module; says in one line when Qt cannot be loaded."""
    try:
        from workbench.desktop import app
    except ImportError as error:
        if (error.name or "").startswith("workbench"):
            raise  # our fault
        raise InputError(f"the window cannot be opened, Qt does not load: {error}") from error
    return app


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _complain(text: str) -> None:
    line = " ".join(text.splitlines())
    if len(line) > LONGEST_LINE:  # somebody's value is echoed whole
        line = f"{line[: LONGEST_LINE // 2]} … {line[-LONGEST_LINE // 2 :]}"
    _say(f"workbench: {line}")


def _logged(arguments: list[str]) -> str:
    """Write the error being handled to the log; says where it can be read."""
    try:
        path = _start_log()
    except OSError as error:
        traceback.print_exc()
        return f"no log could be written: {error}"
    log.exception("workbench %s", " ".join(arguments))
    return f"details in {path}"


def _start_log() -> Path:
    """Write log records to a file; returns its path."""
    path = home() / "workbench.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    root = logging.getLogger("workbench")
    files = [handler.baseFilename for handler in root.handlers if hasattr(handler, "baseFilename")]
    if os.path.abspath(path) not in files:
        handler = logging.FileHandler(path, encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
        root.addHandler(handler)
    return path
