"""From a document to all that a run needs: built once, resolved wholly, refused in one line."""

import numpy as np
import pytest
import torch

from workbench.data import datasets
from workbench.document import Document, load, shipped
from workbench.engine import devices
from workbench.engine.evaluation import evaluate
from workbench.engine.experiment import (
    Cancelled,
    prepare,
    system_params,
    with_live_params,
)
from workbench.engine.resolved import natural_batch
from workbench.errors import InputError


def nulls(document):
    """The places of a document that hold null."""
    return {
        f"{section}.{key}"
        for section, values in document.model_dump().items()
        if isinstance(values, dict)
        for key, value in values.items()
        if value is None
    }


NOT_APPLICABLE = {  # no weights, no folder; nothing is selected, rounded or stops
    "dictionary.leave_out",
    "dictionary.added",
    "dictionary.learning_threshold",
    "dictionary.learning_rate",
    "decoder.samples",
    "view.picture",
    "data.root",
    "backbone.weights",
    "backbone.weights_hash",
    "backbone.image_size",
    "run.tolerance",
    "run.storage",
    "view.neuron",
}


def test_every_natural_choice_is_written_out():
    document = Document.parse({"system": {"kind": "lca"}})
    resolved = prepare(document).document
    assert nulls(resolved) == NOT_APPLICABLE < nulls(document)
    assert resolved.value("data.train") == 1437 and resolved.value("data.test") == 360
    assert resolved.value("dictionary.atoms") == 1437
    assert resolved.value("signal.norm") == "none"
    assert resolved.value("run.engine") == "residual"
    assert resolved.value("run.device") == devices.there()[0]
    assert resolved.value("run.batch") == 512
    assert resolved.system == {
        "kind": "lca",
        "threshold": 2.0,
        "time_constant": 100.0,
        "time_step": 1.0,
        "steps": 100,
        "transfer": "soft",
        "integrator": "euler",
    }


def test_a_system_without_a_dictionary_leaves_its_size_open():
    resolved = prepare(Document.parse({"system": {"kind": "lif"}})).document
    assert nulls(resolved) == NOT_APPLICABLE | {"dictionary.atoms"}


@pytest.mark.parametrize("name", ["digits-exemplar", "digits-random", "lif-population"])
def test_the_resolved_document_repeats_the_result(name):
    first = prepare(load(shipped()[name]).with_value("system.steps", 30))
    again = prepare(Document.parse(first.document.model_dump()))
    assert again.document == first.document
    prints = [list(evaluate(experiment, 40))[-1].fingerprint for experiment in (first, again)]
    assert prints[0] == prints[1]


def test_auto_is_lazy_for_large_dictionaries_and_what_is_asked_for_is_kept(document, monkeypatch):
    monkeypatch.setattr(devices, "LARGE_DICTIONARY", 100 * 64)
    for asked, atoms, chosen in (
        ("auto", 99, "residual"),
        ("auto", 100, "lazy"),
        ("residual", 100, "residual"),
        ("lazy", 99, "lazy"),
    ):
        made = prepare(
            document(dictionary={"atoms": atoms}, run={"engine": asked, "device": "cpu"})
        )
        assert made.document.run.engine == made.system.wiring.engine == chosen
        assert (made.system.lazy is not None) == (chosen == "lazy")
        live = with_live_params(made, made.asked.with_text("system.threshold=0.5"))
        assert live.document.run.engine == live.system.wiring.engine == chosen
    with pytest.raises(InputError, match="'lazy': not available yet; auto or residual is"):
        prepare(document("lif", run={"engine": "lazy"}))


