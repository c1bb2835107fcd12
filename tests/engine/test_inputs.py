"""What a run codes: a test image or a picture."""

import pytest
import torch
from PIL import Image

from workbench.document import Document
from workbench.document.schema import View
from workbench.engine import inputs
from workbench.engine.experiment import prepare
from workbench.engine.runner import Runner, RunState
from workbench.errors import InputError


@pytest.fixture
def picture(tmp_path):
    """A white cross on black, larger than any image of the digits."""
    image = Image.new("RGB", (64, 64), "black")
    image.paste("white", (24, 0, 40, 64))
    image.paste("white", (0, 24, 64, 40))
    image.save(tmp_path / "cross.png")
    return tmp_path / "cross.png"


def test_a_test_image_comes_with_its_class(prepared):
    experiment = prepared()
    given = inputs.chosen(experiment, View(sample=4))
    test = experiment.dataset.test
    assert (given.name, given.sample, given.truth) == ("test sample 4", 4, int(test.labels[4]))
    assert torch.equal(given.vector, test.signals([4]))


def test_a_picture_has_no_class_and_the_shape_of_the_images(prepared, picture):
    given = inputs.chosen(prepared(), View(sample=4, picture=str(picture)))
    assert (given.name, given.sample, given.truth) == ("picture cross.png", None, None)
    assert given.image.shape == (8, 8) and given.vector.shape == (1, 64)
    assert given.image[3, 3] > 0.95 and given.image[0, 0] == 0


def test_under_a_backbone_a_picture_goes_through_its_own_transform(tmp_path, picture):
    for part in ("train", "test"):
        for name in ("a", "b"):
            (tmp_path / part / name).mkdir(parents=True)
            Image.new("RGB", (20, 20), "red" if name == "a" else "blue").save(
                tmp_path / part / name / "0.png"
            )
    values = {
        "data": {"dataset": "folder", "root": str(tmp_path)},
        "backbone": {"name": "squeezenet1_1", "weights": "random", "image_size": 64},
        "system": {"kind": "lca", "steps": 3},
    }
    experiment = prepare(Document.parse(values))
    given = inputs.chosen(experiment, View(picture=str(picture)))
    backbone = experiment.vectors.backbone
    with Image.open(picture) as image:
        expected = backbone.features(backbone.transform(image)[None])
    assert given.image.shape == (64, 64, 3)
    assert torch.equal(given.vector, expected)
    assert torch.linalg.vector_norm(experiment.scaled(given.vector)).item() == pytest.approx(10)


def test_a_test_image_whose_file_has_gone_is_one_line(prepared, monkeypatch):
    experiment = prepared()

    def gone(index):
        raise OSError("no such file")

    monkeypatch.setattr(type(experiment.dataset.test), "image", lambda self, index: gone(index))
    with pytest.raises(InputError, match="^test sample 3: its image cannot be read any more"):
        inputs.chosen(experiment, View(sample=3))


@pytest.fixture
def runner(new_runner) -> Runner:
    return new_runner()


def digest(runner, document) -> str:
    runner.follow(document)
    runner.set_paused(False)
    return runner.wait(RunState.FINISHED).fingerprint


def test_a_run_codes_the_picture_and_its_fingerprint_is_its_own(runner, document, picture):
    plain = document()
    coded = plain.with_value("view.picture", str(picture))
    first = digest(runner, plain)
    assert (runner.snapshot.sample, runner.snapshot.input.truth is None) == (0, False)
    with_picture = digest(runner, coded)
    assert runner.snapshot.sample is None and with_picture != first
    assert runner.status.notice == "Restarted with picture cross.png"
    assert digest(runner, plain) == first
    assert runner.status.notice == "Restarted with sample 0"


def test_a_picture_that_cannot_be_read_leaves_the_run_as_it_was(runner, document, tmp_path):
    runner.follow(document())
    runner.step(7)
    before = runner.wait(RunState.PAUSED)
    (tmp_path / "a.png").write_bytes(b"no picture")
    runner.follow(document().with_value("view.picture", str(tmp_path / "a.png")))
    status = runner.wait(RunState.PAUSED)
    assert status.refused.startswith("view.picture = ")
    assert (status.step, status.fingerprint) == (7, before.fingerprint)
    assert runner.snapshot.sample == 0


def test_restart_reads_a_picture_again_and_a_slider_does_not(runner, document, picture):
    coded = document().with_value("view.picture", str(picture))
    first = digest(runner, coded)
    Image.new("RGB", (8, 8), "white").save(picture)
    runner.restart()
    runner.wait(RunState.PAUSED)
    assert runner.snapshot.input.image.min() == 1
    picture.unlink()
    assert digest(runner, coded.with_text("system.threshold=1.5")) != first
    runner.step(-3)
    runner.restart()
    status = runner.wait(RunState.PAUSED)
    assert "there is no such file" in status.refused and status.step == status.steps - 3
