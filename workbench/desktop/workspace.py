"""What the window, its panels and its views share: document, run, evaluation, selection.

The workspace owns the threads. It asks the runner and pulls from it; nothing here waits. The
engine (and torch with it) is imported in a thread after the window is on the screen.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from workbench.desktop.branching import Branching
from workbench.desktop.growth import Growth
from workbench.desktop.ledger import LedgerKeeper
from workbench.desktop.what_if import WhatIf
from workbench.document import Document, History
from workbench.errors import InputError

if TYPE_CHECKING:
    from workbench.engine.branches import Branch
    from workbench.engine.edits import Edit
    from workbench.engine.evaluation import Evaluation
    from workbench.engine.experiment import Preview
    from workbench.engine.fetch import Fetch
    from workbench.engine.job import Job
    from workbench.engine.runner import Runner, Snapshot, Status


@dataclass(frozen=True, eq=False)
class Ghost:
    """A record that the run is drawn over, faintly: of another branch, or of a value tried."""

    recording: Any
    experiment: Any
    is_trial: bool = False


@dataclass(frozen=True)
class Engine:
    """The engine's modules, imported late."""

    runner: Any
    experiment: Any
    evaluation: Any
    fetch: Any
    job: Any
    systems: Any


class Workspace(QObject):
    """One open document and everything that runs on it."""

    ready = Signal()  # the engine is there; the first document is being prepared
    documentChanged = Signal(object)  # Document; after every change, undo and redo included
    selectionChanged = Signal(object)  # int | None, the selected neuron
    statusChanged = Signal(object)  # Status; at most once a frame
    experimentChanged = Signal(object)  # Experiment; other data, dictionary or system
    evaluationChanged = Signal()  # at most once a frame
    said = Signal(str)  # a line for the status bar
    complained = Signal(str)  # the user's input is wrong; one line
    closing = Signal()  # who has a thread of its own ends it

    def __init__(self, document: Document, path: Path | None = None) -> None:
        super().__init__()
        self._kept = document.branches  # as the file has them
        self.history = History(_without_branches(document))
        self.path = path
        self.engine: Engine | None = None
        self.runner: Runner | None = None
        self.snapshot: Snapshot | None = None
        self.preview: Preview | None = None  # the dictionary that is being learned just now
        self.status: Status | None = None
        self.evaluation: Evaluation | None = None
        self.evaluated_document: Document | None = None  # what `evaluation` belongs to
        self.evaluated_edits: tuple[Edit, ...] = ()  # of atoms, in the network that was evaluated
        self.growth = Growth(self)
        self.branching = Branching(self)
        self.what_if = WhatIf(self)
        self.ledger = LedgerKeeper(self)
        self._guest = False  # the cursor is on a run of another session than the one that is open
        self._home: Branch | None = None  # where it was last in this one
        self._left: tuple | None = None  # the session before this one, all that `open` replaces
        self._job: Job | None = None
        self._fetch: Fetch | None = None
        self._wanted: frozenset[str] = frozenset()
        self._experiment: Any = None
        self._serial = 0
        self._agreed: tuple[Any, Any] = (None, None)  # documents of run and window, compared
        self._loaded: list[Engine | Exception] = []
        self._loader = threading.Thread(target=self._load, name="loader", daemon=True)

    # -- starting and stopping -------------------------------------------------------------------

    def start(self) -> None:
        """Begin to load the engine; `poll` takes it from there."""
        self._loader.start()

    def _load(self) -> None:
        try:
            parts = (
                "engine.runner",
                "engine.experiment",
                "engine.evaluation",
                "engine.fetch",
                "engine.job",
                "systems",
            )
            modules = [importlib.import_module(f"workbench.{part}") for part in parts]
            modules[-1].kinds()
            importlib.import_module("workbench.analysis.image_quality")  # the first frame needs it
            self._loaded.append(Engine(*modules))
        except Exception as error:  # shown in the window, which stays usable
            self._loaded.append(error)

    def close(self) -> bool:
        """End every thread; True if all are gone."""
        self.closing.emit()
        if self._loader.is_alive():
            self._loader.join(30)
        gone = self.growth.close() & self.what_if.close() & self.ledger.close()
        for job in (self._job, self._fetch):
            if job is not None:
                job.cancel()
                gone &= job.join()
        if self.runner is not None:
            gone &= self.runner.close()
        return gone

    def poll(self) -> None:
        """Pull what is new from the threads; called by the frame clock."""
        if self.runner is None:
            if self._loaded:
                self._engine_loaded(self._loaded.pop())
            return
        is_done = self.runner.is_done  # asked first, so that what is read now is of that or later
        status, self.snapshot = self.runner.status, self.runner.snapshot
        self.preview = self.runner.preview
        if status is not self.status:
            self.status = status
            self.statusChanged.emit(status)
        if self.snapshot and self.snapshot.branch.plain is not self._experiment:
            self._experiment = self.snapshot.branch.plain
            if same_run(self.document, self._experiment.asked):
                self._left = None  # the session that was opened runs
            self.experimentChanged.emit(self._experiment)
        if status.serial != self._serial:
            self._serial = status.serial
            self._tell(status)
        elif is_done and status.state.value != "failed":
            self._agree()
        self._poll_evaluation()
        self.growth.poll()

    def _engine_loaded(self, engine: Engine | Exception) -> None:
        if isinstance(engine, Exception):
            self.complained.emit(f"The engine could not be loaded: {engine}")
            return
        self.engine = engine
        self.runner = engine.runner.Runner()
        self.runner.set_speed(self.document.view.speed)
        self.runner.watch(self._wanted)
        self.runner.follow(self.document)
        self._grow()
        self.ready.emit()

    def _tell(self, status: Status) -> None:
        if not status.refused:
            self.said.emit(status.notice)
            return
        self.complained.emit(status.refused)
        asked = None if self._experiment is None else self._experiment.asked
        another = asked is None or not same_run(self.document, asked)
        if another and status.refused.startswith("view.picture"):
            self.select_sample(self.document.view.sample)  # a picture keeps no other run away
        elif asked is not None:
            self._go_back_to(asked)

    def _agree(self) -> None:
        """The document is that of the run.

        It may not be after a command on a branch that had gone or changed when its turn came.
        """
        asked = self.snapshot.branch.plain.asked if self.snapshot else self.document
        if self.snapshot:
            self.stand_on(self.snapshot.branch)
        if self._agreed[0] is not asked or self._agreed[1] is not self.document:
            document = asked.shown_as(self.document.view)
            if document != self.document:
                self.follow_branch(document)
            self._agreed = (asked, self.document)

    def _go_back_to(self, asked: Document) -> None:
        """The run before goes on, so the document goes back to what that run was asked for."""
        unchanged = not self.history.can_undo
        if self._left is not None and (unchanged or not _rewind(self.history, asked)):
            # the session just opened was refused as a whole
            self.history, self.path, self._kept, self._guest, self._home = self._left
            self._left = None
        if not _rewind(self.history, asked):
            self.history.push(asked, "Refused change")
        self.history.amend(self._watching(asked.view.sample, asked.view.picture))
        self.documentChanged.emit(self.document)
        self.selectionChanged.emit(self.neuron)

    # -- the document ----------------------------------------------------------------------------

    @property
    def document(self) -> Document:
        """The document as it is now."""
        return self.history.document

    @property
    def experiment(self) -> Any:
        """What the document asks for, without edits; None before the first one is prepared."""
        return self._experiment

    @property
    def ghost(self) -> Ghost | None:
        """What the run is drawn over, if anything: a value that is tried, else the reference."""
        snapshot, tried = self.snapshot, self.what_if.recording
        if tried is not None:
            return Ghost(tried, snapshot.experiment, is_trial=True)
        reference = snapshot.reference if snapshot else None
        return reference and Ghost(reference.recording, reference.branch.experiment)

    def open(self, document: Document, path: Path | None) -> None:
        """Put another document in place of this one."""
        self._left = (self.history, self.path, self._kept, self._guest, self._home)
        self._kept = document.branches
        document = _without_branches(document)
        self.history = History(document)
        self.path, self._guest, self._home = path, False, None
        self.evaluation = self.evaluated_document = None
        self.evaluated_edits = ()
        self.cancel_evaluation()
        self.growth.forget()
        if self.runner is not None:
            self.runner.set_speed(document.view.speed)
        self.evaluationChanged.emit()
        self._changed(anew=True)
        self._grow()
        self.selectionChanged.emit(document.view.neuron)

    def _grow(self) -> None:
        """The branches of the session that was opened, if it has any."""
        kept, document = self._kept, self.document
        if kept:
            self.ask(lambda runner: runner.grow(kept, document))

    @property
    def on_guest(self) -> bool:
        """Whether the cursor is on a run of another session than the one that is open."""
        return self._guest

    @property
    def name(self) -> str:
        """What is run is called so: the session, or that of the branch which the cursor is on."""
        if self._guest:
            return self.branching.name(self.snapshot.branch)
        return self.path.stem if self.path else "untitled"

    @property
    def session(self) -> Document:
        """The document with its branches: what a file holds.

        It is the session that is open, also where the cursor is on a run of another one.
        """
        document, branch = self.document, self.branching.current
        if self._guest and self._home is not None:
            branch, document = self.branching.at(self._home.number), self._home.plain.asked
        return document.model_copy(update={"branches": self.branching.written(branch)})

    @property
    def dirty(self) -> bool:
        """Whether something would be lost that is not in the file."""
        grown, session = self.status is not None, self.session
        grown = grown and self.status.state.value != "preparing"
        differs = self.history.differs(_without_branches(session))
        return differs or (grown and session.branches != self._kept)

    def mark_saved(self, session: Document) -> None:
        """This session is the one on disk."""
        self._kept = session.branches
        self.history.mark_saved(_without_branches(session))

    def stand_on(self, branch: Branch) -> None:
        """The cursor is on a branch, or about to go there."""
        if not branch.guest:
            self._home = branch
        elif not self._guest and not self.branching.current.guest:
            self._home = self.branching.current
        self._guest = branch.guest

    def set_value(self, place: str, value: Any, merge: bool = False) -> bool:
        """Change one value of the document; False if it was refused (and said why).

        ``merge`` joins the change to the one before it of the same place: a slider being dragged.
        """
        try:
            document = self.document.with_value(place, value)
            if place.startswith("system.") and self.engine is not None:
                self.engine.experiment.system_params(document)
        except InputError as error:
            self.complained.emit(str(error))
            return False
        if document != self.document:
            self.history.push(document, f"Set {place}", merge=merge)
            self._changed()
        elif not merge:
            self.history.amend(document)  # the end of a drag; the next one is undone by itself
        return True

    def change(self, document: Document, label: str) -> None:
        """Put a changed document in place of this one; it can be undone."""
        self.history.push(document, label)
        self._changed()

    def follow_branch(self, document: Document) -> None:
        """The cursor goes to another branch, whose document this is."""
        self.history.amend(document)
        self.documentChanged.emit(document)

    def undo(self) -> None:
        """Take back the last change of the document."""
        self.history.undo()
        self._changed(undone=True)

    def redo(self) -> None:
        """Make the change again that was taken back."""
        self.history.redo()
        self._changed(undone=True)

    def _changed(self, anew: bool = False, undone: bool = False) -> None:
        self.documentChanged.emit(self.document)
        if self.runner is not None:
            self.runner.set_speed(self.document.view.speed)
            if not (undone and self.branching.back_to(self.document)):
                self.runner.follow(self.document, anew)

    # -- selection -------------------------------------------------------------------------------

    @property
    def neuron(self) -> int | None:
        """The selected neuron, in every view."""
        return self.document.view.neuron

    def select_neuron(self, neuron: int | None) -> None:
        """Select a neuron in all views."""
        if neuron != self.neuron:
            self.history.amend(self.document.with_value("view.neuron", neuron))
            self.selectionChanged.emit(neuron)

    def select_sample(self, sample: int) -> None:
        """Show a test sample, in place of another or of a picture; the run starts again."""
        self._watch(self._watching(sample, None))

    def select_picture(self, path: Path) -> None:
        """Code a picture in place of the test sample; the same one again is read again."""
        document = self._watching(self.document.view.sample, str(path))
        if document == self.document:
            self.ask(lambda runner: runner.restart())
        self._watch(document)

    def _watching(self, sample: int, picture: str | None) -> Document:
        document = self.document.with_value("view.sample", sample)
        return document.with_value("view.picture", picture)

    def _watch(self, document: Document) -> None:
        if document != self.document:
            self.history.amend(document)
            self._changed()

    def amend_view(self, key: str, value: Any) -> None:
        """Change how things are shown; no entry in the undo history."""
        self.history.amend(self.document.with_value(f"view.{key}", value))
        self.documentChanged.emit(self.document)
        if self.runner is not None and key == "speed":
            self.runner.set_speed(value)

    def want(self, names: frozenset[str], compared: frozenset[str] = frozenset()) -> None:
        """Which observables the visible views draw, of the run and of the reference."""
        self._wanted = names
        if self.runner is not None:
            self.runner.watch(names, compared)

    # -- the run ---------------------------------------------------------------------------------

    def ask(self, request: Callable[[Runner], None]) -> None:
        """Ask the runner for something, if it is there."""
        if self.runner is not None:
            request(self.runner)

    @property
    def running(self) -> bool:
        """Whether the run goes on by itself."""
        return self.status is not None and self.status.state.value == "running"

    def fetch(self, name: str, root: Path | None) -> Fetch:
        """Download a dataset into ``root``, or the weights of a network; only the engine can."""
        self._fetch = self.engine.fetch.Fetch(name, root)
        return self._fetch

    # -- the evaluation --------------------------------------------------------------------------

    @property
    def evaluating(self) -> bool:
        """Whether the test set is being coded in the background."""
        return self._job is not None

    @property
    def decisions(self) -> Evaluation | None:
        """The last evaluation, if it decided and is of the test images of this run."""
        experiment, evaluated = self._experiment, self.evaluated_document
        if self.evaluation is None or experiment is None or evaluated is None:
            return None
        same = evaluated.data == experiment.document.data
        same &= self.evaluation.total == len(experiment.dataset.test)  # a folder may change
        return self.evaluation if same and self.evaluation.decided else None

    @property
    def perceptron(self) -> Any:
        """The perceptron of the last evaluation, if it was trained on the neurons of this run."""
        experiment, evaluated = self._experiment, self.evaluated_document
        if self.evaluation is None or experiment is None or evaluated is None:
            return None
        sections = ("data", "backbone", "signal", "dictionary", "system")
        same = all(getattr(evaluated, s) == getattr(experiment.document, s) for s in sections)
        same &= self.evaluated_edits == self.snapshot.branch.atom_edits
        return self.evaluation.perceptron if same else None

    @property
    def evaluated_earlier(self) -> bool:
        """Whether the settings of the run have changed since the evaluation."""
        evaluated, experiment = self.evaluated_document, self._experiment
        return evaluated is not None and not same_run(evaluated, experiment.document)

    @property
    def evaluated_words(self) -> str:
        """What was edited in the network that was evaluated; empty if there is nothing to say."""
        words = ", ".join(edit.words() for edit in self.evaluated_edits)
        unedited = self.evaluation is not None and self.snapshot.branch.atom_edits
        return words or ("atoms unedited" if unedited else "")

    def evaluation_caption(self, *words: str) -> str:
        """Session, images and fingerprint of the evaluation, for the foot of a figure."""
        found, edits = self.evaluation, (edit.words() for edit in self.evaluated_edits)
        parts = (self.name, *edits, *words, f"{found.done} test images")
        return f"{', '.join(parts)}, fingerprint {found.fingerprint}"

    def evaluate(self) -> None:
        """Code and classify the whole test set in the background.

        By the network of this branch: as the document stands, with atoms as they were edited.
        """
        if self._experiment is None or self._job is not None:
            return
        experiment, evaluate = self.snapshot.branch.experiment, self.engine.evaluation.evaluate
        self.evaluation = None
        self.evaluated_document = experiment.document
        self.evaluated_edits = self.snapshot.branch.atom_edits
        self._job = self.engine.job.Job(lambda stop: evaluate(experiment, cancelled=stop))
        self.evaluationChanged.emit()

    def cancel_evaluation(self) -> None:
        """Stop coding the test set; what is done so far stays."""
        if self._job is not None:
            self._job.cancel()

    def _poll_evaluation(self) -> None:
        job = self._job
        if job is None:
            return
        running = job.running  # read before ``latest``, so that the last result is not missed
        left = self.evaluated_document is None  # another session was opened meanwhile
        if job.latest not in (None, self.evaluation) and not left:
            self.evaluation = job.latest
            self.evaluationChanged.emit()
        if not running:
            self._job = None
            if job.error:
                self.complained.emit(f"The evaluation stopped: {job.error}")
            self.evaluationChanged.emit()


def _without_branches(document: Document) -> Document:
    return document.model_copy(update={"branches": ()})


def _rewind(history: History, asked: Document) -> bool:
    """Undo until a document asks for the same run; False if none did (then at the beginning)."""
    while not same_run(history.document, asked):
        if not history.can_undo:
            return False
        history.undo()
    return True


def same_run(a: Document, b: Document) -> bool:
    """Whether two documents differ in no more than how they are shown."""
    return a.model_copy(update={"view": b.view}) == b
