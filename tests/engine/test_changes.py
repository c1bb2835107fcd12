"""What a change of the document does to a run, and how it is said."""

import pytest

from workbench.engine.changes import Effect, differences, effect


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("view.neuron=3", Effect.NONE),
        ("view.speed=5", Effect.NONE),
        ("decoder.kind=max", Effect.NONE),
        ("system.threshold=0.5", Effect.LIVE),
        ("system.steps=50", Effect.LIVE),
        ("view.sample=4", Effect.RESTART),
        ("view.picture=a.png", Effect.RESTART),
        ("run.tolerance=0.01", Effect.RESTART),
        ("system.kind=lif", Effect.PREPARE),
        ("data.seed=1", Effect.PREPARE),
        ("data.dataset=mnist", Effect.PREPARE),
        ("backbone.name=resnet50", Effect.PREPARE),
        ("signal.norm=10", Effect.PREPARE),
        ("dictionary.atoms=20", Effect.PREPARE),
        ("dictionary.kind=random", Effect.PREPARE),
        ("run.precision=float64", Effect.PREPARE),
        ("run.batch=3", Effect.PREPARE),
    ],
)
def test_a_change_does_the_least_that_is_needed(document, change, expected):
    assert effect(document(), document().with_text(change)) is expected


def test_beside_a_picture_the_test_sample_counts_for_nothing(document):
    old = document().with_text("view.picture=a.png")
    assert effect(old, old.with_text("view.sample=4")) is Effect.NONE
    assert effect(old, document()) is Effect.RESTART
    assert differences(old, document()) == "sample 0"


def test_the_largest_effect_counts(document):
    old = document()
    both = old.with_text("system.threshold=0.5").with_text("view.sample=4")
    assert effect(old, both) is Effect.RESTART
    assert effect(old, both.with_text("dictionary.atoms=20")) is Effect.PREPARE


@pytest.mark.parametrize(
    "change", ["system.encoding=poisson", "system.seed=3", "system.reset=zero"]
)
def test_a_parameter_that_says_so_restarts_the_run(document, change):
    expected = {"system.reset=zero": Effect.NONE}.get(change, Effect.RESTART)
    assert effect(document("lif"), document("lif").with_text(change)) is expected


def test_writing_a_default_out_changes_nothing(document):
    silent = document()
    assert "transfer" not in silent.system
    spoken = silent.with_text("system.transfer=soft").with_text("system.threshold=1")
    assert effect(silent, spoken) is effect(spoken, silent) is Effect.NONE


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (["system.threshold=1.50"], "threshold 1 → 1.5"),
        (["system.time_constant=50", "system.steps=30"], "steps 40 → 30, time constant 20 → 50"),
        (["system.transfer=hard"], "transfer soft → hard"),
        (["view.sample=4"], "sample 4"),
        (["view.picture=folder/a.png"], "picture a.png"),
        (["system.kind=lif"], "system lif"),
        (["data.seed=2", "dictionary.seed=1"], "data seed 0 → 2, dictionary seed 0 → 1"),
        (["dictionary.atoms=20"], "dictionary atoms 150 → 20"),
        (["backbone.name=vgg16"], "backbone name none → vgg16"),
        (["signal.norm=10"], "signal norm default → 10"),
        (["view.neuron=3"], "the same settings"),
    ],
)
def test_a_change_is_said_in_words(document, changes, words):
    old = new = document()
    for change in changes:
        new = new.with_text(change)
    assert differences(old, new) == words
