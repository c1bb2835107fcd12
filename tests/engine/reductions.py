"""What each of several real processes does for `test_sharding`; it checks what it gets."""

import torch

from workbench.engine import sharding
from workbench.systems.lca import LCA
from workbench.systems.protocol import Wiring

processes = sharding.join()
rank, size = processes.rank, processes.size
shard = processes.shard

numbers = torch.arange(6, dtype=torch.float64).view(2, 3)[:, ::2]  # not contiguous
assert torch.equal(shard.sum(numbers + rank), size * numbers + sum(range(size)))
assert torch.equal(numbers[0], torch.tensor([0.0, 2.0]))  # and what was handed in stays
for dtype in (torch.int64, torch.uint8, torch.float32):
    assert shard.sum(torch.full((2,), 1, dtype=dtype)).tolist() == [size, size]
    assert shard.max(torch.tensor([rank, 5], dtype=dtype)).tolist() == [size - 1, 5]

inf, nan = torch.inf, torch.nan
mine = torch.tensor([-1.0 - rank, inf if rank == 0 else 0.0, nan if rank == 1 else inf, -inf])
found = shard.max(mine)
assert found[:2].tolist() == [-1.0, inf] and found[2].isnan() and found[3] == -inf

before = processes.traffic.bytes
rows = torch.full((rank * 2, 3), rank, dtype=torch.uint8)  # the first has none
gathered = shard.gather(rows)
assert gathered[:, 0].tolist() == [r for r in range(size) for _ in range(2 * r)]
assert processes.traffic.bytes - before == 8 + 2 * (size - 1) * 3  # a count, and padded rows
assert shard.gather(torch.zeros(0, 3)).shape == (0, 3)
assert processes.traffic.calls == 1 + 6 + 1 + 2 + 1

# A step sends B·N numbers in one sum, also where no neuron of any process is active.
atoms = torch.eye(8)[shard.part(8)]
network = LCA(LCA.Params(threshold=1.0, time_constant=2.0), Wiring(8, atoms, shard=shard.over(8)))
signal = torch.zeros(3, 8)
signal[:, 0] = 3.0  # only the first neuron of the first process will ever be active
state = network.init(signal)
for _ in range(4):
    before = processes.traffic.calls, processes.traffic.bytes
    state = network.step(state)
    assert processes.traffic.calls == before[0] + 1
    assert processes.traffic.bytes == before[1] + 4 * 3 * 8
assert network.observe(state)["firing_count"].tolist() == [1, 1, 1]

processes.wait()
processes.close()
if rank == 0:  # lines of several would mix
    print("done")
