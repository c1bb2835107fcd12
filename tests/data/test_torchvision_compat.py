"""torchvision imports beside any torch, and a whole one is left alone."""

import subprocess
import sys

import pytest

ENSURE = "from workbench.data import torchvision_compat as compat\ncompat.ensure()\n"

# A torchvision in miniature: a module that is imported first, then the description of an operator.
HALF = "import torch\nfrom . import early\ntorch.library.register_fake('torchvision::nms')(max)\n"
WHOLE = (
    "import torch\n"
    "library = torch.library.Library('torchvision', 'DEF')\n"
    "library.define('nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor')\n" + HALF
)


def python(code, *path):
    code = f"import sys\nsys.path[:0] = {[str(folder) for folder in path]}\n{code}"
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture
def torchvision(tmp_path):
    """Make a package of that name with the given text."""

    def make(text):
        package = tmp_path / "torchvision"
        package.mkdir()
        (package / "__init__.py").write_text(text, encoding="utf-8")
        (package / "early.py").write_text("print('early')\n", encoding="utf-8")
        return tmp_path

    return make


def test_datasets_and_models_import_and_run():
    code = ENSURE + (
        "import torch\n"
        "from torchvision.datasets import MNIST\n"
        "from torchvision.models import squeezenet1_0\n"
        "with torch.inference_mode():\n"
        "    print(list(squeezenet1_0().eval()(torch.zeros(1, 3, 64, 64)).shape))\n"
    )
    result = python(code)
    assert result.stdout.strip() == "[1, 1000]", result.stderr


def test_a_torchvision_that_misses_its_operators_is_imported_after_all(torchvision):
    code = ENSURE + "compat.ensure()\nimport torchvision\nprint(compat._registered is not None)"
    result = python(code, torchvision(HALF))
    # The module that was imported halfway is imported anew, once.
    assert result.stdout.split() == ["early", "early", "True"], result.stderr


def test_a_whole_torchvision_is_left_alone(torchvision):
    result = python(ENSURE + "print(compat._registered)", torchvision(WHOLE))
    assert result.stdout.split() == ["early", "None"], result.stderr


def test_another_failure_is_not_hidden(torchvision):
    result = python(ENSURE, torchvision("raise RuntimeError('another failure')"))
    assert result.stderr.strip().endswith("RuntimeError: another failure")
