"""The raster."""

from __future__ import annotations

import numpy as np
import pytest

SMALL = ("digits-exemplar", "data.train=300", "data.test=40", "system.steps=40")


@pytest.fixture
def raster(user, window):
    view = user.bring_up("raster")
    user.go_to(40)
    return view


def marks(view) -> set[tuple[int, int]]:
    """(step, place) of every mark in the picture."""
    rows, columns = np.nonzero(view._pixels[..., 3])
    return set(zip(columns.tolist(), rows.tolist(), strict=True))


def spikes(window) -> set[tuple[int, int]]:
    record = window.workspace.snapshot.recording
    return {(k, int(n)) for k, neurons in enumerate(record.spikes()) for n in neurons}


@pytest.mark.parametrize("user", [SMALL, ("lif-population", "system.steps=40")], indirect=True)
def test_every_spike_has_its_mark(user, window, raster):
    for order in ("by class", "by index", "by first spike"):
        user.choose(raster.order, order)
        user.settle()
        expected = {(step, int(raster._place[neuron])) for step, neuron in spikes(window)}
        assert expected
        assert marks(raster) == expected
        assert sorted(raster._place.tolist()) == list(range(raster._neurons))  # a row for each
    fired = len({neuron for _, neuron in spikes(window)})
    assert raster.header.summary.text() == f"{fired} of {raster._neurons} neurons fired"


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_rows_are_sorted_as_chosen(user, window, raster):
    labels = window.workspace.experiment.system.wiring.labels.numpy()
    assert (np.diff(labels[raster._order]) >= 0).all()
    user.choose(raster.order, "by index")
    user.settle()
    assert raster._place.tolist() == list(range(300))
    user.choose(raster.order, "by first spike")
    user.settle()
    first = {}
    for step, neuron in sorted(spikes(window)):
        first.setdefault(neuron, step)
    steps = [first.get(int(neuron), 10**6) for neuron in raster._order]
    assert steps == sorted(steps, reverse=True)  # the first to fire on top


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_a_click_on_a_mark_selects_its_neuron_everywhere(user, window, raster):
    step, neuron = max(spikes(window))
    user.click_plot(raster, step, float(raster._place[neuron]))
    assert window.workspace.neuron == neuron
    assert raster._mark.isVisible() and raster._mark.value() == raster._place[neuron]
    assert window.inspector.heading.text().startswith(f"Neuron {neuron} ")
    assert neuron in user.bring_up("traces")._neurons.tolist()
    assert user.bring_up("atoms").tiles._selected == neuron


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_a_click_where_nobody_fires_seeks(user, window, raster):
    user.click_plot(raster, 2, 150.0)  # still silent there
    assert (user.step, window.workspace.neuron) == (2, None)


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_marks_of_the_steps_that_a_fork_left_behind_go_with_it(user, window, raster):
    user.go_to(20)
    user.write(user.field("system.threshold").text, "1.9")
    user.settle()
    assert max(step for step, _ in marks(raster)) == 40  # grey, of the trunk
    window.workspace.branching.compare(None)
    user.settle()
    assert max(step for step, _ in marks(raster)) <= 20
    expected = {(step, int(raster._place[neuron])) for step, neuron in spikes(window)}
    assert marks(raster) == expected


@pytest.mark.parametrize("user", [("digits-exemplar", "system.steps=2000")], indirect=True)
def test_a_picture_with_too_few_dots_says_so(user, window, raster):
    assert "decimated, 3 neurons × 2 steps a dot" in raster.accessibleDescription()
