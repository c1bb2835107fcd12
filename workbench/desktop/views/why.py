"""Why the selected neuron fires at the next step, or does not."""

from __future__ import annotations

import html
import time
from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from workbench import palette
from workbench.desktop.explaining import Explainer, Wish
from workbench.desktop.panels.fields import subscripted
from workbench.desktop.panels.inspector import shown_neuron
from workbench.desktop.pictures import neuron_picture
from workbench.desktop.theme import theme
from workbench.desktop.thumbnails import Thumbnails
from workbench.desktop.views.base import View
from workbench.desktop.views.waterfall import ROW, Limit, Row, Waterfall
from workbench.desktop.workspace import Workspace

PACE = 0.1  # seconds at least between two explanations while the network runs
REST = 4.0  # and so many times what the last one took
MOST_RIVALS = 12  # that are shown one by one


class WhyView(View):
    """The step of one neuron as parts that add up, in a sentence, and what would change it."""

    name = "why"
    title = "Why it fires or not"
    tab = "Why"
    shows = (
        "What moves the potential of the selected neuron from this step to the next, part by "
        "part: what drives it, its leak, and each active rival with its training image, the "
        "largest first. Each bar begins where the one above ends; the dashed line is the "
        "threshold. Below: the least change of one thing alone that would turn it in this step."
    )
    equation = "u′ = u + η (b − u − Σ G a); without rivals V′ = V + w (I − g V)"
    look_for = (
        "the rival that takes most: click it, or go to it with ↓ and Enter, and it is explained "
        "in turn. A silent neuron with a large drive is silenced by neurons much like it."
    )

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.explainer = Explainer()
        self.thumbnails = Thumbnails()
        self.sentence = _words("Why")
        self.waterfall = Waterfall()
        self.waterfall.chosen.connect(workspace.select_neuron)
        self.changes = _words("What would change it")
        self._layout.addWidget(self._body(), 1)
        self._due = 0.0
        self._split: Any = None
        self._pictures: dict[int, QImage] = {}  # of atoms that are no training images
        workspace.experimentChanged.connect(self._let_go)
        workspace.closing.connect(self._stop)

    def _body(self) -> QWidget:
        """Words, bars, words; in a low dock they are scrolled through."""
        body, inside = _Body(widgetResizable=True), QWidget()
        body.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        body.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        # the room of a view is what its neighbours leave it
        body.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        body.viewport().setAutoFillBackground(False)
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.sentence)
        column.addWidget(self.waterfall, 1)
        column.addWidget(self.changes)
        column.addStretch(0)
        body.setWidget(inside)
        inside.setAutoFillBackground(False)
        return body

    # -- drawing ---------------------------------------------------------------------------------

    def applies(self, system: type) -> bool:
        return system.accounts

    def needs(self, system: Any) -> set[str]:
        """What tells the strongest neuron, if none is selected."""
        if self.workspace.neuron is not None:
            return set()
        return {o.name for o in system.observables if o.kind == "trace"}

    def depends_on(self, snapshot: Any) -> tuple:
        made = (self.explainer.latest, self.thumbnails.made)
        return (*super().depends_on(snapshot), *made, self.waterfall.fits)

    def reset(self, snapshot: Any) -> None:
        experiment = snapshot.experiment
        if not experiment.system.accounts:
            self.show_empty(f"{experiment.system.title} does not say what moves its neurons.")
        elif self._split is not experiment.dataset.train:
            self._split = experiment.dataset.train
            self.thumbnails.show_split(self._split, theme.px(ROW) - 3)

    def draw(self, snapshot: Any) -> None:
        if not snapshot.experiment.system.accounts:
            return
        neuron = shown_neuron(snapshot, self.workspace.neuron)
        if neuron is None:
            return
        wish, answer = Wish.of(snapshot, neuron), self.explainer.latest
        if answer is None or not answer.wish.same(wish):
            self._ask(wish, answer)
        if answer is None or answer.wish.system.wiring is not wish.system.wiring:
            return  # of other neurons
        if answer.wish.same(wish) or self.workspace.running:
            self._show(snapshot, answer)

    def _ask(self, wish: Wish, answer: Any) -> None:
        """Have it explained; while the network runs, only so often."""
        now = time.perf_counter()
        if self.workspace.running and now < self._due:
            self._drawn = None  # look again at the next frame
            return
        self._due = now + max(PACE, REST * (answer.seconds if answer else 0.0))
        self.explainer.want(wish)
        self.summarise(f"neuron {wish.neuron} …")

    def _show(self, snapshot: Any, answer: Any) -> None:
        why = answer.explanation
        if why is None:
            self.sentence.setText(f"It could not be explained: {html.escape(answer.error)}")
            self.changes.setText("")
            self.waterfall.show_rows([], None)
            self.summarise("not explained")
            return
        self.sentence.setText(_rich(why.sentence, why))
        lines = "".join(f"<br>· {_rich(change.text, why)}" for change in why.changes)
        self.changes.setText(f"<b>{why.heading}</b>{lines}" if lines else "")
        self.changes.setVisible(bool(lines))
        rows = self._rows(snapshot, why) if why.bounded else []
        self.waterfall.show_rows(rows, _limit(why))
        self.summarise(f"step {why.step} → {why.step + 1}")
        self.setAccessibleDescription(why.sentence)

    # -- rows ------------------------------------------------------------------------------------

    def _rows(self, snapshot: Any, why: Any) -> list[Row]:
        """The level before, the parts as far as there is room, and the level after."""
        own = [part for part in why.parts if part.neuron is None]
        rivals = [part for part in why.parts if part.neuron is not None]
        room = max(self.waterfall.fits - len(own) - 3, 1)
        shown = rivals[: min(room, MOST_RIVALS)]
        self.waterfall.fill(len(shown) < min(len(rivals), MOST_RIVALS))
        self._want_pictures(snapshot, [why.neuron, *(part.neuron for part in shown)])
        colours = _Colours(snapshot)
        text, level = theme.colours.text, why.before
        rows = [self._level(snapshot, why, why.step, why.before)]
        for place, part in enumerate(own):
            colour = colours.of(why.neuron) if place == 0 else palette.NEUTRAL
            label = f"{part.name} {part.symbol.replace('_', '')}"
            tip = f"{part.name}: {part.symbol} = {part.value:+.4g}"
            rows.append(Row(label, level, part.value, colour, tip))
            level += part.value
        for part in shown:
            label = f"{part.neuron}{colours.name_after(part.neuron)}"
            tip = f"neuron {label}: {part.value:+.4g}; click to select it"
            picture = self._picture(snapshot, part.neuron)
            colour = colours.of(part.neuron)
            rows.append(Row(label, level, part.value, colour, tip, part.neuron, picture))
            level += part.value
        left = rivals[len(shown) :]
        if left:
            rest = sum(part.value for part in left)
            tip = f"{_others(left)} together: {rest:+.4g}"
            rows.append(Row(_others(left), level, rest, theme.colours.faint, tip))
        last = Row(f"{why.symbol} at step {why.step + 1}", why.after, None, text)
        return [*rows, last]

    def _level(self, snapshot: Any, why: Any, step: int, level: float) -> Row:
        picture = self._picture(snapshot, why.neuron)
        tip = f"neuron {why.neuron} at step {step}"
        label = f"{why.symbol} at step {step}"
        return Row(label, level, None, theme.colours.text, tip, picture=picture)

    def _want_pictures(self, snapshot: Any, neurons: list[int]) -> None:
        dictionary = snapshot.experiment.dictionary
        if dictionary is not None and dictionary.source is not None:
            self.thumbnails.want(dictionary.source[neurons].tolist())

    def _picture(self, snapshot: Any, neuron: int) -> QImage | None:
        """The training image that a neuron stands for, or its atom; None if not made yet."""
        dictionary = snapshot.experiment.dictionary
        if dictionary is None:
            return None
        if dictionary.source is not None:
            return self.thumbnails.get(int(dictionary.source[neuron]))
        if neuron not in self._pictures:
            self._pictures[neuron] = neuron_picture(snapshot.experiment, neuron) or QImage()
        return self._pictures[neuron]

    # -- the rest --------------------------------------------------------------------------------

    def restyle(self) -> None:
        super().restyle()
        self._split = None  # thumbnails are made for one scale

    def _let_go(self, experiment: Any) -> None:
        """Other data: a view that nobody looks at does not keep the old ones in memory."""
        self.explainer.forget()
        self._pictures = {}
        if self._split not in (None, experiment.dataset.train):
            self._split = None
            self.thumbnails.show_split(None, 1)

    def _stop(self) -> None:
        self.thumbnails.close()
        self.explainer.close()

    def _explained(self) -> Any:
        """The explanation of what is on the screen, made now if it is not there yet.

        None where there is none, and where the network has blown up: its parts say nothing.
        """
        snapshot = self.workspace.snapshot
        neuron = None if snapshot is None else shown_neuron(snapshot, self.workspace.neuron)
        if neuron is None:
            return None
        wish, answer = Wish.of(snapshot, neuron), self.explainer.latest
        if answer is None or not answer.wish.same(wish):
            answer = wish.answer()
        why = answer.explanation
        return why if why is not None and why.bounded else None

    def figure(self) -> Any:
        why = self._explained()
        if why is None:
            return None
        from workbench.analysis import figures

        colours = _Colours(self.workspace.snapshot)
        own = [part for part in why.parts if part.neuron is None]
        rivals = [part for part in why.parts if part.neuron is not None]
        shown = rivals[:MOST_RIVALS]
        names = [f"{part.name} {part.symbol}" for part in own]
        names += [f"neuron {part.neuron}{colours.name_after(part.neuron)}" for part in shown]
        values = [part.value for part in (*own, *shown)]
        inks = [colours.of(part.neuron if part.neuron is not None else why.neuron) for part in own]
        inks[1:] = [palette.NEUTRAL] * (len(own) - 1)
        inks += [colours.of(part.neuron) for part in shown]
        if len(rivals) > len(shown):
            names.append(_others(rivals[len(shown) :]))
            values.append(sum(part.value for part in rivals[len(shown) :]))
            inks.append(palette.NEUTRAL)
        limit = _limit(why)
        return figures.parts_figure(
            names, values, inks, why.before, limit.value, why.symbol, why.sentence, self.caption()
        )

    def table(self) -> tuple[list[str], np.ndarray] | None:
        why = self._explained()
        if why is None:
            return None
        colours = _Colours(self.workspace.snapshot)
        heads = ["part", "equation", "neuron", "class", "value", "potential"]
        rows, level = [["before", why.symbol, why.neuron, "", "", why.before]], why.before
        for part in why.parts:
            level += part.value
            who = part.neuron if part.neuron is not None else why.neuron
            rows.append([part.name, part.symbol, who, colours.name(who), part.value, level])
        rows[0][3] = colours.name(why.neuron)
        rows.append(["after", f"{why.symbol}′", why.neuron, rows[0][3], "", why.after])
        return heads, np.array(rows, dtype=object)


