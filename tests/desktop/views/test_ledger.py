"""How far from the optimum, in the window."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.analysis.optimum import optimum

SMALL = ("digits-exemplar", "data.train=300", "data.test=40", "system.steps=40")


def known(user):
    """The ledger view, once it knows every step."""
    view = user.bring_up("ledger")
    user.wait(lambda: view._ledger() is not None and view._ledger().complete)
    user.frames(2)
    return view


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_the_curves_are_the_certificates_of_the_steps(user, window):
    user.go_to(40)
    view = known(user)
    ledger = view._ledger()
    gaps = 10 ** view._curves[1].getData()[1]
    np.testing.assert_allclose(gaps, [ledger.entries[k].gap for k in range(41)], rtol=1e-6)
    above = 10 ** view._curves[0].getData()[1]
    total = window.workspace.snapshot.recording.summary("energy")[:, 2]
    np.testing.assert_allclose(above, total - ledger.optimum.energy, rtol=1e-3)


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_a_run_that_stopped_before_it_converged_is_told_so(user, window):
    user.go_to(40)
    view = known(user)
    assert view.accessibleDescription().startswith("not converged · ")
    user.write(user.field("system.time_constant").text, "5")
    user.write(user.field("system.steps").text, "1000")
    user.settle()
    user.go_to(1000)
    view = known(user)
    assert view.accessibleDescription().startswith("converged · at most ")


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_the_optimum_is_a_line_in_the_view_of_the_energy(user, window):
    user.go_to(40)
    view = user.bring_up("terms")
    user.wait(view._lowest.isVisible)
    x, y = view._lowest.getData()
    snapshot = window.workspace.snapshot
    lowest = optimum(snapshot.experiment.system.lasso(snapshot.state)).energy
    assert x.tolist() == [0, 40] and y == pytest.approx([lowest, lowest])
    user.go_to(20)
    user.write(user.field("system.threshold").text, "1.9")
    user.settle()
    user.wait(lambda: view._lowest.getData()[0][0] == 21)  # another problem from there on
    assert view._lowest.getData()[1][0] != lowest


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_under_the_hard_threshold_it_says_why_it_is_empty(user, window):
    user.choose(user.field("system.transfer").combo, "hard")
    user.settle()
    view = user.bring_up("ledger")
    assert view._empty.isVisible() and "soft threshold" in view._empty.text()
    assert not window.views["terms"]._lowest.isVisible()
