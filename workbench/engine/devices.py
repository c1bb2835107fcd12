"""Where and how the numbers are computed: device, floating-point types, engine.

The rules are about what a device or an engine cannot do: MPS has no float64, in which the lazy
engine keeps lengths; neither it nor the dense one is written for several processes.
"""

from __future__ import annotations

import os

import torch

from workbench import systems
from workbench.document import Document
from workbench.errors import InputError
from workbench.systems.protocol import WHOLE, Shard

LARGE_DICTIONARY = 1 << 22  # numbers in it; from here on "auto" is the lazy engine
_TYPES = {
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "float32": torch.float32,
    "float64": torch.float64,
}


def there() -> tuple[str, ...]:
    """The devices of this machine, the fastest first."""
    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return (*(name for name, is_there in found.items() if is_there), "cpu")


def described(name: str) -> str:
    """A device with what it is called, where that is known: the GPUs of this process."""
    if name != "cuda":
        return name
    gpus = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return f"cuda ({', '.join(gpus)})"


def named(name: str) -> torch.device:
    """The device of that name; of several GPUs the one this process was given."""
    return torch.device(name)


def device(document: Document, shard: Shard = WHOLE) -> str:
    """The device that the document asks for, or the fastest that can do what it asks for.

    Raises:
        InputError: it is not there, or cannot do it.
    """
    run, names = document.run, there()
    if run.device == "auto":
        return next(name for name in names if not _cannot(name, document, shard))
    if run.device not in names:
        raise InputError(f"run.device = {run.device!r}: is not there; {_listed(('auto', *names))}")
    hindrance = _cannot(run.device, document, shard)
    if hindrance:
        raise InputError(f"run.device = {run.device!r}: {hindrance}")
    return run.device


def processes_here(processes: int) -> int:
    """How many of the processes of a run are on this machine; all, unless `torchrun` says so."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", processes)) if processes > 1 else 1


def enough_gpus(processes: int) -> bool:
    """Whether each process of a run can have a GPU of its own: NCCL refuses two on one."""
    return processes == 1 or processes_here(processes) <= torch.cuda.device_count()


def precision(document: Document) -> torch.dtype:
    """The type of signals and results."""
    return _TYPES[document.run.precision]


def storage(document: Document) -> torch.dtype:
    """The type that atoms are built and kept in.

    Raises:
        InputError: half precision is asked for beside float64.
    """
    asked, run = document.run.storage, document.run
    if asked is not None and run.precision != "float32":
        raise InputError(
            f"run.storage = {asked!r}: products of half precision add up in float32, so "
            f"run.precision must be float32, not {run.precision}"
        )
    return _TYPES[asked or "float32"]


def engine(
    document: Document, device: str, shard: Shard, shape: tuple[int, int] | None = None
) -> str:
    """The way to compute that the document asks for, or that costs least.

    A step of the residual form reads the M·N numbers of the dictionary twice, one of the dense form
    the M·M of the Gramian once, so that wins where 2 M ≤ N, and then takes at most half the memory
    of the dictionary. The lazy form reads the dictionary a few times in a run, but pays some fifty
    small operations a step whatever the size: from 2²² numbers on (16 MB, a pass of a millisecond)
    it wins wherever codes are sparse; below, nobody waits for either. A GPU reads the dictionary
    faster than it is told of fifty small operations.

    Args:
        document: what is asked for.
        device: where.
        shard: of how many processes.
        shape: M and N of the dictionary; None where there is none, or none yet.

    Raises:
        InputError: the system or the device cannot do what is asked for.
    """
    asked, able = document.run.engine, systems.kinds()[document.system["kind"]].engines
    if asked not in ("auto", *able):
        raise InputError(f"run.engine = {asked!r}: not available yet; {_listed(('auto', *able))}")
    hindrance = _engine_cannot(asked, device, shard)
    if hindrance:
        raise InputError(f"run.engine = {asked!r}: {hindrance}; auto and residual can")
    if asked != "auto":
        return asked
    neurons, features = shape or (0, 0)
    for name, pays in (
        ("lazy", device == "cpu" and neurons * features >= LARGE_DICTIONARY),
        ("dense", 0 < 2 * neurons <= features),
    ):
        if name in able and pays and not _engine_cannot(name, device, shard):
            return name
    return "residual"


def _cannot(device: str, document: Document, shard: Shard) -> str:
    """What a device that is there cannot do for a document, in words."""
    if device == "mps" and document.run.precision == "float64":
        return "has no float64; run.precision must be float32 there, or the device cpu"
    if device == "mps" and document.run.device == "auto" and document.run.engine == "lazy":
        return "has no lazy engine"
    if device == "mps" and shard.processes > 1:
        return f"cannot be shared by {shard.processes} processes; the device cpu can"
    if device == "cuda" and not enough_gpus(shard.processes):
        return (
            f"{processes_here(shard.processes)} processes of this machine cannot share "
            f"{torch.cuda.device_count()} GPU(s); start one process a GPU, or take the device cpu"
        )
    return ""


def _engine_cannot(engine: str, device: str, shard: Shard) -> str:
    """What an engine cannot do of what is asked for, in words."""
    if engine == "lazy" and device == "mps":
        return "cannot be computed on mps, which has no float64"
    if engine in ("lazy", "dense") and shard.processes > 1:
        return f"cannot be spread over {shard.processes} processes"
    return ""


def _listed(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]} is" if len(names) > 1 else f"{names[0]} is"
