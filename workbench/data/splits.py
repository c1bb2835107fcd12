"""Images with labels: in memory where they fit, else read from their files one by one."""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from torch import Tensor

from workbench.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

SEVERAL_SIZES = (
    "backbone.image_size = null: the images are of several sizes; give the side of the square that "
    "they are to be resized to, or take a backbone"
)
Index = slice | Sequence[int] | Tensor | None


class Images(Protocol):
    """What both kinds of split offer."""

    labels: Tensor  # [n] int64

    def __len__(self) -> int: ...

    def signals(self, index: Index = None) -> Tensor:
        """Flattened pixels [n, N] float32 in [0, 1], of all images or the indexed ones."""

    def image(self, index: int) -> np.ndarray:
        """One image [H, W] or [H, W, 3], float32 in [0, 1]."""

    def picture(self, index: int) -> Image:
        """One image as an RGB picture, for a backbone's preprocessing."""

    def chosen(self, index: slice | Tensor) -> Images:
        """The indexed images only."""

    def fingerprint(self) -> str:
        """A hash of the images and their order."""


@dataclass(frozen=True, eq=False)
class Split:
    """Images [n, H, W] or [n, H, W, 3], uint8 0..255 or float32 0..1, and their labels [n] int64.

    Raises:
        ValueError: shapes or types are others, or the numbers of images and labels differ.
    """

    images: Tensor
    labels: Tensor

    def __post_init__(self) -> None:
        shape = tuple(self.images.shape)
        if len(shape) != 3 and not (len(shape) == 4 and shape[3] == 3):
            raise ValueError(f"images must have the shape [n, H, W] or [n, H, W, 3], got {shape}")
        if self.images.dtype not in (torch.uint8, torch.float32):
            raise ValueError(f"images must be uint8 or float32, got {self.images.dtype}")
        if self.labels.dtype != torch.int64 or tuple(self.labels.shape) != shape[:1]:
            raise ValueError(
                f"labels must be int64 of the shape [{shape[0]}], got {self.labels.dtype} "
                f"{tuple(self.labels.shape)}"
            )

    def __len__(self) -> int:
        return len(self.images)

    def signals(self, index: Index = None) -> Tensor:
        """Flattened pixels [n, N] float32 in [0, 1], of all images or the indexed ones."""
        return _unit(self.images if index is None else self.images[index]).flatten(1)

    def image(self, index: int) -> np.ndarray:
        """One image [H, W] or [H, W, 3], float32 in [0, 1]."""
        return _unit(self.images[index]).numpy()

    def picture(self, index: int) -> Image:
        """One image as an RGB picture of 8 bits."""
        from PIL import Image

        pixels = self.images[index]
        if pixels.dtype != torch.uint8:
            pixels = (255 * pixels).round().to(torch.uint8)
        return Image.fromarray(pixels.numpy()).convert("RGB")

    def chosen(self, index: slice | Tensor) -> Split:
        """The split of the indexed images only."""
        return Split(self.images[index], self.labels[index])

    def fingerprint(self) -> str:
        """A hash of the pixels."""
        digest = hashlib.blake2b(f"{self.images.dtype} {self.images.shape}".encode())
        digest.update(self.images.contiguous().numpy().tobytes())
        return digest.hexdigest()


def _unit(images: Tensor) -> Tensor:
    return images.float() / 255 if images.dtype == torch.uint8 else images


@dataclass(frozen=True)
class Source:
    """Where one image lies: a file, or a member of a zip; ``stamp`` changes when it does."""

    container: Path  # a folder or a zip
    member: str
    stamp: str  # size and time of a file, checksum of a member

    def picture(self) -> Image:
        """The image, RGB; transparency is laid on white and 16 bits are scaled to 8.

        Raises:
            OSError: it is not a readable image.
        """
        from PIL import Image, ImageOps

        data = _read(self)
        try:
            with Image.open(io.BytesIO(data)) as opened:
                return _rgb(ImageOps.exif_transpose(opened))
        except OSError:
            raise
        except Exception as error:  # of a damaged file, Pillow's readers raise whatever comes
            raise OSError(f"{type(error).__name__}: {error}") from error


def _read(source: Source) -> bytes:
    if source.container.is_dir():
        return (source.container / source.member).read_bytes()
    try:
        return archive(source.container).read(source.member)
    except (
        *(zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError),
        KeyError,  # another zip of that name has no such member
    ) as error:
        raise OSError(str(error)) from error


def archive(path: Path) -> zipfile.ZipFile:
    """A zip, kept open: to read its table of contents for each image would take a hundred times
    as long as the image itself. One that was replaced meanwhile is opened anew."""
    facts = path.stat()
    return _opened(path, facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=2)
def _opened(path: Path, size: int, time: int) -> zipfile.ZipFile:
    return zipfile.ZipFile(path)


def _rgb(image: Image) -> Image:
    from PIL import Image

    if image.mode.startswith("I") or image.mode == "F":  # 16 or more bits
        values = np.asarray(image, np.float64)
        top = 65535 if values.max() > 255 else 255
        image = Image.fromarray(np.clip(255 * values / top, 0, 255).astype(np.uint8))
    if image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


@dataclass(frozen=True, eq=False)
class Pictures:
    """Images that stay in their files, because they are large or of several sizes."""

    sources: tuple[Source, ...]
    labels: Tensor  # [n] int64
    side: int | None = None  # pixels are those of a square of this side; None: as they are
    mixed: bool = False  # they are known to be of several sizes

    def __len__(self) -> int:
        return len(self.sources)

    def signals(self, index: Index = None) -> Tensor:
        """Flattened pixels [n, N] float32 in [0, 1], of all images or the indexed ones.

        Raises:
            InputError: the images are of several sizes, and none was asked for.
        """
        if self.mixed and self.side is None:
            raise InputError(SEVERAL_SIZES)
        chosen = np.arange(len(self))[slice(None) if index is None else _plain(index)]
        rows = [torch.from_numpy(self.image(int(i))).flatten() for i in chosen]
        if len({len(row) for row in rows}) > 1:
            raise InputError(SEVERAL_SIZES)
        return torch.stack(rows)

    def image(self, index: int) -> np.ndarray:
        """One image [H, W, 3], float32 in [0, 1]."""
        picture = self.picture(index)
        if self.side is not None:
            picture = _square(picture, self.side)
        return np.asarray(picture, np.float32) / 255

    def picture(self, index: int) -> Image:
        """One image as it is in its file, RGB."""
        return self.sources[index].picture()

    def chosen(self, index: slice | Tensor) -> Pictures:
        """The indexed images only."""
        chosen = np.arange(len(self))[_plain(index)]
        sources = tuple(self.sources[i] for i in chosen)
        return Pictures(sources, self.labels[torch.from_numpy(chosen)], self.side, self.mixed)

    def fingerprint(self) -> str:
        """A hash of names, sizes and times (checksums in a zip), not of the pixels."""
        digest = hashlib.blake2b()
        for source in self.sources:
            digest.update(f"{source.container}/{source.member} {source.stamp}\n".encode())
        return digest.hexdigest()


def _square(picture: Image, side: int) -> Image:
    """The middle square of a picture at a given side."""
    from PIL import Image, ImageOps

    return ImageOps.fit(picture, (side, side), Image.Resampling.BILINEAR)


def _plain(index: slice | Sequence[int] | Tensor) -> slice | np.ndarray:
    return index if isinstance(index, slice) else np.asarray(index)
