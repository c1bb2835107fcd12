"""The firing counts."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.mark.parametrize(
    "user", [("digits-exemplar",), ("lif-population", "system.steps=60")], indirect=True
)
def test_each_step_has_the_number_of_its_spikes(user, window):
    user.go_to(60)
    view = window.views["counts"]
    edges, counts = view._curve.getData()
    spikes = window.workspace.snapshot.recording.spikes()
    assert counts.tolist() == [len(neurons) for neurons in spikes]
    np.testing.assert_array_equal(edges, np.arange(62) - 0.5)
    peak = max(range(61), key=lambda step: len(spikes[step]))
    assert f"peak {len(spikes[peak])} " in view.accessibleDescription()
    assert view.accessibleDescription().startswith(f"{len(spikes[60])} now")


def test_the_range_holds_the_peak(user, window):
    user.go_to(60)
    view = window.views["counts"]
    low, high = view.plot.viewRange()[1]
    assert low <= 0 and high >= view._curve.getData()[1].max()
