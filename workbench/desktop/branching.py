"""Commands on the branches of the run: fork, switch, compare, keep, promote, delete."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.document import Document

if TYPE_CHECKING:
    from workbench.desktop.workspace import Workspace
    from workbench.document.kept_branches import KeptBranch
    from workbench.engine.branches import Branch


class Branching:
    """What menus, keys and the timeline ask of the runner's branches."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    @property
    def branches(self) -> tuple[Branch, ...]:
        """All branches, oldest first."""
        status = self._workspace.status
        return status.branches if status is not None else ()

    @property
    def current(self) -> Branch | None:
        """The branch that the cursor is on."""
        return self.at(self._workspace.status.branch) if self.branches else None

    def at(self, number: int | None) -> Branch | None:
        """The branch of a number, or None."""
        return next((branch for branch in self.branches if branch.number == number), None)

    def name(self, branch: Branch) -> str:
        """What a branch is called."""
        from workbench.engine.branches import name_of  # with torch, which is loaded by now

        return name_of(branch, self.branches)

    def written(self, current: Branch | None) -> tuple[KeptBranch, ...]:
        """The branches as a session keeps them; none where there is one run and nothing else.

        Args:
            current: the one of the session that the cursor is on, or was last.
        """
        if current is None:  # nor is torch there yet
            return ()
        from workbench.engine.score import written

        return written(self.branches, current.number)

    def fork(self, edit: Any = None) -> None:
        """A branch from here, changed by an edit or not at all."""
        self._workspace.ask(lambda runner: runner.fork(edit))

    def can(self) -> dict[str, bool]:
        """Which of the commands make sense now, by name."""
        branch, several = self.current, len(self.branches) > 1
        dictionary = branch is not None and branch.experiment.dictionary is not None
        return {
            "fork": branch is not None,
            "fork_edit": branch is not None,
            "drop_neuron": dictionary and self._workspace.neuron is not None,
            "next_branch": several,
            "previous_branch": several,
            "compare": branch is not None,
            "compare_session": branch is not None,
            "keep_branch": branch is not None,
            "promote_branch": branch is not None and branch.parent is not None,
            "delete_branch": several,
        }

    def drop_neuron(self) -> None:
        """A branch from here without the selected neuron."""
        from workbench.engine.edits import DropAtom

        neuron = self._workspace.neuron
        if neuron is not None:
            self.fork(DropAtom(neuron=neuron))

    def switch(self, number: int) -> None:
        """Put the cursor on a branch; the document becomes its own."""
        branch = self.at(number)
        if branch is None or branch is self.current:
            return
        document = branch.plain.asked.shown_as(self._workspace.document.view)
        self._workspace.stand_on(branch)
        self._workspace.follow_branch(document)
        self._workspace.ask(lambda runner: runner.switch(number, document))

    def back_to(self, document: Document) -> bool:
        """Go to the branch that is the run of a document; False if there is none, or no need.

        There is need where the document could only be followed by a new run, beside which nothing
        stays that is not kept: that of another session, say, from which somebody undoes.
        """
        from workbench.desktop.workspace import same_run
        from workbench.engine.changes import Effect, effect

        branch = self.current
        if branch is None or effect(branch.plain.asked, document) <= Effect.LIVE:
            return False
        for other in reversed(self.branches):
            asked, number = other.plain.asked, other.number
            if effect(asked, document) is Effect.NONE and same_run(asked, document):
                self._workspace.stand_on(other)
                self._workspace.ask(lambda runner, n=number: runner.switch(n, document))
                return True
        return False

    def go_next(self) -> None:
        """The branch after this one, the first after the last."""
        self._go(+1)

    def go_previous(self) -> None:
        """The branch before this one, the last before the first."""
        self._go(-1)

    def _go(self, by: int) -> None:
        if len(self.branches) > 1:
            numbers = [branch.number for branch in self.branches]
            here = numbers.index(self._workspace.status.branch)
            self.switch(numbers[(here + by) % len(numbers)])

    def delete(self, number: int) -> None:
        """Take a branch away; from the one that the cursor is on, first to another one."""
        branch = self.at(number)
        if branch is None or len(self.branches) < 2:
            return
        if branch is self.current:
            others = [other.number for other in self.branches if other is not branch]
            self.switch(branch.parent if branch.parent in others else others[0])
        self._workspace.ask(lambda runner: runner.delete(number))

    def delete_current(self) -> None:
        """Take away the branch that the cursor is on."""
        self.delete(self._workspace.status.branch)

    def promote(self, number: int) -> None:
        """Make a branch the trunk."""
        self._workspace.ask(lambda runner: runner.promote(number))

    def promote_current(self) -> None:
        """Make the branch that the cursor is on the trunk."""
        self.promote(self._workspace.status.branch)

    def keep(self, number: int, title: str) -> None:
        """Hold on to a branch under a title; an empty one lets go of it."""
        self._workspace.ask(lambda runner: runner.keep(number, title))

    def keep_current(self) -> None:
        """Hold on to this branch, or let go of it, when another run begins."""
        branch = self.current
        if branch is not None:
            self.keep(branch.number, "" if branch.kept else self.title(branch))

    def title(self, branch: Branch) -> str:
        """A title that still says something beside other runs."""
        name = self.name(branch)
        return branch.given.name if name == "trunk" else f"{branch.given.name}, {name}"

    def compare(self, number: int | None) -> None:
        """Draw the run over a branch, or over none."""
        self._workspace.ask(lambda runner: runner.compare(number))

    def compare_with(self, document: Document, path: Path) -> None:
        """Run another session on the same image beside this one, and draw this one over it."""
        view = self._workspace.document.view
        seen = {"sample": view.sample, "picture": view.picture}
        document = document.model_copy(update={"view": document.view.changed(**seen)})
        self._workspace.ask(lambda runner: runner.add(document, path.stem))
