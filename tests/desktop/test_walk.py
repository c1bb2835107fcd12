"""A random walk over the branches of a run; after each step what must always hold is looked at."""

from __future__ import annotations

import os
import random

import pytest

from workbench.desktop.views.base import PlotView
from workbench.desktop.workspace import same_run
from workbench.document import load
from workbench.engine.branches import MOST
from workbench.engine.edits import DropAtom, NoisyAtom, NoisyInput, Occlude, Shift

SEEDS = [int(s) for s in os.environ.get("WORKBENCH_WALK_SEEDS", "1,2").split(",")]
STEPS = int(os.environ.get("WORKBENCH_WALK_STEPS", "60"))
LCA = ("digits-exemplar", "data.train=200", "data.test=20", "system.steps=40")
LIF = ("lif-population", "data.train=200", "data.test=20", "system.steps=40")
VALUES = {
    "threshold": (0.5, 1.0, 1.5, 2.0),
    "time_constant": (2.0, 10.0, 20.0),
    "steps": (0, 20, 40, 50),
}
COMMANDS = (
    "undo",
    "redo",
    "first",
    "last",
    "forward_ten",
    "back_ten",
    "next_branch",
    "previous_branch",
    "keep_branch",
    "promote_branch",
    "delete_branch",
    "drop_neuron",
    "restart",
)


class Walk:
    """Chooses what to do next, and knows what was recorded so far."""

    def __init__(self, user, seed: int, folder) -> None:
        self.user, self.window, self.workspace = user, user.window, user.window.workspace
        self.choose, self.folder = random.Random(seed), folder
        self.recorded: dict[int, list[str]] = {}  # by branch, its digests

    def act(self) -> str:
        ways = (self.go, self.go, self.fork, self.edit, self.turn, self.command, self.command)
        ways += (self.switch, self.arrange, self.undo_and_redo, self.save_and_open)
        return self.choose.choice(ways)()

    def go(self) -> str:
        step = self.choose.randint(0, self.workspace.status.steps)
        self.user.go_to(step)
        return f"go to {step}"

    def fork(self) -> str:
        self.user.do("fork")
        return "fork"

    def edit(self) -> str:
        atoms = self.workspace.experiment.dictionary is not None
        edits = [Occlude(), Shift(right=2), NoisyInput()]
        edits += [DropAtom(neuron=3), NoisyAtom(neuron=5)] if atoms else []
        edit = self.choose.choice(edits)
        self.workspace.branching.fork(edit)
        return edit.words()

    def turn(self) -> str:
        name = self.choose.choice(list(VALUES))
        value = self.choose.choice(VALUES[name])
        self.workspace.set_value(f"system.{name}", value)
        return f"{name} = {value}"

    def command(self) -> str:
        name = self.choose.choice(COMMANDS)
        if self.window.actions_by_name[name].isEnabled():
            self.user.do(name)
        return name

    def switch(self) -> str:
        number = self.choose.choice(self.workspace.branching.branches).number
        self.workspace.branching.switch(number)
        return f"switch to {number}"

    def arrange(self) -> str:
        layout = self.choose.choice(["explore", "debug", "compare"])
        self.workspace.amend_view("layout", layout)
        return layout

    def undo_and_redo(self) -> str:
        if self.workspace.history.can_undo:
            before = self.workspace.document
            for command in ("undo", "redo"):
                self.user.do(command)
                self.user.settle()
            assert self.workspace.document == before
        return "undo and redo"

    def save_and_open(self) -> str:
        path, session = self.folder / "walk.json", self.workspace.session
        assert self.window.files.save_to(path) and load(path) == session
        assert self.window.files.open(path)
        self.user.settle()
        if session.branches:  # else what was kept stays beside the run that begins
            assert self.workspace.session.branches == session.branches
            assert not self.workspace.dirty
        return "save and open"

    def look(self) -> None:
        """All that must hold."""
        workspace, status = self.workspace, self.workspace.status
        assert workspace.snapshot.step == status.step == self.window.transport.scrub.value()
        assert same_run(workspace.document, workspace.snapshot.branch.plain.asked)
        loose = [b for b in status.branches if not b.kept and b.parent is not None]
        assert len(loose) <= MOST
        for branch in status.branches:
            record = branch.recording
            digests = [record.digest(k) for k in range(record.head + 1)]
            before = self.recorded.get(branch.number, [])
            assert digests[: len(before)] == before, f"branch {branch.number} was written into"
            self.recorded[branch.number] = digests
        self.user.frames(1)
        for view in self.window.views.values():
            drawn = isinstance(view, PlotView) and self.window._on_screen(view)
            if drawn and view.widget.isVisible() and view._empty.isHidden():
                assert view.cursor.value() == status.step, view.name


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("session", [LCA, LIF], ids=["lca", "lif"])
def test_whatever_is_done_to_branches_what_was_recorded_stays(open_window, tmp_path, session, seed):
    user = open_window(*session)
    user.window.workspace.ask(lambda runner: runner.set_speed(None))
    user.window.workspace.select_neuron(7)
    walk, done = Walk(user, seed, tmp_path), []
    for _ in range(STEPS):
        done.append(walk.act())
        print(done[-1])  # shown if the test fails
        user.settle()
        if user.state == "running":
            user.wait(lambda: user.state != "running")
            user.settle()
        walk.look()
    assert not user.complaints and len(done) == STEPS