def test_both_engines_evaluate_alike(document):
    results = []
    for engine in ("residual", "lazy"):
        made = prepare(document(run={"engine": engine, "precision": "float64"}))
        *_, last = evaluate(made, 60)
        results.append(last)
    plain, quick = results
    assert quick.accuracy == plain.accuracy and quick.firing_counts.max() > 1
    np.testing.assert_allclose(quick.firing_counts, plain.firing_counts)
    np.testing.assert_allclose(quick.energy["total"], plain.energy["total"], rtol=1e-9)
    assert quick.duality_gap == pytest.approx(plain.duality_gap, rel=1e-6)
    assert quick.converged_fraction == plain.converged_fraction


@pytest.mark.parametrize(
    ("neurons", "batch"),
    [(1, 512), (64, 512), (1437, 512), (7812, 512), (60_000, 66), (4_000_000, 1), (10**8, 1)],
)
def test_the_natural_batch_holds_16_megabytes_and_at_least_one_sample(neurons, batch):
    assert natural_batch(neurons) == batch


def test_what_the_document_asks_for_again_is_not_built_again(document, monkeypatch):
    first = prepare(document())
    loads = []
    real = datasets.load

    def loading(*arguments, **keywords):
        loads.append(arguments)
        return real(*arguments, **keywords)

    monkeypatch.setattr(datasets, "load", loading)
    other_system = prepare(document(time_constant=50.0), first)
    assert other_system.dataset is first.dataset
    assert other_system.dictionary is first.dictionary
    assert other_system.system.params.time_constant == 50

    other_atoms = prepare(document(dictionary={"atoms": 90}), other_system)
    assert other_atoms.dataset is first.dataset and not loads
    assert len(other_atoms.dictionary.atoms) == 90

    other_data = prepare(document(data={"seed": 4}), other_atoms)
    assert len(loads) == 1 and other_data.dataset is not first.dataset
    assert not torch.equal(other_data.dictionary.atoms, first.dictionary.atoms)
    assert other_data.dictionary.atoms.shape == first.dictionary.atoms.shape

    back = prepare(document("lif", data={"seed": 4}), other_data)
    assert back.dataset is other_data.dataset and back.dictionary is None
    assert prepare(document(data={"seed": 4}), back).dictionary is not None


def test_what_is_reused_gives_the_result_of_what_is_built_anew(document):
    first = prepare(document("lif"))
    one = prepare(document(dictionary={"kind": "random", "atoms": 70}), prepare(document(), first))
    other = prepare(document(dictionary={"kind": "random", "atoms": 70}))
    results = [list(evaluate(experiment, 10))[-1].fingerprint for experiment in (one, other)]
    assert results[0] == results[1]


@pytest.mark.parametrize("norm", [10, 0.5])
def test_signals_are_scaled_to_the_norm_asked_for(prepared, norm):
    plain, scaled = prepared(), prepared(signal={"norm": norm})
    signals, lengths = scaled.signals(slice(30)), plain.signals(slice(30)).norm(dim=1)
    assert torch.allclose(signals.norm(dim=1), torch.tensor(float(norm)))
    assert torch.allclose(signals / norm * lengths[:, None], plain.signals(slice(30)))
    assert lengths.std() > 0.05
    assert scaled.document.signal.norm == norm


def test_a_blank_signal_stays_blank(prepared):
    experiment = prepared(signal={"norm": 10})
    experiment.dataset.test.images[3] = 0
    signals = experiment.signals([2, 3])
    assert signals[1].count_nonzero() == 0 and float(signals[0].norm()) == pytest.approx(10)


@pytest.mark.parametrize(
    ("precision", "dtype"), [("float32", torch.float32), ("float64", torch.float64)]
)
def test_everything_is_computed_in_the_precision_asked_for(prepared, precision, dtype):
    for kind in ("lca", "lif", "lif poisson"):
        experiment = prepared(kind, run={"precision": precision})
        state = experiment.system.step(experiment.initial([0]))
        assert state.signal.dtype == dtype
        held = [t for t in state if t.numel()]
        assert all(not t.is_floating_point() or t.dtype == dtype for t in held)


