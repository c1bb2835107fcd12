"""What half precision moved, against the same dictionary in float32."""

import pytest
import torch

from tests.spread import spread
from workbench.engine import rounding
from workbench.engine.experiment import prepare

KINDS = {
    "exemplar": {"atoms": 150},
    "grown": {"atoms": 100, "added": "3=9"},
    "random": {"kind": "random", "atoms": 80},
    "learned": {"kind": "learned", "atoms": 20, "learning_updates": 3},
}


def asked(document, storage, **dictionary):
    return document(dictionary=dictionary, run={"storage": storage})


def by_hand(exact, half):
    """The largest change of an atom and of a drive, all at once in float64."""
    moved = exact.dictionary.atoms.double() - half.dictionary.atoms.double()
    drive = moved @ exact.signals([0])[0].double().cpu()
    return [float(torch.linalg.vector_norm(moved, dim=1).max()), float(drive.abs().max())]


@pytest.mark.parametrize("storage", ["float16", "bfloat16"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_moved_is_measured_and_told(document, kind, storage):
    exact = prepare(asked(document, None, **KINDS[kind]))
    half = prepare(asked(document, storage, **KINDS[kind]))
    assert exact.rounding is None and not any("rounding" in note for note in exact.notes)
    found = [half.rounding.atom, half.rounding.drive]
    assert found == pytest.approx(by_hand(exact, half), rel=1e-3)
    (note,) = [note for note in half.notes if "rounding moved them" in note]
    assert storage in note and f"{half.rounding.atom:.2g}" in note
    assert half.rounding.atom <= torch.finfo(getattr(torch, storage)).eps / 2
    assert half.rounding.drive <= half.rounding.atom * exact.signals([0]).norm()
    assert half.document.run.storage == storage
    # one dictionary, not two: the network reads the atoms that are shown, unless these are far
    atoms = half.system.wiring.atoms
    assert atoms.is_cuda or half.system.wiring.atoms.data_ptr() == half.dictionary.atoms.data_ptr()


def test_of_a_dictionary_that_grows_only_new_atoms_are_measured(document, monkeypatch):
    first = prepare(asked(document, "bfloat16", atoms=100))
    measured, looked_at = rounding.measured, []

    def watched(*arguments):
        looked_at.append(arguments[4])
        return measured(*arguments)

    monkeypatch.setattr(rounding, "measured", watched)
    wish = asked(document, "bfloat16", atoms=100, added="3=9")
    grown = prepare(wish, first)
    assert looked_at == [100] and grown.dictionary.store is first.dictionary.store
    assert grown.rounding == prepare(wish).rounding
    anew = prepare(asked(document, "float16", atoms=100), first)
    assert anew.dictionary.atoms.dtype == torch.float16 and anew.dictionary is not first.dictionary


@pytest.mark.parametrize("kind", KINDS)
def test_shards_measure_the_whole(document, kind):
    wish = (
        asked(document, "bfloat16", **KINDS[kind])
        .with_text("run.engine=residual")
        .with_text("run.device=cpu")
    )
    whole = prepare(wish)
    for found in spread(3, lambda shard: prepare(wish, shard=shard)):
        assert found.rounding.atom == pytest.approx(whole.rounding.atom, rel=1e-5)
        assert found.rounding.drive == pytest.approx(whole.rounding.drive, rel=1e-4)
        assert found.drive == pytest.approx(whole.drive, rel=1e-6)
        assert found.document == whole.document and found.notes == whole.notes
