"""The parameters of a TorchScript archive, read without compiling or running its code.

``torch.jit.load`` runs what an archive says (a module's ``__setstate__``), and TorchScript can read
and write files; so it is not used. An archive is a zip: ``data.pkl`` is a pickle of the modules,
``data/KEY`` are the numbers of their tensors. The unpickler here makes tensors, plain values and
bare holders of attributes in place of modules; anything else it meets is refused.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

_TYPES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}


def is_archive(path: Path) -> bool:
    """Whether a file is a TorchScript archive; a zip of a plain state dict is none."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def parameters(path: Path) -> dict[str, Tensor]:
    """Parameters and buffers of an archive by name, as in a state dict.

    Raises:
        pickle.UnpicklingError: it holds other objects than modules of plain tensors.
        Exception: it is damaged; zip, pickle and torch each raise their own.
    """
    with zipfile.ZipFile(path) as archive:
        (inside,) = (n for n in archive.namelist() if n.count("/") == 1 and n.endswith("/data.pkl"))
        reader = _Reader(archive, inside.removesuffix(".pkl"))
        return dict(_named(reader.load(), ""))


class _Module:
    """Stands for any module: its attributes, none of its code."""

    attributes: Any = None

    def __setstate__(self, attributes: Any) -> None:
        self.attributes = attributes


def _named(module: _Module, prefix: str) -> Iterator[tuple[str, Tensor]]:
    if not isinstance(module, _Module) or not isinstance(module.attributes, dict):
        raise pickle.UnpicklingError("a module of an unknown form")
    for name, value in module.attributes.items():
        if isinstance(value, Tensor):
            yield f"{prefix}{name}", value
        elif isinstance(value, _Module):
            yield from _named(value, f"{prefix}{name}.")


class _Reader(pickle.Unpickler):
    """Knows tensors and plain values; see the head of this file."""

    def __init__(self, archive: zipfile.ZipFile, folder: str) -> None:
        super().__init__(io.BytesIO(archive.read(f"{folder}.pkl")))
        self._archive, self._folder = archive, folder

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("__torch__."):
            return _Module
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch" and name in _TYPES:
            return _TYPES[name]
        if module == "torch.jit._pickle":  # typed lists and dicts
            return _first
        raise pickle.UnpicklingError(f"{module}.{name}")

    def persistent_load(self, pid: Any) -> Tensor:
        """The numbers of a storage, flat."""
        _, dtype, key, _, count = pid
        data = bytearray(self._archive.read(f"{self._folder}/{key}"))
        return torch.frombuffer(data, dtype=dtype, count=count) if count else torch.zeros(0)


def _tensor(storage: Tensor, offset: int, size: tuple, stride: tuple, *rest: Any) -> Tensor:
    return storage.as_strided(size, stride, offset).clone()


def _first(value: Any, *rest: Any) -> Any:
    return value