def test_it_tells_what_it_is_doing_and_can_be_called_off(document):
    told = []
    prepare(document(), report=told.append)
    assert told == ["Loading digits", "Building the exemplar dictionary", "Wiring LCA"]
    for parts in range(3):
        heard = []
        with pytest.raises(Cancelled):
            prepare(document(), report=heard.append, cancelled=lambda: len(heard) == parts)  # noqa: B023
        assert heard == told[:parts]


def test_time_is_measured(prepared):
    seconds = prepared().seconds
    assert set(seconds) == {"features", "dictionary"} and all(v > 0 for v in seconds.values())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("system.threshold=-1", "system.threshold = -1: must be a number of at least 0"),
        ("system.threshold=high", "system.threshold = 'high': must be a number of at least 0"),
        ("system.treshold=1", "did you mean threshold?"),
        ("system.kind=lcaa", "did you mean lca?"),
        ("data.dataset=mnist", "--set data.root=FOLDER"),
        ("data.test=361", "data.test = 361: there are only 360"),
        ("dictionary.atoms=1438", "dictionary.atoms = 1438: there are only 1437"),
        ("dictionary.leave_out=ten", "dictionary.leave_out: there is no class 'ten'; there are 0"),
        ("dictionary.added=7", "dictionary.added = '7': must be a list of class=number, such as"),
        ("dictionary.added=7=900", "dictionary.added: 7=900: only 1"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(document, change, words):
    with pytest.raises(InputError) as error:
        prepare(document().with_text(change))
    assert words in str(error.value) and "\n" not in str(error.value)


def test_negative_signals_under_poisson_are_the_users_to_know(prepared):
    experiment = prepared("lif poisson")
    experiment.dataset.test.images[3] -= 1
    with pytest.raises(InputError, match="test sample 3: Poisson encoding needs signals of at"):
        experiment.initial([3])


def test_live_parameters_change_the_system_and_nothing_else(document):
    first = prepare(document())
    changed = document(threshold=0.25, decoder={"kind": "max"}, view={"neuron": 2})
    live = with_live_params(first, changed)
    assert live.asked == changed
    assert live.dataset is first.dataset and live.dictionary is first.dictionary
    assert live.system.params == system_params(changed) and live.system.params.threshold == 0.25
    assert live.document == prepare(changed).document
    assert first.system.params.threshold == 1


def test_live_parameters_are_checked(document):
    with pytest.raises(InputError, match="must be"):
        with_live_params(prepare(document()), document().with_text("system.threshold=-1"))
    with pytest.raises(InputError, match="not available yet"):
        with_live_params(prepare(document("lif")), document("lif", run={"engine": "dense"}))


@pytest.mark.parametrize(
    "changes",
    [
        ("dictionary.kind=random", "dictionary.atoms=20", "dictionary.added=3=10"),
        ("dictionary.kind=random", "dictionary.atoms=20", "dictionary.added=cat=10"),
        ("dictionary.kind=learned", "dictionary.atoms=12", "dictionary.learning_updates=4"),
        ("dictionary.kind=learned", "dictionary.learning_updates=2", "signal.norm=1"),
        ("dictionary.leave_out=7", "dictionary.added=7=5,3=1", "decoder.kind=perceptron"),
        ("signal.norm=3", "decoder.kind=perceptron", "decoder.samples=40"),
    ],
)
def test_a_resolved_document_builds_the_same_again_whatever_else_it_sets(document, changes):
    asked = document()
    for change in changes:
        asked = asked.with_text(change)
    first = prepare(asked)
    again = prepare(first.document)
    assert again.document == first.document
    assert torch.equal(again.system.wiring.atoms, first.system.wiring.atoms)
    if asked.decoder.kind == "perceptron":
        assert first.document.decoder.samples == (asked.decoder.samples or 1437)


def test_a_learned_dictionary_learns_from_signals_at_their_length(document):
    asked = document().with_text("dictionary.kind=learned").with_text("signal.norm=1")
    resolved = prepare(asked.with_text("dictionary.learning_updates=2")).document
    assert resolved.dictionary.learning_threshold == pytest.approx(0.1, rel=1e-3)


@pytest.mark.parametrize(
    "changes",
    [
        ("signal.norm=500",),
        ("system.threshold=0.001",),
        ("data.seed=3", "dictionary.seed=2"),
        ("dictionary.leave_out=4", "dictionary.added=4=2"),
        ("run.precision=float64",),
        ("backbone.name=embedded",),
        ("dictionary.atoms=30", "signal.norm=none"),
    ],
)
def test_what_is_used_again_gives_the_same_as_building_anew(document, changes):
    """There and back: every change after another experiment, and the first one after it."""
    base = document()
    changed = base
    for change in changes:
        changed = changed.with_text(change)
    before, anew = prepare(base), prepare(changed)
    after = prepare(changed, before)
    back = prepare(base, after)
    for made, fresh in ((after, anew), (back, before)):
        assert made.document == fresh.document and made.notes == fresh.notes
        assert torch.equal(made.system.wiring.atoms, fresh.system.wiring.atoms)
        assert torch.equal(made.system.wiring.labels, fresh.system.wiring.labels)
        assert torch.equal(made.initial([3]).drive, fresh.initial([3]).drive)


def test_a_learned_dictionary_is_learned_anew_when_the_signals_change_their_length(document):
    base = document(dictionary={"kind": "learned", "atoms": 12, "learning_updates": 4})
    changed = base.with_text("signal.norm=1")
    before, anew = prepare(base), prepare(changed)
    after = prepare(changed, before)
    assert after.document == anew.document
    assert torch.equal(after.system.wiring.atoms, anew.system.wiring.atoms)
    assert prepare(base.with_text("system.threshold=0.5"), before).dictionary is before.dictionary


def test_the_warning_of_the_drive_follows_live_parameters_and_growth(document):
    quiet = prepare(document(threshold=2.0))
    assert quiet.notes == ()
    loud = with_live_params(quiet, document(threshold=0.01))
    assert "times the threshold" in loud.notes[0]
    more = document(threshold=0.01).with_text("dictionary.added=3=2")
    grown = prepare(more, loud)
    assert grown.notes == prepare(more).notes
    assert grown.drive == pytest.approx(prepare(more).drive, rel=1e-5)
    assert with_live_params(loud, document(threshold=2.0)).notes == ()


def test_features_that_were_not_needed_before_are_computed_when_they_are(document):
    asked = document(dictionary={"atoms": 40}, steps=3).with_text("backbone.name=embedded")
    first = prepare(asked, samples=32)
    second = prepare(asked.with_text("dictionary.atoms=30"), first)
    assert list(evaluate(second))[-1].done == 360


def test_data_that_changed_on_disk_are_read_again(document, tmp_path):
    path = tmp_path / "images.npz"

    def write(count):
        images = np.random.default_rng(0).integers(1, 255, (count, 4, 4)).astype(np.uint8)
        np.savez(path, images=images, labels=np.arange(count) % 2)

    write(40)
    asked = document(dictionary={"atoms": 5}).on_data(path)
    first = prepare(asked)
    assert prepare(asked.with_text("dictionary.seed=1"), first).dataset is first.dataset
    write(80)
    second = prepare(asked.with_text("dictionary.seed=1"), first)
    assert len(second.dataset.train) == 2 * len(first.dataset.train)


def test_more_training_codes_than_images_are_refused(document):
    asked = document().with_text("decoder.kind=perceptron")
    line = "decoder.samples = 1438: there are only 1437 training images"
    with pytest.raises(InputError, match=line):
        prepare(asked.with_text("decoder.samples=1438"))
    with pytest.raises(InputError, match=line):
        with_live_params(prepare(document()), asked.with_text("decoder.samples=1438"))
    live = with_live_params(prepare(document()), asked)
    assert live.document.decoder.samples == 1437
