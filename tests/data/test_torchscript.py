"""TorchScript archives: their parameters are read, their code never runs."""

import pickle
import zipfile

import pytest
import torch

from workbench.data import backbones, torchscript
from workbench.document.schema import Backbone as Section
from workbench.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.*deprecated:DeprecationWarning")


def section(path, name="squeezenet1_1"):
    return Section(name=name, image_size=64, weights=str(path))


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(3)
    backbones.load(Section(name="squeezenet1_1", image_size=64, weights="random"))
    from torchvision.models import squeezenet1_1

    return squeezenet1_1().eval()


@pytest.fixture(scope="module")
def scripted(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("script") / "own.pt"
    torch.jit.script(network).save(path)
    return path


def test_a_scripted_network_gives_the_features_of_its_state_dict(network, scripted, tmp_path):
    torch.save(network.state_dict(), tmp_path / "own.pth")
    assert torchscript.is_archive(scripted)
    assert not torchscript.is_archive(tmp_path / "own.pth")
    one, other = (backbones.load(section(path)) for path in (scripted, tmp_path / "own.pth"))
    assert one.weights_hash == other.weights_hash


class Small(torch.nn.Module):
    """Buffers, a shared storage, types of their own, nested modules, typed attributes."""

    sizes: list[int]

    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
        self.register_buffer("part", torch.arange(12, dtype=torch.int16).reshape(3, 4)[:, 1])
        self.register_buffer("empty", torch.zeros(0))
        self.thin = torch.nn.Parameter(torch.ones(2, dtype=torch.float16))
        self.sizes = [1, 2]

    def forward(self, x):
        return self.inner(x)


@pytest.mark.parametrize("how", ["script", "trace"])
def test_names_and_numbers_are_those_of_the_state_dict(tmp_path, how):
    made = Small().eval()
    archive = torch.jit.script(made) if how == "script" else torch.jit.trace(made, torch.ones(4, 3))
    archive.save(tmp_path / "small.pt")
    found = torchscript.parameters(tmp_path / "small.pt")
    assert found.keys() == made.state_dict().keys()
    for name, value in made.state_dict().items():
        assert found[name].dtype == value.dtype or not value.numel()
        assert torch.equal(found[name], value), name


class Loud(torch.nn.Module):
    """Leaves a mark in a file when its code is run."""

    def __init__(self, path):
        super().__init__()
        self.path = path
        self.weight = torch.nn.Parameter(torch.ones(2))

    def forward(self, x):
        return x

    @torch.jit.export
    def __getstate__(self):
        return (self.path, self.weight, self.training)

    @torch.jit.export
    def __setstate__(self, state: tuple[str, torch.Tensor, bool]):
        self.path, self.training = state[0], state[2]
        self.weight = state[1] + torch.from_file(self.path, True, 2)


def test_the_code_of_an_archive_never_runs(tmp_path):
    mark = tmp_path / "mark"
    torch.jit.script(Loud(str(mark))).save(tmp_path / "loud.pt")
    mark.unlink(missing_ok=True)
    torch.jit.load(tmp_path / "loud.pt")
    assert mark.exists()  # that is why it is not used
    mark.unlink()
    with pytest.raises(InputError, match="other objects, which are not loaded"):
        backbones.load(section(tmp_path / "loud.pt"))
    assert not mark.exists()


def rewritten(source, target, data):
    """An archive with another pickle in it."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, data if name.endswith("/data.pkl") else old.read(name))


def test_what_is_not_plain_does_not_fit_or_is_torn_is_one_line(scripted, network, tmp_path):
    class Evil:
        def __reduce__(self):
            return (print, ("this must never be run",))

    rewritten(scripted, tmp_path / "evil.pt", pickle.dumps(Evil()))
    rewritten(scripted, tmp_path / "torn.pt", b"\x80\x02}")
    rewritten(scripted, tmp_path / "list.pt", pickle.dumps([1, 2]))
    torch.jit.freeze(torch.jit.script(network)).save(tmp_path / "frozen.pt")
    for path, words in (
        (tmp_path / "evil.pt", r"other objects, which are not loaded \(UnpicklingError\)"),
        (tmp_path / "torn.pt", "it is damaged"),
        (tmp_path / "list.pt", "other objects, which are not loaded"),
        (tmp_path / "frozen.pt", "holds no parameters; a frozen TorchScript module"),
    ):
        with pytest.raises(InputError, match=words) as error:
            backbones.load(section(path))
        assert str(error.value).startswith("backbone.weights = ") and "\n" not in str(error.value)
    with pytest.raises(InputError, match="own.pt are not of resnet18: layers 102 missing"):
        backbones.load(section(scripted, "resnet18"))
