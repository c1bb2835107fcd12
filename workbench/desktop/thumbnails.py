"""Small pictures of a set of images, made in a thread: some lie in files, and files take time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from workbench.desktop.pictures import picture_of
from workbench.desktop.theme import theme

log = logging.getLogger(__name__)
MOST = 4000  # pictures that are kept; a screen full of them is less


class Thumbnails:
    """The pictures of a split that were wanted lately.

    The thread lives while something is wanted, and works on the newest wish alone: what was
    scrolled past is not read.
    """

    def __init__(self) -> None:
        self.made = 0  # counts up with every picture, so that a view knows when to draw
        self._split: Any = None
        self._side = 1
        self._pictures: dict[int, QImage] = {}
        self._wanted: list[int] = []
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False

    def show_split(self, split: Any, side: int) -> None:
        """Another split, or another side in pixels that the pictures are fitted into."""
        with self._lock:
            self._split, self._side = split, side
            self._pictures, self._wanted = {}, []
            self.made += 1

    def get(self, index: int) -> QImage | None:
        """The picture of an image; null if it cannot be read, None if it is not made yet."""
        return self._pictures.get(index)

    def paint(self, painter: QPainter, place: QRect, index: int) -> None:
        """Paint a picture into a square; until it is made, and where there is none, a sign."""
        picture = self._pictures.get(index)
        if picture is None:
            painter.fillRect(place, QColor(theme.colours.hairline))
        elif picture.isNull():
            painter.setPen(QColor(theme.colours.muted))
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, "?")
        else:
            inside = picture.rect()
            inside.moveCenter(place.center())
            painter.drawImage(inside, picture)

    def want(self, indices: Sequence[int]) -> None:
        """Make these, the first one first, and forget about all others that were wanted."""
        with self._lock:
            self._wanted = [index for index in indices if index not in self._pictures]
            if self._wanted and self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._work, name="thumbnails", daemon=True)
                self._thread.start()

    def close(self) -> bool:
        """Want nothing any more; True if the thread is gone."""
        with self._lock:
            self._closed, self._wanted, thread = True, [], self._thread
        if thread is not None:
            thread.join(10)
        return thread is None or not thread.is_alive()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._wanted:
                    self._thread = None
                    return
                split, side, index = self._split, self._side, self._wanted.pop(0)
            picture = _made(split, index, side)
            with self._lock:
                if (split, side) == (self._split, self._side):
                    self._keep(index, picture)

    def _keep(self, index: int, picture: QImage) -> None:
        while len(self._pictures) >= MOST:
            del self._pictures[next(iter(self._pictures))]  # the oldest
        self._pictures[index] = picture
        self.made += 1


def _made(split: Any, index: int, side: int) -> QImage:
    """The picture of one image; pixels stay sharp, photographs are smoothed."""
    try:
        picture = picture_of(split, index)
    except OSError:
        return QImage()
    except Exception:  # the thread must go on
        log.exception("image %d has no thumbnail", index)
        return QImage()
    grows = max(picture.width(), picture.height()) < side
    how = Qt.TransformationMode
    mode = how.FastTransformation if grows else how.SmoothTransformation
    return picture.scaled(QSize(side, side), Qt.AspectRatioMode.KeepAspectRatio, mode)
