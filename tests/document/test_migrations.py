"""Sessions of every version that was ever written still open."""

from pathlib import Path

import pytest

from workbench.document import Document, load, migrations
from workbench.document.migrations import upgrade
from workbench.document.schema import (
    Backbone,
    Data,
    Decoder,
    Dictionary,
    Run,
    Signal,
    View,
)
from workbench.errors import InputError

GOLDEN = Path(__file__).parent / "golden"


def test_version_1_opens_with_every_value_where_it_belongs():
    assert load(GOLDEN / "v1.json") == Document(
        data=Data(dataset="mnist", root="data", train=1000, test=100, seed=3),
        backbone=Backbone(name="resnet50", weights="weights.pth", image_size=96),
        signal=Signal(norm=10.0),
        dictionary=Dictionary(kind="random", atoms=784, balanced=False, seed=7),
        system={"kind": "lca", "threshold": 0.5, "steps": 50, "transfer": "hard"},
        decoder=Decoder(kind="max"),
        run=Run(engine="residual", device="cpu", precision="float64", batch=64),
        view=View(sample=12, speed=None, layout="debug", neuron=5),
    )


def test_there_is_a_golden_file_for_every_version():
    assert [path.stem for path in sorted(GOLDEN.iterdir())] == [
        f"v{version}" for version in range(1, migrations.CURRENT + 1)
    ]


def test_upgrades_run_one_after_the_other(monkeypatch):
    monkeypatch.setattr(migrations, "CURRENT", 3)
    monkeypatch.setattr(
        migrations,
        "UPGRADES",
        {
            1: lambda values: values | {"trail": ["one"]},
            2: lambda values: values | {"trail": [*values["trail"], "two"]},
        },
    )
    assert upgrade({"workbench": 1}) == {"workbench": 3, "trail": ["one", "two"]}
    assert upgrade({"workbench": 3}) == {"workbench": 3}


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"data": {}}, 'workbench is missing; a session begins with "workbench": 1'),
        ({"workbench": 2}, "workbench = 2: written by a newer workbench; this one reads versions"),
        ({"workbench": "1"}, "workbench = '1': must be a version from 1 to 1"),
        ({"workbench": True}, "workbench = True: must be a version from 1 to 1"),
        ({"workbench": 0}, "workbench = 0: must be a version from 1 to 1"),
    ],
)
def test_a_file_without_a_version_this_one_knows_says_so(values, line):
    with pytest.raises(InputError) as error:
        upgrade(values)
    assert str(error.value).startswith(line)
