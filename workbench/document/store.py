"""Sessions on disk: ``.json``, or ``.workbench``, a zip that holds ``document.json``.

Saving writes a file aside and renames it, so that an interruption or a full disk leaves the old
file as it was.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import uuid
import zipfile
import zlib
from pathlib import Path
from typing import Any

from workbench.document.migrations import upgrade
from workbench.document.schema import Document
from workbench.errors import InputError

MEMBER = "document.json"
PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
LARGEST = 4 * 2**20  # bytes; a session takes about a thousand


def holds_data(path: str | os.PathLike[str]) -> bool:
    """Whether a path names images rather than a session: a folder, a zip, arrays."""
    path = Path(path)
    if path.suffix.lower() in (".json", ".workbench"):
        return False
    return os.path.isdir(path) or path.suffix.lower() in (".zip", ".npz", ".npy")


def is_picture(path: str | os.PathLike[str]) -> bool:
    """Whether a path names one picture rather than a session or a dataset."""
    return Path(path).suffix.lower() in PICTURES


def load(path: str | os.PathLike[str]) -> Document:
    """Read a session of any version.

    Raises:
        InputError: one line that starts with the path.
    """
    path = Path(path)
    zipped = _is_zipped(path)
    try:
        return Document.parse(upgrade(_decode(_content(path, zipped))))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def save(document: Document, path: str | os.PathLike[str]) -> None:
    """Write a session, whole or not at all.

    Raises:
        InputError: the file could not be written; what was there before is still there.
    """
    zipped = _is_zipped(Path(path))
    target = Path(os.path.realpath(path))  # a link stays a link; its file is replaced
    aside = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.tmp")
    # A folder's name may hold bytes that are no text; they are written as JSON escapes.
    content = document.to_json().encode("utf-8", "backslashreplace")
    try:
        if target.exists() and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, "the file is read-only")
        with open(aside, "xb") as file:
            if zipped:
                with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                    archive.writestr(MEMBER, content)
            else:
                file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, aside)
        os.replace(aside, target)
    except OSError as error:
        why = error.strerror or error
        raise InputError(f"{path}: not saved: {why}; what was there is unchanged") from None
    finally:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)


def shipped() -> dict[str, Path]:
    """The example sessions by name, in alphabetical order."""
    return {path.stem: path for path in sorted(_beside("sessions").glob("*.json"))}


def assets() -> Path:
    """The folder of icons and pictures."""
    return _beside("assets")


def _beside(name: str) -> Path:
    """A folder that ships with the workbench: inside it in a wheel, next to it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / name
    return inside if inside.is_dir() else package.parent / name


def _is_zipped(path: Path) -> bool:
    suffix = path.suffix.lower()
    if suffix not in (".json", ".workbench"):
        raise InputError(f"{path}: is not a session; its name must end in .json or .workbench")
    return suffix == ".workbench"


def _content(path: Path, zipped: bool) -> bytes:
    """The bytes of the JSON text, out of the zip where there is one."""
    if os.path.isdir(path):
        raise InputError("is a folder; a session is a .json or .workbench file")
    with open(path, "rb") as file:
        if not zipped:
            return _bounded(file.read(LARGEST + 1))
        try:
            with zipfile.ZipFile(file) as archive, archive.open(MEMBER) as member:
                return _bounded(member.read(LARGEST + 1))
        except KeyError:
            raise InputError(f"holds no {MEMBER}; it is not a session") from None
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as e:
            raise InputError(f"is not a whole zip file: {e}") from None


def _bounded(content: bytes) -> bytes:
    if len(content) > LARGEST:
        raise InputError(f"is larger than {LARGEST // 2**20} MiB; it is not a session")
    return content


def _decode(content: bytes) -> dict[str, Any]:
    try:
        values = json.loads(content.decode("utf-8-sig"), parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8 text (byte {error.start})") from None
    except json.JSONDecodeError as error:
        raise InputError(
            f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"is not JSON that can be read: {error}") from None
    if not isinstance(values, dict):
        raise InputError("must hold one JSON object with the key workbench")
    return values


def _refuse(constant: str) -> None:
    raise ValueError(f"it holds {constant}, and every number must be finite")
