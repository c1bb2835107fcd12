"""The atoms of the dictionary, the most active first."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from workbench import palette
from workbench.desktop.curve import Curve
from workbench.desktop.pictures import atom_picture, neuron_array, neuron_picture
from workbench.desktop.theme import theme
from workbench.desktop.views.base import View
from workbench.desktop.workspace import Workspace

TILE = 56  # pixels at scale 1, above the caption
SMALL_TILE, CAPTION = 36, 14  # small tiles have no caption
MOST_TILES = 200
LAST = 1e-12  # an activation times this is below all others
BUDGET = 0.008  # seconds a frame spends on new pictures


class Tiles(QWidget):
    """A grid of small pictures with a caption each; a click chooses one."""

    def __init__(self, choose: Any) -> None:
        super().__init__()
        self.setAccessibleName("Atoms")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMouseTracking(True)
        self._choose = choose
        self._tiles: list[tuple[int, Any, str, str, str]] = []
        self._selected: int | None = None
        self._small = False

    def set_small(self, small: bool) -> None:
        """Many small tiles without captions, or fewer large ones."""
        self._small = small

    @property
    def fits(self) -> int:
        """How many tiles there is room for."""
        columns, rows = self._grid()
        return min(columns * rows, MOST_TILES)

    def show_tiles(self, tiles: list[tuple[int, Any, str, str, str]], selected: int | None) -> None:
        """Tiles of (neuron, picture, caption, colour, tooltip)."""
        self._tiles, self._selected = tiles, selected
        self.update()

    def _grid(self) -> tuple[int, int]:
        size, height = self._size()
        return max(1, self.width() // size), max(1, self.height() // height)

    def _size(self) -> tuple[int, int]:
        """Width and height of a tile with its caption."""
        if self._small:
            return theme.px(SMALL_TILE), theme.px(SMALL_TILE)
        return theme.px(TILE), theme.px(TILE + CAPTION)

    def _place(self, index: int) -> QRect:
        columns, _ = self._grid()
        width, height = self._size()
        row, column = divmod(index, columns)
        return QRect(column * width, row * height, width, height)

    def _at(self, point: QPoint) -> int | None:
        for index in range(len(self._tiles)):
            if self._place(index).contains(point):
                return index
        return None

    def paintEvent(self, event: Any) -> None:
        painter = QPainter(self)
        painter.setFont(theme.font(11))
        for index, (neuron, picture, caption, colour, _) in enumerate(self._tiles):
            place = self._place(index)
            square = QRectF(place.x() + 3, place.y() + 2, place.width() - 8, place.width() - 8)
            painter.drawImage(square, picture)
            chosen = neuron == self._selected
            pen = QPen(QColor(theme.colours.text if chosen else colour), 3 if chosen else 2)
            painter.setPen(pen)
            painter.drawRect(square)
            painter.setPen(QColor(theme.colours.text if chosen else theme.colours.muted))
            text = QRectF(place.x(), square.bottom() + 1, place.width() - 2, theme.px(16))
            painter.drawText(text, Qt.AlignmentFlag.AlignCenter, caption)

    def mousePressEvent(self, event: Any) -> None:
        index = self._at(event.position().toPoint())
        if index is not None:
            self._choose(self._tiles[index][0])

    def mouseMoveEvent(self, event: Any) -> None:
        index = self._at(event.position().toPoint())
        if index is not None:
            QToolTip.showText(event.globalPosition().toPoint(), self._tiles[index][4], self)

    def keyPressEvent(self, event: Any) -> None:
        """Left and right go through the atoms when the grid has the focus."""
        move = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(event.key())
        if move is None or not self._tiles:
            event.ignore()
            return
        neurons = [tile[0] for tile in self._tiles]
        here = neurons.index(self._selected) if self._selected in neurons else -1
        self._choose(neurons[(here + move) % len(neurons)])


class AtomsView(View):
    """The dictionary as images, sorted by what the neurons put out at the cursor."""

    name = "atoms"
    title = "Dictionary atoms"
    tab = "Atoms"
    shows = (
        "The atoms of the dictionary, the most active at this step first, framed in the colour "
        "of their class, with their activation, and last, in brackets, those that are active on "
        "the branch behind alone. With a backbone they are features; shown is the "
        "training image they were computed from."
    )
    equation = "Φ = [φ₁ … φ_M], each of unit norm"
    look_for = (
        "how few atoms carry the code, and whether they look like the input. Exemplars are "
        "training images; random atoms look like nothing. Click one to select its neuron."
    )

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.tiles = Tiles(workspace.select_neuron)
        self.curve = Curve("Energy while the dictionary is learned")
        self._layout.addWidget(self.curve)
        self._layout.addWidget(self.tiles, 1)
        self.curve.hide()
        self._preview: Any = None  # what is drawn of a dictionary in the making

    def refresh(self) -> None:
        """The atoms of the run, or those that are being learned just now."""
        preview = self.workspace.preview
        if preview is None:
            if self._preview is not None:
                self._preview = self._recording = None
            super().refresh()
        elif preview is not self._preview:
            self._preview = preview
            self._draw_preview(preview)

    def applies(self, system: type) -> bool:
        return system.uses_dictionary

    def needs(self, system: Any) -> set[str]:
        return {system.code} if system.code else set()

    def compares(self, system: Any) -> set[str]:
        return self.needs(system)

    def depends_on(self, snapshot: Any) -> tuple:
        return (*super().depends_on(snapshot), self.tiles.fits)

    def _draw_preview(self, preview: Any) -> None:
        forming = preview.forming
        if preview.image_shape is None:
            self.show_empty("Atoms of a backbone's features are no image while they are learned.")
        else:
            self.show_empty("")
            self.tiles.set_small(True)
            atoms = forming.atoms[: self.tiles.fits].numpy()
            pictures = [atom_picture(atom.reshape(preview.image_shape)) for atom in atoms]
            edge = theme.colours.hairline
            tiles = [(i, p, "", edge, f"atom {i}") for i, p in enumerate(pictures)]
            self.tiles.show_tiles(tiles, None)
        energy = forming.energy[: forming.update]
        self.curve.setVisible(True)
        self.curve.show_lines([("energy", energy, theme.colours.accent)], forming.updates)
        begun = f" · {forming.revived} dead atoms began anew" if forming.revived else ""
        self.summarise(
            f"learning: {forming.update} of {forming.updates} mini-batches · "
            f"{forming.active:.1f} active per image{begun}"
        )

    def reset(self, snapshot: Any) -> None:
        self.curve.hide()
        self.tiles.set_small(False)
        self._pictures: dict[int, QImage] = {}
        wiring = snapshot.experiment.system.wiring
        if wiring.atoms is None:
            self.show_empty(f"{snapshot.experiment.system.title} uses no dictionary.")
        elif neuron_picture(snapshot.experiment, 0) is None:
            self.show_empty("Random atoms of a backbone's features are no image.")

    def draw(self, snapshot: Any) -> None:
        system, dataset = snapshot.experiment.system, snapshot.experiment.dataset
        code = snapshot.observed.get(system.code)
        if code is None or system.wiring.atoms is None:
            return
        behind = self._behind(snapshot, code)
        size = np.nan_to_num(np.abs(code), nan=np.inf)
        # those that are active on the branch behind alone come last
        size = np.where(size > 0, size, LAST * np.nan_to_num(np.abs(behind), posinf=1.0))
        count = min(self.tiles.fits, len(code))
        strongest = _largest(size, count)
        order = strongest[np.lexsort((strongest, -size[strongest]))]
        labels = system.wiring.labels
        tiles = []
        self._until = time.perf_counter() + BUDGET
        for neuron in order.tolist():
            label = None if labels is None else int(labels[neuron])
            colour, what = theme.colours.hairline, "an atom"
            if label is not None:
                colour = palette.class_colour(label, system.wiring.classes)
                what = f"class {dataset.class_names[label]}"
            value, other = float(code[neuron]), float(behind[neuron])
            caption = _short(value) if value else f"({_short(other)})" if other else "–"
            tip = f"neuron {neuron}, {what}, activation {value:.3g}"
            tip += f", {other:.3g} on the branch behind" if behind.any() else ""
            tiles.append((neuron, self._picture(snapshot, neuron), caption, colour, tip))
        self.tiles.show_tiles(tiles, self.workspace.neuron)
        there = f", behind {int(np.count_nonzero(behind))}" if behind.any() else ""
        self.summarise(f"{int(np.count_nonzero(code))} of {len(code)} active{there}")

    def _behind(self, snapshot: Any, code: np.ndarray) -> np.ndarray:
        """The activations on the branch that the run is drawn over, [M]; else 0."""
        reference = snapshot.reference
        there = reference and reference.observed.get(snapshot.experiment.system.code)
        return np.zeros_like(code) if there is None or there.shape != code.shape else there

    def _picture(self, snapshot: Any, neuron: int) -> QImage:
        """The picture of an atom, or none yet: those that come from files take several frames."""
        if neuron not in self._pictures:
            if time.perf_counter() > self._until:
                self._drawn = None  # go on at the next frame
                return QImage()
            self._pictures[neuron] = neuron_picture(snapshot.experiment, neuron) or QImage()
        return self._pictures[neuron]

    def figure(self) -> Any:
        tiles = self.tiles._tiles
        if not tiles:
            return None
        from workbench.analysis import figures

        shown = tiles[:24]
        atoms = [neuron_array(self.workspace.snapshot.experiment, tile[0]) for tile in shown]
        if any(atom is None for atom in atoms):
            return None
        signed = [bool(atom.min() < 0) for atom in atoms]
        titles = [f"{tile[0]}: {tile[2]}" for tile in shown]
        return figures.images_figure(atoms, titles, signed, self.caption())

    def table(self) -> tuple[list[str], np.ndarray] | None:
        snapshot = self.workspace.snapshot
        code = snapshot.observed.get(snapshot.experiment.system.code) if snapshot else None
        if code is None:
            return None
        return ["neuron", "activation"], np.column_stack([np.arange(len(code)), code])


def _short(value: float) -> str:
    return f"{value:.2f}" if abs(value) < 100 else f"{value:.1e}"


def _largest(size: np.ndarray, count: int) -> np.ndarray:
    """Indices of the largest, topped up with the first of the zeros, so that none flicker."""
    active = np.flatnonzero(size)
    if len(active) < count:
        return np.concatenate([active, np.flatnonzero(size == 0)[: count - len(active)]])
    return active[np.argpartition(size[active], len(active) - count)[-count:]]
