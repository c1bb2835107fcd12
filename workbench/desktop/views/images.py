"""Signals as images: what came in, what the code explains, what it leaves."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from workbench.desktop.pictures import neuron_picture, to_image
from workbench.desktop.theme import theme
from workbench.desktop.views.base import View, of_kind
from workbench.desktop.workspace import Workspace

INSET = 0.34  # of the side of a picture, for that of the branch that the run is drawn over
EXEMPLARS = 4  # shown in place of a reconstruction that is no image
HUGE = 1e30  # a network that diverged in double precision still fits into a picture
EXEMPLAR_TIP = "The input, and the training images whose neurons are most active"


class Picture(QWidget):
    """One image, as large as fits, with sharp pixels."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setMinimumSize(48, 48)
        self._image: Any = None
        self._inset: QImage | None = None

    def show_inset(self, image: QImage | None) -> None:
        """A small picture in the lower right corner, or none."""
        if image is not self._inset:
            self._inset = image
            self.update()

    def show_array(self, array: np.ndarray, low: float, high: float, signed: bool) -> None:
        """Show [H, W] through a colour map from low to high, or [H, W, 3] as it is."""
        self.show_image(to_image(array, low, high, signed))

    def show_image(self, image: QImage) -> None:
        """Show a picture that is made already."""
        self._image = image
        self.update()

    def paintEvent(self, event: Any) -> None:
        if self._image is None:
            return
        painter = QPainter(self)
        size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        target = QRectF(0, 0, size.width(), size.height())
        target.moveCenter(self.rect().toRectF().center())
        painter.drawImage(target, self._image)
        if self._inset is not None:
            corner = QRectF(0, 0, INSET * target.width(), INSET * target.height())
            corner.moveBottomRight(target.bottomRight())
            painter.drawImage(corner, self._inset)
            painter.setPen(QPen(QColor(theme.colours.muted), 1))  # seen on light and on dark
            painter.drawRect(corner)


