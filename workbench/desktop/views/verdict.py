"""A line that says when a run decided for its class, and which atoms made it do so."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from workbench.desktop.asking import Asker, Wish
from workbench.desktop.theme import theme
from workbench.desktop.workspace import Workspace

# Lines of small type are kept free for it, so that nothing moves when it comes: two, or three in a
# view that is narrower than this, in pixels at scale 1.
NARROW = 320
LINE = 15


@dataclass(frozen=True, eq=False)
class VerdictWish(Wish):
    """The decision of a run as far as it is recorded."""

    recording: Any
    head: int  # the last step recorded
    name: str  # of the class evidence

    @property
    def title(self) -> str:
        return "the search for the decision"

    def find(self, stopped: Callable[[], bool]) -> Any:
        """A `Decision`; None: there is none yet. Computes a few steps again, if need be."""
        from workbench.analysis.decision import decision

        labels = self.recording.system.wiring.labels.cpu().numpy()
        evidence = self.recording.summary(self.name)[: self.head + 1]
        return decision(evidence, self._code_at, labels)

    def _code_at(self, step: int) -> Any:
        system, state = self.recording.observer(step), self.recording.state(step)
        return system.observe(state, (system.code,))[system.code][0].cpu().numpy()


class Verdict(QLabel):
    """The decision in words; a click on an atom selects its neuron."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._asker = Asker("verdict")
        self.setAccessibleName("The decision")
        self.setProperty("role", "small")
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        how = Qt.TextInteractionFlag
        self.setTextInteractionFlags(how.LinksAccessibleByMouse | how.LinksAccessibleByKeyboard)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.linkActivated.connect(self._select)
        self.rescale()
        theme.changed.connect(self.rescale)
        workspace.closing.connect(self._asker.close)

    def rescale(self) -> None:
        """Room for its lines at the theme's scale."""
        self.setMinimumWidth(1)
        lines = 3 if self.width() < theme.px(NARROW) else 2
        self.setFixedHeight(theme.px(lines * LINE))

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        self.rescale()

    @property
    def made(self) -> Any:
        """What it depends on, besides the recording."""
        return self._asker.latest

    def follow(self, snapshot: Any, observable: Any) -> None:
        """Say what is known of a run that stands still; ``observable`` is the class evidence."""
        if observable is None or self._workspace.running:
            self.setText("")
            return
        recording, made = snapshot.recording, self._asker.latest
        wish = VerdictWish(recording, recording.head, observable.name)
        if made is None or not made.wish.same(wish):
            self._asker.want(wish)
        known = made is not None and made.wish.recording is recording and made.found is not None
        self.setText(self._words(snapshot, made.found) if known else "")

    def _words(self, snapshot: Any, found: Any) -> str:
        names = [html.escape(name) for name in snapshot.experiment.dataset.class_names]
        finished = self._workspace.status.state.value == "finished"
        through = finished or snapshot.recording.head >= snapshot.experiment.steps
        before = "undecided" if found.before is None else f"“{names[found.before]}”"
        atoms = ", ".join(f'<a href="{n}">{n}</a>' for n in found.neurons)
        many = len(found.neurons) > 1
        carry = f"its atoms {atoms} carry" if many else f"its atom {atoms} carries"
        return (
            f"{'Decided' if through else 'So far decided'} “{names[found.label]}” at step "
            f"{found.step}, before {before}; {carry} {100 * found.part:.0f} % of the evidence."
        )

    def _select(self, link: str) -> None:
        self._workspace.select_neuron(int(link))
