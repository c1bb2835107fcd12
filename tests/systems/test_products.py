"""Products of half-precision and of shared dictionaries, against float64 and against the whole."""

from contextlib import nullcontext
from functools import cached_property

import pytest
import torch
from torch.nn.functional import normalize
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tests.spread import spread
from workbench.analysis import optimality
from workbench.systems import lca
from workbench.systems import products as module
from workbench.systems.lca import LCA
from workbench.systems.protocol import WHOLE, Products, Shard, Wiring

HALF = (torch.float16, torch.bfloat16)


@pytest.fixture
def unlocked(monkeypatch):
    """Before Python 3.12 a cached property lets in one thread at a time; our shards are threads."""
    for part in vars(lca._Instant).values():
        if isinstance(part, cached_property):
            monkeypatch.setattr(part, "lock", nullcontext(), raising=False)


def drawn(*shape, seed=0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=dtype)


def sparse_codes(batch, neurons, active, seed=1):
    codes = torch.zeros(batch, neurons)
    index = torch.randperm(neurons, generator=torch.Generator().manual_seed(seed))[:active]
    codes[:, index] = drawn(batch, active, seed=seed)
    return codes


@pytest.mark.parametrize("dtype", HALF)
@pytest.mark.parametrize("active", [0, 3, 90])
def test_half_precision_adds_up_in_float32(dtype, active, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", 20 * 7)  # seven atoms at once, and a rest
    monkeypatch.setattr(module, "_SMALL_DICTIONARY", 0)
    atoms = normalize(drawn(100, 20), dim=1).to(dtype)
    products, vectors, codes = Products(atoms), drawn(4, 20, seed=2), sparse_codes(4, 100, active)
    exact = atoms.double()
    match = products.match(vectors)
    assert match.dtype == products.dtype == torch.float32
    # A sum of n products in float32 is off by at most n eps Σ|terms|.
    eps = torch.finfo(torch.float32).eps
    assert (
        (match - vectors.double() @ exact.T).abs()
        <= 20 * eps * (vectors.double().abs() @ exact.abs().T)
    ).all()
    torch.testing.assert_close(products.match(vectors, codes), match + codes)
    combined = products.combine(codes)
    if active == 0:
        assert combined is None
    else:
        torch.testing.assert_close(combined.double(), codes.double() @ exact, rtol=0, atol=2e-6)


class _Largest(TorchDispatchMode):
    """The largest float32 tensor that any operation made."""

    numbers = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, torch.Tensor) and tensor.dtype == torch.float32:
                self.numbers = max(self.numbers, tensor.untyped_storage().nbytes() // 4)
        return made


def test_no_copy_of_the_whole_dictionary_is_made(monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", 1600)
    monkeypatch.setattr(module, "_SMALL_DICTIONARY", 0)
    atoms = normalize(drawn(1000, 16), dim=1).bfloat16()
    vectors, few, many = drawn(1, 16), sparse_codes(1, 1000, 120), sparse_codes(1, 1000, 900)
    with _Largest() as seen:
        system = LCA(LCA.Params(), Wiring(16, atoms))
        for code in (few, many):
            system.products.combine(code)
        system.products.match(vectors)
    assert seen.numbers == 1600


@pytest.mark.parametrize("dtype", HALF)
def test_atoms_whose_every_number_rounds_the_same_way_are_taken(dtype):
    for count in range(2, 60):  # 1/√n again and again: the norm is off as far as one number is
        atoms = torch.full((1, count), count**-0.5)
        Wiring(count, atoms.to(dtype))
    with pytest.raises(ValueError, match="unit norm"):
        Wiring(4, torch.full((1, 4), 0.51).to(dtype))


@pytest.mark.parametrize("dtype", HALF)
def test_codes_of_rounded_atoms_are_as_near_as_their_gradients(dtype):
    """Two optima are at most ‖∇f(ã) − ∇f̃(ã)‖ / λ_min(G) apart, f being the error's half square.

    For 0 is in ∇f(a) + ∂λ‖a‖₁ and in ∇f̃(ã) + ∂λ‖ã‖₁, the subgradients are monotone, and f is
    strongly convex with λ_min(G), G = ΦᵀΦ.
    """
    atoms, signal = normalize(drawn(30, 60), dim=1), 3 * drawn(5, 60, seed=3)
    rounded = atoms.to(dtype)
    codes = []
    for kept in (atoms, rounded):
        system = LCA(LCA.Params(threshold=0.3, time_constant=5.0), Wiring(60, kept))
        state = system.init(signal)
        for _ in range(1500):
            state = system.step(state)
        assert optimality.kkt_violation(system.lasso(state)).max() < 1e-5
        codes.append(system.observe(state, ("activation",))["activation"].double())
    exact, moved, s = atoms.double(), rounded.double(), signal.double()
    weakest = torch.linalg.eigvalsh(exact @ exact.T)[0]
    gradients = [(s - codes[1] @ phi) @ phi.T for phi in (exact, moved)]
    allowed = torch.linalg.vector_norm(gradients[0] - gradients[1], dim=1) / weakest
    apart = torch.linalg.vector_norm(codes[0] - codes[1], dim=1)
    assert (codes[0] != 0).sum(1).min() > 10 and apart.max() > 1e-5
    assert (apart <= allowed + 1e-4).all()
    # And no element of a gradient moves by more than the atoms do: δ(‖r‖ + ‖φ‖ ‖a‖₁).
    delta = torch.linalg.vector_norm(exact - moved, dim=1).max()
    left = torch.linalg.vector_norm(s - codes[1] @ exact, dim=1)
    bound = delta * (left + (1 + delta) * codes[1].abs().sum(1))
    assert ((gradients[0] - gradients[1]).abs().amax(1) <= bound).all()
    assert delta <= torch.finfo(dtype).eps / 2


def test_the_parts_of_any_count_are_contiguous_and_complete():
    for count in (1, 2, 7, 100):
        for processes in range(1, count + 1):
            parts = [Shard(rank, processes).part(count) for rank in range(processes)]
            assert [p.start for p in parts] + [count] == [0] + [p.stop for p in parts]
            assert {p.stop - p.start for p in parts} <= {count // processes, -(-count // processes)}
    assert WHOLE.part(5) == slice(0, 5) and Shard(1, 2).over(7).start == 3


@pytest.mark.parametrize("processes", [2, 3])
@pytest.mark.parametrize("small", [0, 1 << 20])
@pytest.mark.parametrize("threshold", [0.3, 100.0])  # at the second nobody ever fires
def test_shards_take_the_steps_of_the_whole(processes, small, threshold, monkeypatch, unlocked):
    monkeypatch.setattr(module, "_SMALL_DICTIONARY", small)
    atoms = normalize(drawn(41, 12, dtype=torch.float64), dim=1)
    labels, signal = torch.arange(41) % 5, 2 * drawn(3, 12, seed=5, dtype=torch.float64)
    params = LCA.Params(threshold=threshold, time_constant=10.0)
    names = ("activation", "energy", "firing_count", "reconstruction", "class_evidence")

    def run(shard: Shard) -> dict:
        here = shard.part(41)
        shard = shard if shard.processes == 1 else shard.over(41)
        system = LCA(params, Wiring(12, atoms[here], labels[here], 5, shard=shard))
        assert system.neurons == 41
        state = system.init(signal)
        for _ in range(60):
            state = system.step(state)
        lasso = system.lasso(state)
        certificates = {
            "gap": optimality.duality_gap(lasso),
            "violation": optimality.kkt_violation(lasso),
        }
        return system.observe(state, names) | certificates

    whole = run(WHOLE)
    shards = spread(processes, run)
    torch.testing.assert_close(
        torch.cat([s.pop("activation") for s in shards], 1), whole.pop("activation")
    )
    for shard in shards:
        torch.testing.assert_close(shard, whole)
