"""The number of operations, against counting them one by one."""

import pytest

from workbench.analysis import workload


class Counted:
    """Counts what is done to numbers, as a person would with pencil and paper."""

    def __init__(self):
        self.done = 0

    def product(self, length):
        for i in range(length):
            self.done += 1  # a multiplication
            if i:
                self.done += 1  # an addition to what is there

    def inference(self, features, neurons, steps, firing):
        for _ in range(neurons):
            self.product(features)
        for _ in range(steps):
            for _ in range(neurons):
                self.product(firing)
                self.done += 2  # b − Ga, and the integration
        return self.done

    def gramian(self, features, neurons):
        for row in range(neurons):
            for _ in range(row + 1):
                self.product(features)
        return self.done


@pytest.mark.parametrize("sizes", [(3, 4, 5, 2), (1, 1, 1, 1), (7, 3, 2, 3), (2, 5, 0, 1)])
def test_the_formulas_are_what_counting_gives(sizes):
    assert workload.sparse_inference(*sizes) == Counted().inference(*sizes)
    features, neurons, steps, _ = sizes
    assert workload.inference(features, neurons, steps) == Counted().inference(
        features, neurons, steps, neurons
    )
    assert workload.gramian(features, neurons) == Counted().gramian(features, neurons)


def test_the_size_of_the_paper_is_an_exact_integer():
    assert workload.sparse_inference(2048, 50_000, 100, 200) == 2_209_750_000
    assert workload.inference(2048, 50_000, 100) == 500_209_750_000
    assert workload.gramian(2048, 50_000) == 5_118_852_375_000


@pytest.mark.parametrize("sizes", [(0, 4, 5, 2), (3, -1, 5, 0), (3, 4, -1, 2), (3, 4, 5, 5)])
def test_what_is_no_network_is_refused(sizes):
    with pytest.raises(ValueError, match="firing from 0 to neurons"):
        workload.sparse_inference(*sizes)
