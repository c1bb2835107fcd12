"""LCA judged by closed forms, scikit-learn's Lasso, scipy's ODE solver and the Gramian form."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from sklearn.datasets import load_digits
from sklearn.decomposition import SparseCoder
from torch.nn.functional import normalize

from workbench.analysis import optimality, stability
from workbench.errors import InputError
from workbench.systems.lca import LCA
from workbench.systems.protocol import Products, Wiring, tensors

few = settings(max_examples=20, deadline=None, derandomize=True)


def unit_rows(rows, features, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return normalize(torch.randn(rows, features, generator=generator, dtype=dtype), dim=1)


def signals(batch, features, seed=1, size=1.0):
    generator = torch.Generator().manual_seed(seed)
    return size * torch.randn(batch, features, generator=generator, dtype=torch.float64)


def network(atoms, labels=None, classes=0, engine="residual", **params):
    wiring = Wiring(atoms.shape[1], atoms, labels, classes, engine=engine)
    return LCA(LCA.Params(**params), wiring)


def run(system, signal, steps):
    state = system.init(signal)
    for _ in range(steps):
        state = system.step(state)
    return state


def objective(signal, atoms, code, threshold):
    residual = signal - code @ atoms
    return 0.5 * (residual**2).sum(1) + threshold * abs(code).sum(1)


def digits(count, atoms):
    images = torch.tensor(load_digits().data / 16)
    return images[:count], normalize(images[count : count + atoms], dim=1)


def a_problem(name):
    """Signals, atoms, threshold, time constant and steps to the fixed point."""
    if name == "random":
        return signals(5, 20), unit_rows(50, 20), 0.3, 10.0, 10_000
    return *digits(6, 200), 0.5, 100.0, 20_000


@pytest.mark.parametrize("algorithm", ["lasso_cd", "lasso_lars"])
@pytest.mark.parametrize("name", ["random", "digits"])
def test_the_fixed_point_is_the_lasso_optimum(name, algorithm):
    signal, atoms, threshold, tau, steps = a_problem(name)
    system = network(atoms, threshold=threshold, time_constant=tau)
    energy = system.observe(run(system, signal, steps))["energy"][:, 2]
    # Both algorithms scale alpha by the number of features themselves: alpha = λ.
    coder = SparseCoder(
        atoms.numpy(),
        transform_algorithm=algorithm,
        transform_alpha=threshold,
        transform_max_iter=20_000,
    )
    code = torch.tensor(coder.transform(signal.numpy()))
    best = objective(signal, atoms, code, threshold)
    torch.testing.assert_close(energy, best, rtol=1e-4, atol=0)


@pytest.mark.parametrize("name", ["random", "digits"])
def test_the_fixed_point_obeys_the_kkt_conditions(name):
    signal, atoms, threshold, tau, steps = a_problem(name)
    system = network(atoms, threshold=threshold, time_constant=tau)
    now = system.observe(run(system, signal, steps))
    match = now["residual"] @ atoms.T
    active = now["activation"] != 0
    assert active.any()
    assert match[~active].abs().max() <= threshold + 1e-3
    signs = threshold * now["activation"].sign()
    torch.testing.assert_close(match[active], signs[active], rtol=0, atol=1e-3)


@pytest.mark.parametrize("integrator", ["euler", "exponential"])
def test_an_identity_dictionary_thresholds_the_signal(integrator):
    signal = torch.tensor([[3.0, -2.5, 1.0, -0.2, 2.0]], dtype=torch.float64)
    system = network(
        torch.eye(5, dtype=torch.float64), time_constant=5.0, integrator=integrator, threshold=2.0
    )
    now = system.observe(run(system, signal, 300))
    shrunk = torch.tensor([[1.0, -0.5, 0.0, 0.0, 0.0]], dtype=torch.float64)
    torch.testing.assert_close(now["membrane_potential"], signal)
    torch.testing.assert_close(now["activation"], shrunk)


def test_the_hard_threshold_keeps_what_reaches_it_whole():
    signal = torch.tensor([[3.0, -2.5, 1.0, 0.0]], dtype=torch.float64)
    system = network(
        torch.eye(4, dtype=torch.float64), time_constant=4.0, transfer="hard", threshold=2.4
    )
    now = system.observe(run(system, signal, 300))
    kept = torch.tensor([[3.0, -2.5, 0.0, 0.0]], dtype=torch.float64)
    torch.testing.assert_close(now["activation"], kept)
    # ½·1² is left unexplained; two neurons cost λ²/2 = 2.88 each.
    expected = torch.tensor([[0.5, 5.76, 6.26]], dtype=torch.float64)
    torch.testing.assert_close(now["energy"], expected)


def test_at_the_threshold_itself_a_neuron_fires_and_the_soft_activation_is_zero():
    system = network(torch.eye(2, dtype=torch.float64), threshold=2.0)
    state = system.init(torch.zeros(1, 2, dtype=torch.float64))
    state = state._replace(u=torch.tensor([[2.0, -1.999]], dtype=torch.float64))
    now = system.observe(state)
    assert now["firing"].tolist() == [[True, False]]
    assert now["firing_count"].tolist() == [1]
    assert now["activation"].tolist() == [[0.0, 0.0]]
    hard = system.with_params(system.params.changed(transfer="hard"))
    assert hard.observe(state)["activation"].tolist() == [[2.0, 0.0]]


@pytest.mark.parametrize("integrator", ["euler", "exponential"])
def test_one_atom_charges_exponentially_until_it_fires(integrator):
    atom, eta, steps = unit_rows(1, 6), 0.07, 40
    signal = 1.9 * atom  # b = 1.9 < λ: it never fires
    system = network(atom, time_constant=1 / eta, integrator=integrator)
    rate = eta if integrator == "euler" else 1 - math.exp(-eta)
    state = system.init(signal)
    for k in range(steps):
        assert float(state.u) == pytest.approx(1.9 * (1 - (1 - rate) ** k), abs=1e-12)
        state = system.step(state)


@pytest.mark.parametrize("transfer", ["soft", "hard"])
def test_a_threshold_above_every_drive_keeps_the_network_silent(transfer):
    signal, atoms = signals(3, 12), unit_rows(30, 12)
    threshold = float((signal @ atoms.T).abs().max())
    system = network(atoms, threshold=threshold, time_constant=3.0, transfer=transfer)
    silence = 0.5 * signal.square().sum(1)
    state = system.init(signal)
    for _ in range(60):
        now = system.observe(state)
        assert not now["activation"].any()
        torch.testing.assert_close(now["energy"][:, 2], silence)
        assert now["energy"][:, 1].tolist() == [0, 0, 0]
        state = system.step(state)


def test_a_step_as_long_as_the_time_constant_is_ista():
    signal, atoms, threshold = signals(4, 30), unit_rows(12, 30), 0.2
    system = network(atoms, threshold=threshold, time_constant=7.0, time_step=7.0)
    state, code = system.init(signal), np.zeros((4, 12))
    for _ in range(15):
        descended = code + (signal.numpy() - code @ atoms.numpy()) @ atoms.numpy().T
        code = np.sign(descended) * np.maximum(abs(descended) - threshold, 0)
        state = system.step(state)
        np.testing.assert_allclose(system.observe(state)["activation"], code, atol=1e-12)
    assert code.any()


def ode_solution(signal, atoms, threshold, end):
    """u at time ``end`` (τ = 1) by an adaptive solver, from the Gramian form of equation 3."""
    gramian = (atoms @ atoms.T).numpy()
    drive = (signal @ atoms.T).numpy()[0]

    def slope(_, u):
        a = np.sign(u) * np.maximum(abs(u) - threshold, 0)
        return drive - u - (gramian - np.eye(len(gramian))) @ a

    found = solve_ivp(slope, (0, end), np.zeros_like(drive), rtol=1e-10, atol=1e-12)
    return torch.tensor(found.y[:, -1])[None]


def test_euler_and_exponential_converge_with_order_one():
    signal, atoms, threshold, end = signals(1, 10, seed=3), unit_rows(25, 10), 0.3, 2.0
    truth = ode_solution(signal, atoms, threshold, end)
    counts = np.array([16, 32, 64, 128, 256, 512])
    euler, exponential, apart = [], [], []
    for count in counts:
        params = {"threshold": threshold, "time_constant": 1.0, "time_step": end / int(count)}
        one = run(network(atoms, **params), signal, count).u
        other = run(network(atoms, integrator="exponential", **params), signal, count).u
        euler.append(float((one - truth).norm()))
        exponential.append(float((other - truth).norm()))
        apart.append(float((one - other).norm()))
    for errors in (euler, exponential, apart):
        order = -np.polyfit(np.log(counts), np.log(errors), 1)[0]
        assert order == pytest.approx(1.0, abs=0.15)


def test_the_exponential_integrator_is_exact_while_all_are_silent():
    signal, atoms = signals(2, 8), unit_rows(10, 8)
    params = {"threshold": 1e3, "time_constant": 20.0, "integrator": "exponential"}
    coarse = run(network(atoms, time_step=10.0, **params), signal, 3).u
    drive = signal @ atoms.T
    torch.testing.assert_close(coarse, drive * (1 - math.exp(-1.5)))


@pytest.mark.parametrize("engine", ["residual", "dense", "lazy"])
@pytest.mark.parametrize("transfer", ["soft", "hard"])
def test_every_form_is_the_gramian_form_written_out(transfer, engine):
    signal, atoms, threshold, eta = signals(3, 15), unit_rows(40, 15), 0.4, 0.05
    params = {"threshold": threshold, "time_constant": 1 / eta, "transfer": transfer}
    system = network(atoms, engine=engine, **params)
    gramian = atoms @ atoms.T
    u, state = torch.zeros(3, 40, dtype=torch.float64), system.init(signal)
    for _ in range(80):
        a = torch.where(u.abs() >= threshold, u - threshold * u.sign(), 0.0)
        if transfer == "hard":
            a = torch.where(u.abs() >= threshold, u, 0.0)
        u = u + eta * (signal @ atoms.T - u - a @ (gramian - torch.eye(40, dtype=u.dtype)))
        state = system.step(state)
        seen = system.observe(state, ("membrane_potential",))
        torch.testing.assert_close(seen["membrane_potential"], u)
    assert a.any()


@pytest.mark.parametrize("engine", ["residual", "dense"])
@pytest.mark.parametrize("threshold, least, most", [(50.0, 0, 0), (3.2, 1, 100), (0.5, 500, 1500)])
def test_a_large_dictionary_gives_the_same_whether_few_many_or_no_neurons_are_active(
    threshold, least, most, engine
):
    signal, atoms = signals(2, 800, size=1.0), unit_rows(1500, 800)
    system = network(atoms, engine=engine, threshold=threshold, time_constant=20.0)
    state = run(system, signal, 60)
    active = int((system.observe(state, ["activation"])["activation"] != 0).any(0).sum())
    assert least <= active <= most
    a = torch.where(state.u.abs() >= threshold, state.u - threshold * state.u.sign(), 0.0)
    following = state.u + 0.05 * (signal @ atoms.T - state.u - a @ (atoms @ atoms.T) + a)
    torch.testing.assert_close(system.step(state).u, following)
    torch.testing.assert_close(system.observe(state)["reconstruction"], a @ atoms)


@few
@given(seed=st.integers(0, 10_000), threshold=st.floats(0, 2), batch=st.integers(1, 4))
def test_a_batch_is_its_samples_one_by_one(seed, threshold, batch):
    signal, atoms = signals(batch, 9, seed), unit_rows(17, 9, seed)
    system = network(atoms, threshold=threshold)
    together = run(system, signal, 25).u
    alone = torch.cat([run(system, row[None], 25).u for row in signal])
    torch.testing.assert_close(together, alone)


@few
@given(seed=st.integers(0, 10_000), threshold=st.floats(0.01, 2))
def test_permuting_the_atoms_permutes_the_potentials(seed, threshold):
    signal, atoms = signals(2, 9, seed), unit_rows(17, 9, seed)
    order = torch.randperm(17, generator=torch.Generator().manual_seed(seed))
    params = {"threshold": threshold, "time_constant": 20.0}
    plain = run(network(atoms, **params), signal, 40).u
    permuted = run(network(atoms[order], **params), signal, 40).u
    torch.testing.assert_close(permuted, plain[:, order])


@few
@given(seed=st.integers(0, 10_000), scale=st.floats(0.1, 100))
def test_scaling_signal_and_threshold_scales_the_potentials(seed, scale):
    signal, atoms = signals(2, 9, seed), unit_rows(17, 9, seed)
    plain = run(network(atoms, threshold=0.5, time_constant=20.0), signal, 40).u
    scaled = run(network(atoms, threshold=0.5 * scale, time_constant=20.0), scale * signal, 40).u
    torch.testing.assert_close(scaled, scale * plain, rtol=1e-6, atol=1e-9 * scale)


@few
@given(seed=st.integers(0, 10_000), threshold=st.floats(0.01, 1), part=st.floats(0.05, 0.99))
def test_the_energy_never_rises_below_the_stability_bound(seed, threshold, part):
    signal, atoms = signals(2, 9, seed), unit_rows(17, 9, seed)
    eta = part * 2 / float(torch.linalg.eigvalsh(atoms @ atoms.T)[-1])
    system = network(atoms, threshold=threshold, time_constant=1 / min(eta, 1.0))
    state = system.init(signal)
    energy = system.observe(state)["energy"][:, 2]
    for _ in range(60):
        state = system.step(state)
        following = system.observe(state)["energy"][:, 2]
        assert (following <= energy + 1e-12).all()
        energy = following


def test_energy_evidence_and_counts_are_what_their_names_say():
    signal, atoms = signals(3, 10), unit_rows(21, 10)
    labels = torch.arange(21) % 4
    system = network(atoms, labels, 5, threshold=0.2, time_constant=10.0)
    now = system.observe(run(system, signal, 50))
    a = now["activation"]
    torch.testing.assert_close(now["drive"], signal @ atoms.T)
    torch.testing.assert_close(now["reconstruction"], a @ atoms)
    torch.testing.assert_close(now["residual"], signal - a @ atoms)
    torch.testing.assert_close(now["energy"][:, 2], objective(signal, atoms, a, 0.2))
    torch.testing.assert_close(now["energy"][:, 1], 0.2 * a.abs().sum(1))
    torch.testing.assert_close(now["energy"][:, :2].sum(1), now["energy"][:, 2])
    assert now["firing_count"].tolist() == (now["membrane_potential"].abs() >= 0.2).sum(1).tolist()
    for c in range(5):
        of_class = a[:, labels == c].abs().sum(1)
        torch.testing.assert_close(now["class_evidence"][:, c], of_class)


def test_without_labels_there_is_no_class_evidence():
    system = network(unit_rows(5, 4))
    state = system.init(signals(1, 4))
    assert "class_evidence" not in system.observe(state)
    assert system.observe(state, ["class_evidence"]) == {}


def test_only_what_is_asked_for_is_observed():
    system = network(unit_rows(5, 4))
    state = system.init(signals(1, 4))
    assert set(system.observe(state, ["residual", "drive"])) == {"residual", "drive"}
    with pytest.raises(KeyError, match="no observable 'spikes'"):
        system.observe(state, ["spikes"])


@pytest.mark.parametrize("integrator", ["euler", "adaptive"])
def test_a_step_takes_over_what_was_observed_of_its_state_and_of_no_other(integrator, monkeypatch):
    """Φa is summed once for the energy and the step; bits are those of a run nobody looks at."""
    combine, sums = Products.combine, []
    monkeypatch.setattr(Products, "combine", lambda *given: sums.append(0) or combine(*given))
    system = network(unit_rows(50, 20), threshold=0.2, time_constant=10.0, integrator=integrator)
    signal = signals(3, 20)
    alone, watched = system.init(signal), system.init(signal)
    other = system.with_params(system.params.changed(threshold=0.4))
    for step in range(20):
        alone = system.step(alone)
        sums.clear()
        system.observe(watched, ("energy", "reconstruction"))
        system.step(watched)
        assert len(sums) == 1
        system.observe(watched, ("energy",))
        assert step < 5 or not torch.equal(other.step(watched).u, system.step(watched).u)
        system.observe(system.init(2 * signal), ("energy",))
        watched = system.step(watched)
        assert all(map(torch.equal, tensors(alone), tensors(watched)))


def test_a_network_that_blew_up_does_not_look_silent():
    system = network(unit_rows(5, 4))
    state = system.init(signals(1, 4))
    state = state._replace(u=torch.full_like(state.u, math.nan))
    for params in (system.params, system.params.changed(transfer="hard")):
        now = system.with_params(params).observe(state)
        assert now["energy"][0, 2].isnan()
        assert now["firing_count"].tolist() == [5]
        assert system.with_params(params).step(state).u.isnan().all()


@pytest.mark.parametrize("engine", ["residual", "lazy"])
def test_a_step_beyond_single_precision_blows_up_like_any_that_is_too_long(engine):
    system = network(unit_rows(5, 4, dtype=torch.float32), engine=engine, time_constant=1e-300)
    state = system.init(signals(1, 4).float())
    for _ in range(4):
        state = system.step(state)
    assert not system.observe(state)["energy"].isfinite().all()


def test_signals_take_the_precision_of_the_atoms():
    system = network(unit_rows(5, 4, dtype=torch.float32))
    state = system.step(system.init(signals(1, 4)))
    assert state.signal.dtype == state.u.dtype == state.drive.dtype == torch.float32


def test_the_lasso_is_the_problem_that_is_being_solved():
    signal, atoms = signals(2, 10), unit_rows(20, 10)
    system = network(atoms, threshold=0.3, time_constant=8.0, time_step=2.0)
    state = run(system, signal, 5)
    lasso = system.lasso(state)
    assert (lasso.threshold, lasso.step_ratio, lasso.time_constant) == (0.3, 0.25, 8.0)
    assert lasso.signal.equal(signal) and lasso.atoms.equal(atoms)
    assert lasso.activation.equal(system.observe(state)["activation"])
    exponential = system.with_params(system.params.changed(integrator="exponential"))
    assert exponential.lasso(state).step_ratio == pytest.approx(1 - math.exp(-0.25))
    assert system.with_params(system.params.changed(transfer="hard")).lasso(state) is None


def test_wrong_signals_and_dictionaries_are_refused():
    system = network(unit_rows(5, 4))
    with pytest.raises(ValueError, match=r"shape \[B, 4\], got \[1, 3\]"):
        system.init(torch.zeros(1, 3))
    with pytest.raises(ValueError, match=r"shape \[B, 4\], got \[4\]"):
        system.init(torch.zeros(4))
    for wrong in (math.nan, math.inf):
        with pytest.raises(ValueError, match="signal 1 holds a NaN or an infinity"):
            system.init(torch.tensor([[0.0] * 4, [0.0, 0.0, wrong, 0.0]]))
    with pytest.raises(ValueError, match="needs a dictionary"):
        LCA(LCA.Params(), Wiring(4))
    with pytest.raises(ValueError, match="unit norm"):
        network(2 * unit_rows(5, 4))
    with pytest.raises(ValueError, match="unit norm"):
        network(torch.zeros(5, 4))
    with pytest.raises(ValueError, match="shape"):
        Wiring(3, unit_rows(5, 4))


@pytest.mark.parametrize(
    "wrong, allowed",
    [
        ({"threshold": -1.0}, "at least 0"),
        ({"threshold": math.nan}, "at least 0"),
        ({"time_constant": 0.0}, "above 0"),
        ({"time_step": -0.5}, "above 0"),
        ({"steps": -1}, "from 0 to 1000000"),
        ({"steps": 2_000_000}, "from 0 to 1000000"),
        ({"transfer": "linear"}, "one of soft, hard"),
        ({"integrator": "rk4"}, "one of euler, exponential"),
    ],
)
def test_parameters_out_of_range_are_refused_in_one_line(wrong, allowed):
    name, value = next(iter(wrong.items()))
    with pytest.raises(InputError) as refusal:
        LCA.Params.parse(wrong, "system")
    message = str(refusal.value)
    assert message.startswith(f"system.{name} = {value!r}") and allowed in message
    assert "\n" not in message


def test_a_gramian_that_would_not_fit_is_refused_in_one_line():
    atoms = torch.eye(2).repeat(10_000, 1)
    with pytest.raises(ValueError, match=r"20000 atoms would take 1.6 GB; at most 16384 atoms"):
        LCA(LCA.Params(), Wiring(2, atoms, engine="dense"))


@pytest.mark.parametrize("engine", ["residual", "dense", "lazy"])
def test_momentum_is_the_heavy_ball_of_polyak(engine):
    """A network of atoms at right angles: each u goes to b alone, as a ball on a parabola."""
    signal, eta, mu = signals(2, 6, size=3.0), 0.1, 0.8
    params = {"threshold": 0.5, "time_constant": 1 / eta, "momentum": mu}
    system = network(torch.eye(6).double(), engine=engine, integrator="momentum", **params)
    state, u, before = system.init(signal), torch.zeros_like(signal), torch.zeros_like(signal)
    for _ in range(50):
        u, before = u + eta * (signal - u) + mu * (u - before), u
        state = system.step(state)
        seen = system.observe(state, ("membrane_potential",))["membrane_potential"]
        torch.testing.assert_close(seen, u)
    assert (u - signal).abs().max() < 0.1 < (1 - eta) ** 50 * 20  # where Euler still is


@pytest.mark.parametrize("ratio, stable", [(2.9, True), (3.1, False)])
def test_momentum_widens_the_stable_step_as_the_bound_says(ratio, stable):
    signal = signals(1, 4, size=3.0)
    params = {"threshold": 0.1, "time_constant": 1 / ratio, "momentum": 0.5}
    system = network(torch.eye(4).double(), integrator="momentum", **params)
    state = run(system, signal, 200)
    assert bool((state.u - signal).abs().max() < 1e-3) is stable
    here = stability.bound(system.lasso(run(system, signal, 3)))
    assert here.limit == pytest.approx(3.0) and here.exceeded is not stable


@pytest.mark.parametrize("engine", ["residual", "dense", "lazy"])
@pytest.mark.parametrize("transfer", ["soft", "hard"])
def test_the_adaptive_step_follows_petavisions_controller(engine, transfer):
    signal, atoms = digits(3, 200)
    signal, atoms, threshold, eta = signal.double(), atoms.double(), 1.0, 0.02
    params = {"threshold": threshold, "time_constant": 1 / eta, "transfer": transfer}
    system = network(atoms, engine=engine, integrator="adaptive", growth=0.1, **params)
    state, u = system.init(signal), torch.zeros(3, 200, dtype=torch.float64)
    scale, longest, before = np.ones(3), np.ones(3), None
    for _ in range(120):
        seen = system.observe(state)
        torch.testing.assert_close(seen["membrane_potential"], u)
        energy = seen["energy"][:, 2].numpy()
        for i in range(3) if before is not None else ():
            fall = (before[i] - energy[i]) / scale[i]
            if fall < 0:
                scale[i], longest[i] = 1.0, 1.0
            else:
                scale[i] = min(0.03 * before[i] / fall if fall else np.inf, longest[i])
                longest[i] *= 1.1
        before = energy
        a = seen["activation"]
        goal = signal @ atoms.T - a @ (atoms @ atoms.T) + a
        u = u + torch.tensor(np.minimum(scale * eta, 1.0))[:, None] * (goal - u)
        state = system.step(state)
    assert longest.max() > 2 and seen["firing"].any()


def test_the_adaptive_step_comes_nearer_to_the_minimum_in_as_many_steps():
    signal, atoms = digits(8, 400)
    params = {"threshold": 0.5, "time_constant": 200.0}
    gaps = {}
    for integrator in ("euler", "adaptive"):
        system = network(atoms.double(), integrator=integrator, **params)
        state = run(system, signal.double(), 200)
        gaps[integrator] = float(optimality.duality_gap(system.lasso(state)).mean())
    assert gaps["adaptive"] < 0.5 * gaps["euler"]


@pytest.mark.parametrize("engine", ["residual", "lazy"])
def test_an_integrator_changed_in_mid_run_begins_from_rest(engine):
    signal, atoms = digits(3, 200)
    system = network(atoms, engine=engine, threshold=1.0, time_constant=20.0)
    state = run(system, signal, 15)
    for integrator in ("momentum", "adaptive", "momentum", "euler"):
        other = system.with_params(system.params.changed(integrator=integrator))
        first = other.observe(other.step(state))["membrane_potential"]
        torch.testing.assert_close(first, system.observe(system.step(state))["membrane_potential"])
        for _ in range(3):
            state = other.step(state)
        state = system.step(state)


@pytest.mark.parametrize("scale", [1e-30, 1e-22, 1.0, 1e12, 1e19])
@pytest.mark.parametrize("integrator", ["euler", "adaptive"])
def test_every_engine_codes_signals_of_any_size(scale, integrator):
    """So that no square of them is lost in float32; adaptive steps amplify what is rounding."""
    signal, atoms = (part.float() for part in digits(3, 200))
    paces, counts = [], []
    for engine in ("residual", "lazy", "dense"):
        params = {"threshold": 0.5 * scale, "time_constant": 20.0, "integrator": integrator}
        system = network(atoms, engine=engine, **params)
        state = run(system, scale * signal, 12)
        seen = system.observe(state)
        assert seen["activation"].isfinite().all() and seen["firing"].any()
        counts.append(seen["firing_count"].tolist())
        paces.append(state.pace)
    assert counts[0] == counts[1] == counts[2]
    for pace in paces[1:]:
        torch.testing.assert_close(pace, paces[0], rtol=1e-3, atol=0)


def test_a_square_too_small_for_float64_hides_no_neuron():
    signal, atoms = digits(3, 200)
    counts = []
    for engine in ("residual", "lazy"):
        system = network(atoms.double(), engine=engine, threshold=5e-164, time_constant=20.0)
        state = run(system, 1e-163 * signal.double(), 40)
        counts.append(system.observe(state, ["firing_count"])["firing_count"].tolist())
    assert counts[0] == counts[1] and min(counts[0]) > 0
