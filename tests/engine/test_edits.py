"""What a branch may change besides parameters."""

import numpy as np
import pytest
import torch

from workbench.engine import inputs
from workbench.engine.edits import EDITS, DropAtom, NoisyAtom, NoisyInput, Occlude, Shift
from workbench.engine.recording import Handover, Recording
from workbench.errors import InputError
from workbench.parameters import declared


@pytest.fixture
def scene(prepared):
    """An experiment and its first test image."""

    def make(*kind, **changes):
        experiment = prepared(*kind, **changes)
        return experiment, inputs.chosen(experiment, experiment.asked.view)

    return make


def test_an_occlusion_is_black_where_it_says_and_nowhere_else(scene):
    experiment, given = scene()
    same, after = Occlude(left=0.25, top=0.5, width=0.5, height=0.25).applied(experiment, given)
    assert same is experiment and given.image.max() > 0
    assert not after.image[4:6, 2:6].any()
    left = np.ones_like(given.image, bool)
    left[4:6, 2:6] = False
    assert np.array_equal(after.image[left], given.image[left])
    assert np.array_equal(after.vector.numpy().reshape(8, 8), after.image)
    assert (after.name, after.truth) == (given.name, given.truth)


@pytest.mark.parametrize(("right", "down"), [(1, 0), (-2, 3), (0, -1), (8, 0), (0, 99)])
def test_a_shifted_image_is_the_image_rolled_with_black_let_in(scene, right, down):
    _, after = Shift(right=right, down=down).applied(*scene())
    _, given = scene()
    framed = np.pad(given.image, 100)
    expected = np.roll(framed, (down, right), (0, 1))[100:108, 100:108]
    assert np.array_equal(after.image, expected)


def test_noise_on_the_input_is_repeatable_and_stays_between_black_and_white(scene):
    _, given = scene()
    one, again = (NoisyInput(amount=0.3, seed=4).applied(*scene())[1].image for _ in range(2))
    assert np.array_equal(one, again) and 0 <= one.min() < one.max() <= 1
    assert not np.array_equal(one, NoisyInput(amount=0.3, seed=5).applied(*scene())[1].image)
    assert np.array_equal(NoisyInput(amount=0.0).applied(*scene())[1].image, given.image)


def test_an_edited_atom_is_the_only_one_that_changes_and_the_old_network_stays(scene):
    experiment, given = scene()
    before = experiment.system.wiring.atoms.clone()
    changed, same = NoisyAtom(neuron=7, amount=0.5, seed=1).applied(experiment, given)
    assert same is given and torch.equal(experiment.system.wiring.atoms, before)
    atoms = changed.system.wiring.atoms
    rows = (atoms != before).any(1).nonzero()[:, 0].tolist()
    assert rows == [7] and torch.equal(changed.dictionary.atoms[7], atoms[7].cpu())
    assert float(atoms[7].norm()) == pytest.approx(1.0, abs=1e-6)
    # noise of length n at a right angle turns an atom by atan(n); drawn at random it is near that
    assert float(atoms[7] @ before[7]) == pytest.approx(1 / np.sqrt(1 + 0.5**2), abs=0.1)


@pytest.mark.parametrize("kind", ["lca", "lca lazy"])
def test_a_dropped_neuron_is_silent_and_the_rest_is_the_network_without_it(scene, kind):
    """A second form: the network whose dictionary never had the atom."""
    experiment, given = scene(kind)
    state = experiment.initial([0])
    recording = Recording(experiment.system, state)
    for _ in range(20):
        state = recording.advance(state)
    neuron = int(recording.spikes()[-1][0])
    changed, _ = DropAtom(neuron=neuron).applied(experiment, given)
    branch = recording.fork(20, changed.system, Handover(None))

    u = experiment.system.observe(state, ("membrane_potential",))["membrane_potential"][0]
    signal, atoms = experiment.signals([0])[0], experiment.system.wiring.atoms
    kept = torch.arange(len(u)) != neuron
    u, atoms = u[kept].double(), atoms[kept].double()
    for step in range(20, 40):
        state = branch.advance(state)
        a = torch.nn.functional.softshrink(u, 1.0)
        u = u + (1 / 20) * (atoms @ (signal.double() - a @ atoms) + a - u)
        now = changed.system.observe(state, ("membrane_potential", "firing"))
        assert neuron not in branch.spikes()[step + 1]
        assert float(now["membrane_potential"][0, neuron]) == 0
        assert torch.allclose(now["membrane_potential"][0, kept].double(), u, atol=1e-5)
    assert branch.digest(20) == recording.digest(20)


@pytest.mark.parametrize("kind", ["lca", "lca lazy", "lif", "lif poisson"])
def test_an_input_that_changes_in_mid_run_drives_the_neurons_from_the_next_step_on(scene, kind):
    experiment, given = scene(kind)
    state = experiment.initial([0])
    recording = Recording(experiment.system, state, 0)  # every state is computed again
    for _ in range(15):
        state = recording.advance(state)
    _, black = Occlude(left=0.0, top=0.0, width=1.0, height=1.0).applied(experiment, given)
    branch = recording.fork(15, experiment.system, Handover(experiment.scaled(black.vector)))
    states = [state]
    for _ in range(400 if "lca" in kind else 25):
        states.append(branch.advance(states[-1]))
    output = experiment.system.output
    seen = experiment.system.observe(states[-1], (output, "input"))
    assert not seen["input"].any()
    assert recording.observer(15).observe(states[0], ("input",))["input"].any()
    if "lca" in kind:  # nothing to explain: all fall silent
        assert not seen[output].any()
    else:  # I = 0 from the step after on
        assert not experiment.system.observe(states[1], ("input_current",))["input_current"].any()
    again = branch.state(15 + 7)  # over the change, from the first state on
    assert all(torch.equal(a, b) for a, b in zip(again, states[7], strict=True))


def test_what_cannot_be_edited_is_refused_in_one_line(scene):
    with pytest.raises(InputError, match="^neuron = 150: there are neurons 0 to 149$"):
        DropAtom(neuron=150).applied(*scene())
    with pytest.raises(InputError, match="LIF population has no dictionary"):
        NoisyAtom(neuron=0).applied(*scene("lif"))
    with pytest.raises(InputError, match=r"left = 2: must be a number from 0 to 1"):
        Occlude.parse({"left": 2}, "")


@pytest.mark.parametrize("edit", EDITS)
def test_every_edit_names_itself_and_explains_its_fields(edit):
    assert edit.title and edit().words()
    assert all(p.meaning and p.label for p in declared(edit))