def _bounded(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Values [N] as an image of finite numbers."""
    return np.clip(np.nan_to_num(values), -HUGE, HUGE).astype(np.float32).reshape(shape)


class ImagesView(View):
    """Every observable of kind ``image``, side by side."""

    name = "images"
    title = "Input and reconstruction"
    tab = "Images"
    shows = (
        "The signal, what the active atoms add up to, and what they leave over. PSNR and SSIM "
        "compare with the input (pixels from 0 to 1). With a backbone: the input, and the "
        "training images whose neurons are most active."
    )
    equation = "Ŝ = Φ a"
    look_for = (
        "a reconstruction that sharpens as neurons join, and a residual that fades to noise. "
        "A soft threshold leaves the reconstruction paler than the input: that is its price."
    )

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._row = QHBoxLayout()
        self._row.setSpacing(16)
        self._body = QWidget()
        self._body.setLayout(self._row)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._layout.addWidget(self._body, 1)
        self._observables: list[Any] = []
        self._pictures: list[Picture] = []
        self._captions: list[QLabel] = []

    def needs(self, system: Any) -> set[str]:
        names = {o.name for o in of_kind(system, "image")}
        return names | ({system.code} if system.code else set())

    def compares(self, system: Any) -> set[str]:
        return {o.name for o in of_kind(system, "image")}

    def reset(self, snapshot: Any) -> None:
        observables = of_kind(snapshot.experiment.system, "image")
        if not observables:
            self.show_empty("This system has nothing to show as an image.")
            return
        self._observables = observables
        self._exemplars: dict[int, QImage] = {}  # by neuron; they may come from files
        if snapshot.experiment.vectors.backbone is None:
            titles = [f"{o.title} {o.symbol}".strip() for o in observables]
            self._make_pictures(titles, [o.meaning for o in observables])
        else:
            self._make_pictures(["Input"] + [""] * EXEMPLARS, [EXEMPLAR_TIP] * (EXEMPLARS + 1))
            self._pictures[0].show_array(snapshot.input.image, 0.0, 1.0, signed=False)

    def _make_pictures(self, titles: list[str], tips: list[str]) -> None:
        while self._row.count():
            column = self._row.takeAt(0).widget()
            column.hide()
            column.deleteLater()
        self._pictures, self._captions = [], []
        for title, tip in zip(titles, tips, strict=True):
            column = QWidget()
            stack = QVBoxLayout(column)
            stack.setContentsMargins(0, 0, 0, 0)
            stack.setSpacing(4)
            caption = QLabel(title)
            caption.setAlignment(Qt.AlignmentFlag.AlignCenter)
            caption.setMinimumWidth(1)  # the pictures share the room, whatever they are called
            caption.setProperty("role", "small")
            picture = Picture(title or "Exemplar")
            picture.setToolTip(tip)
            stack.addWidget(picture, 1)
            stack.addWidget(caption)
            self._row.addWidget(column, 1)
            self._pictures.append(picture)
            self._captions.append(caption)

    def draw(self, snapshot: Any) -> None:
        if snapshot.experiment.vectors.backbone is None:
            self._draw_signals(snapshot)
        else:
            self._draw_exemplars(snapshot)

    def _draw_exemplars(self, snapshot: Any) -> None:
        """Features are no image: show the training images whose neurons are most active."""
        experiment = snapshot.experiment
        code = snapshot.observed.get(experiment.system.code)
        if code is None:
            return
        labels, names = experiment.system.wiring.labels, experiment.dataset.class_names
        strongest = np.argsort(-np.abs(np.nan_to_num(code)), kind="stable")[:EXEMPLARS]
        for place, neuron in enumerate(strongest.tolist(), start=1):
            if neuron not in self._exemplars:
                self._exemplars[neuron] = neuron_picture(experiment, neuron) or QImage()
            self._pictures[place].show_image(self._exemplars[neuron] if code[neuron] else QImage())
            what = "" if labels is None else f"{names[int(labels[neuron])]} "
            self._captions[place].setText(f"{what}{code[neuron]:.2f}" if code[neuron] else "")
        self.summarise(f"{np.count_nonzero(code)} exemplars explain the features")

    def _draw_signals(self, snapshot: Any) -> None:
        seen, shape = snapshot.observed, snapshot.experiment.dataset.image_shape
        if not self._pictures or any(o.name not in seen for o in self._observables):
            return
        # an image and what it is compared with share one scale of colours, that of the latter
        references = {o.compare_with for o in self._observables if o.compare_with}
        top = max((float(seen[name].max()) for name in references), default=1.0) or 1.0
        words = []
        for observable, picture in zip(self._observables, self._pictures, strict=True):
            array = _bounded(seen[observable.name], shape)
            if observable.compare_with:
                words.append(self._quality(seen[observable.compare_with].reshape(shape), array))
            if observable.signed:
                reach = float(np.abs(array).max()) or 1.0
                scale = (-reach, reach, True)
            elif observable.compare_with or observable.name in references:
                scale = (0.0, top, False)
            else:
                scale = (0.0, float(array.max()) or 1.0, False)
            picture.show_array(array, *scale)
            picture.show_inset(self._ghost_image(snapshot, observable, scale))
        self.summarise(" · ".join(words) or f"{shape[1]} × {shape[0]} pixels")

    def _ghost_image(self, snapshot: Any, observable: Any, scale: tuple) -> QImage | None:
        """The same of the branch that the run is drawn over, where it differs."""
        reference, shape = snapshot.reference, snapshot.experiment.dataset.image_shape
        there = None if reference is None else reference.observed.get(observable.name)
        if there is None or there.size != int(np.prod(shape)):
            return None
        if np.array_equal(there, snapshot.observed[observable.name]):
            return None
        return to_image(_bounded(there, shape), *scale)

    def _quality(self, reference: np.ndarray, image: np.ndarray) -> str:
        if not np.isfinite(image).all() or np.abs(image).max() > 1e6:
            return "diverged"
        from workbench.analysis import image_quality

        psnr = image_quality.psnr(reference, image)
        return f"PSNR {psnr:.1f} dB · SSIM {image_quality.ssim(reference, image):.2f}"

    def figure(self) -> Any:
        if not self._pictures:
            return None
        from workbench.analysis import figures

        seen = self.workspace.snapshot.observed
        experiment = self.workspace.snapshot.experiment
        if experiment.vectors.backbone is not None:
            shown = [self.workspace.snapshot.input.image]
            return figures.images_figure(shown, ["Input"], [False], self.caption())
        shape = experiment.dataset.image_shape
        return figures.images_figure(
            [seen[o.name].reshape(shape) for o in self._observables],
            [o.title for o in self._observables],
            [o.signed for o in self._observables],
            self.caption(),
        )

    def table(self) -> tuple[list[str], np.ndarray] | None:
        if not self._pictures:
            return None
        seen = self.workspace.snapshot.observed
        columns = [seen[o.name] for o in self._observables]
        index = np.arange(len(columns[0]))
        return ["feature", *(o.name for o in self._observables)], np.column_stack([index, *columns])
