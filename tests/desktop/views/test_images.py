"""Input, reconstruction and residual."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtGui import QImage
from skimage.metrics import peak_signal_noise_ratio

from workbench.desktop import export

FEATURES = (
    "digits-exemplar",
    "data.train=60",
    "data.test=20",
    "backbone.name=squeezenet1_1",
    "backbone.weights=random",
    "backbone.image_size=64",
)
SMALL = ("digits-exemplar", "data.train=300", "data.test=40", "system.steps=40")


def grey(picture: QImage) -> np.ndarray:
    return np.array(
        [
            [picture.pixelColor(x, y).lightness() for x in range(picture.width())]
            for y in range(picture.height())
        ]
    )


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_input_reconstruction_and_residual_stand_side_by_side(user, window):
    user.go_to(40)
    view = user.bring_up("images")
    names = [picture.accessibleName() for picture in view._pictures]
    assert len(names) == 3
    seen = window.workspace.snapshot.observed
    original = window.workspace.experiment.dataset.test.image(0)
    shown = grey(view._pictures[0]._image)
    assert shown.shape == (8, 8)
    # the brighter the pixel, the lighter the picture
    assert np.corrcoef(shown.ravel(), np.asarray(original).ravel())[0, 1] > 0.95
    psnr = peak_signal_noise_ratio(
        np.asarray(original, float),
        seen["reconstruction"].reshape(8, 8).astype(float),
        data_range=1,
    )
    assert f"PSNR {psnr:.1f} dB" in view.accessibleDescription()
    assert "SSIM" in view.accessibleDescription()


@pytest.mark.parametrize("user", [("lif-population", "system.steps=20")], indirect=True)
def test_a_system_without_reconstruction_shows_what_it_has(user, window):
    view = user.bring_up("images")
    declared = [o for o in window.workspace.experiment.system.observables if o.kind == "image"]
    assert len(view._pictures) == len(declared) >= 1
    user.choose(window.parameters.kind, "LCA")
    user.settle()
    user.bring_up("images")
    assert len(view._pictures) == 3


@pytest.mark.parametrize("user", [FEATURES], indirect=True)
def test_features_are_shown_by_the_images_they_are_of(user, window, tmp_path):
    user.go_to(60)
    view = user.bring_up("images")
    snapshot = window.workspace.snapshot
    code = np.abs(snapshot.observed["activation"])
    source, train = snapshot.experiment.dictionary.source, snapshot.experiment.dataset.train
    shown = grey(view._pictures[1]._image)
    strongest = np.asarray(train.image(int(source[code.argmax()])))
    assert np.corrcoef(shown.ravel(), strongest.ravel())[0, 1] > 0.95
    assert f"{np.count_nonzero(code)} exemplars" in view.accessibleDescription()
    system = type(snapshot.experiment.system)
    for name in [view.name for view in window.views.values() if view.applies(system)]:
        if name in ("anytime", "compare", "regimes"):  # an evaluation, a branch, and time
            continue
        view = user.bring_up(name)
        assert not view._empty.isVisible(), name
        if name == "ledger":
            user.wait(view._ledger)
        if name != "confusion":
            assert export.save(view, tmp_path / f"{name}.png"), name
            assert export.save(view, tmp_path / f"{name}.csv"), name
    window.workspace.select_neuron(int(code.argmax()))
    user.settle()
    assert window.inspector.picture.isVisible()


@pytest.mark.parametrize(
    "user", [("digits-unstable",), ("digits-unstable", "run.precision=float64")], indirect=True
)
def test_a_diverged_reconstruction_says_so(user, window):
    view = user.bring_up("images")
    user.go_to(100)
    window.grab()
    assert "diverged" in view.accessibleDescription()
