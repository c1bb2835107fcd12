"""The energy."""

from __future__ import annotations

import numpy as np
import pytest

SMALL = ("digits-exemplar", "data.train=300", "data.test=40", "system.steps=40")


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_the_curves_are_the_terms_and_their_sum(user, window):
    user.go_to(40)
    view = window.views["terms"]
    reconstruction, sparsity, total = (curve.getData()[1] for curve in view._curves)
    assert len(total) == 41
    np.testing.assert_allclose(total, reconstruction + sparsity, rtol=1e-5)
    snapshot = window.workspace.snapshot
    system, state = snapshot.experiment.system, snapshot.state
    seen = system.observe(state, ("activation",))
    residual = state.signal - seen["activation"] @ system.wiring.atoms
    assert reconstruction[40] == pytest.approx(0.5 * float((residual**2).sum()), rel=1e-5)
    expected = system.params.threshold * float(seen["activation"].abs().sum())
    assert sparsity[40] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_the_summary_belongs_to_the_cursor(user, window):
    user.go_to(40)
    view = window.views["terms"]
    values = window.workspace.snapshot.recording.summary("energy")
    for step in (0, 25):
        user.go_to(step)
        for value in values[step]:
            assert f"{value:.3g}" in view.accessibleDescription()


@pytest.mark.parametrize("user", [("digits-unstable",)], indirect=True)
def test_a_diverged_energy_is_drawn_as_far_as_it_is_finite(user, window):
    user.go_to(100)
    window.grab()
    x, y = window.views["terms"]._curves[-1].getData()
    assert np.isfinite(y).all()
    assert len(y) == user.step  # all but the last step


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_the_mean_of_the_test_set_is_shown_once_it_is_evaluated(user, window):
    user.go_to(40)
    view = window.views["terms"]
    assert not view.whose.isVisible()
    user.do("evaluate")
    user.wait(lambda: not window.workspace.evaluating)
    user.bring_up("terms")
    user.choose(view.whose, "test set")
    user.settle()
    experiment = window.workspace.experiment
    state = experiment.initial(slice(0, 40))
    for _ in range(40):
        state = experiment.system.step(state)
    expected = experiment.system.observe(state, ("energy",))["energy"].mean(0)
    shown = [curve.getData()[1][40] for curve in view._curves]
    np.testing.assert_allclose(shown, expected.numpy(), rtol=1e-4)
    assert view.table()[1].shape == (41, 4) and not view._lowest.isVisible()
    user.choose(view.whose, "image")
    user.settle()
    own = window.workspace.snapshot.recording.summary("energy")[40]
    np.testing.assert_allclose([c.getData()[1][40] for c in view._curves], own, rtol=1e-6)