class _Body(QScrollArea):
    """Scrolled with the wheel; the arrow keys belong to the time cursor."""

    def keyPressEvent(self, event: Any) -> None:
        event.ignore()


class _Colours:
    """Names and colours of the classes of neurons."""

    def __init__(self, snapshot: Any) -> None:
        wiring = snapshot.experiment.system.wiring
        self._labels, self._classes = wiring.labels, wiring.classes
        self._names = snapshot.experiment.dataset.class_names

    def of(self, neuron: int) -> str:
        if self._labels is None:
            return palette.TERM_COLOURS[0]
        return palette.class_colour(int(self._labels[neuron]), self._classes)

    def name(self, neuron: int) -> str:
        return "" if self._labels is None else self._names[int(self._labels[neuron])]

    def name_after(self, neuron: int) -> str:
        """The class in words that follow a number."""
        return f" · “{self.name(neuron)}”" if self._labels is not None else ""


def _others(left: list[Any]) -> str:
    """The rivals that are not shown one by one."""
    return "1 other" if len(left) == 1 else f"{len(left)} others"


def _rich(text: str, why: Any) -> str:
    """Rich text with the threshold's symbol as the papers set it."""
    symbol = why.threshold_symbol
    return html.escape(text).replace(symbol, subscripted(symbol)).replace("× ", "×&nbsp;")


def _limit(why: Any) -> Limit:
    """The threshold on the side where the potential is."""
    side = -1 if why.signed and why.after < 0 else 1
    sign = "−" if side < 0 else ""
    symbol = why.threshold_symbol.replace("_", "")  # painted, without subscripts
    label = f"{sign}{symbol} = {sign}{why.threshold:.4g}"
    return Limit(side * why.threshold, label)


def _words(name: str) -> QLabel:
    """A text as wide as the view."""
    label = QLabel()
    label.setAccessibleName(name)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.RichText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    label.setMinimumSize(1, 1)  # its height follows from the width of the view
    return label
