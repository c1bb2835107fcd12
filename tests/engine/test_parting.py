"""Where two runs part, to the step, the neuron and the bit."""

from dataclasses import replace

import pytest
import torch

from workbench.engine import forking, inputs
from workbench.engine.parting import comparable, partings


@pytest.fixture
def ran(prepared):
    """A branch that ran for some steps."""

    def make(*kind, steps=40, **changes):
        experiment = prepared(*kind, **changes)
        given = inputs.chosen(experiment, experiment.asked.view)
        return on(forking.root(experiment, given, 10**9), steps)

    return make


def on(branch, steps):
    """The branch run on by some steps."""
    state = branch.recording.state(branch.recording.head)
    for _ in range(steps):
        state = branch.recording.advance(state)
    return branch


def last(a, b):
    return list(partings(a, b))[-1]


def one_bit_changed(branch, neuron, step, pixel, bit):
    """The branch from a step on with one bit of a pixel of one atom changed."""
    from workbench.engine.recording import Handover

    system = branch.experiment.system
    atoms = system.wiring.atoms.clone()
    atoms[neuron].view(torch.int32)[pixel] ^= 1 << bit
    wiring = replace(system.wiring, atoms=atoms, checked=len(atoms))
    changed = type(system)(system.params, wiring)
    record = branch.recording.fork(step, changed, Handover(None))
    experiment = replace(branch.experiment, system=changed)
    return replace(branch, experiment=experiment, recording=record, number=1)


@pytest.mark.parametrize("kind", ["lca", "lca lazy"])
@pytest.mark.parametrize("step", [0, 7, 22])
@pytest.mark.parametrize("bit", [0, 18])
def test_a_one_bit_change_of_one_atom_is_located_at_the_exact_step(ran, kind, step, bit):
    """The last bit of a pixel may stay below the rounding of u for some steps; up to where, is
    worked out here from the states themselves."""
    trunk = ran(kind)
    neuron = int(trunk.recording.spikes()[30][0])
    signal = trunk.experiment.signals([0])[0]
    atom = trunk.experiment.system.wiring.atoms[neuron]
    pixel = int((signal * atom).abs().argmax())
    fork = on(one_bit_changed(trunk, neuron, step, pixel, bit), 40 - step)
    found = last(fork, trunk)

    name = "membrane_potential"
    for k in range(41):
        u = [
            b.recording.observer(k).observe(b.recording.state(k), (name,))[name][0]
            for b in (fork, trunk)
        ]
        if not torch.equal(*u):
            break
    else:  # of a last bit, there need not be any difference
        assert found.first is None and not bit
        return
    assert found.first.step == k >= step + 1
    gap = (u[0].double() - u[1].double()).abs()
    assert float(gap[found.first.neuron]) == float(gap.max()) > 0
    assert found.first.here == float(u[0][found.first.neuron])
    assert found.first.there == float(u[1][found.first.neuron])
    if bit:  # far above rounding: at the very next step
        assert k == step + 1
    outputs = [b.recording for b in (fork, trunk)]
    differing = [s for s in range(41) if outputs[0].digest(s) != outputs[1].digest(s)]
    assert found.output == (differing[0] if differing else None)


def test_equal_runs_are_equal_to_the_end(ran):
    found = last(ran(), ran())
    assert (found.first, found.seen, found.output, found.compared) == (None, None, None, 40)


@pytest.mark.parametrize("until", [3, 12, 30])
def test_it_goes_on_from_what_is_known_when_both_runs_grow(ran, until):
    """As when both advance under one cursor, and the window asks again and again."""
    here, there = ran(threshold=0.8, steps=until), ran(threshold=1.0, steps=until)
    known = last(here, there)
    assert known.is_all_up_to(until)
    grown = on(here, 40 - until), on(there, 40 - until)
    assert list(partings(*grown, found=known))[-1] == last(*grown)
    assert last(*grown).is_all_up_to(40)


def test_another_threshold_is_first_felt_when_the_first_neuron_passes_it(ran):
    here, there = ran(threshold=0.8), ran(threshold=1.0)
    fires = next(k for k, fired in enumerate(here.recording.spikes()) if len(fired))
    found = last(here, there)
    assert found.output == fires
    assert found.first.step == fires + 1  # its activation acts on the others one step later
    assert found.seen.step >= found.first.step
    gap = abs(found.seen.here - found.seen.there)
    assert gap >= 0.01 * 0.8


def test_runs_of_other_neurons_are_not_compared(ran):
    assert comparable(ran(), ran(threshold=0.3))
    assert not comparable(ran(), ran(dictionary={"atoms": 60}))
    assert not comparable(ran(), ran("lif"))


@pytest.mark.parametrize("kind", ["lif", "lif poisson"])
def test_spiking_networks_part_too(ran, kind):
    found = last(ran(kind), ran(kind, gain=3.1))
    assert found.first.step == 1 and found.output is not None
