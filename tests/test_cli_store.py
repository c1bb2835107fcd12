"""``workbench download`` and ``workbench cache``, and what they are for: images and backbones."""

import json

import torch
from PIL import Image

from workbench import folders
from workbench.cli import main
from workbench.data import download
from workbench.data.backbones import Backbone
from workbench.data.features import Features
from workbench.data.splits import Split


class Network(torch.nn.Module):
    def forward(self, batch):
        return {"features": batch}


def fill_the_cache():
    split = Split(torch.zeros(5, 2, 2), torch.zeros(5, dtype=torch.int64))
    backbone = Backbone("tiny", "x", 3, 2, "none", "h", lambda p: torch.ones(3), Network())
    Features(split, backbone, folders.cache() / "features").compute()


def test_the_cache_is_listed_and_cleared(capsys):
    fill_the_cache()
    assert main(["cache"]) == 0
    assert "tiny: 5 images" in capsys.readouterr().out
    assert main(["info"]) == 0
    assert "tiny: 5 images" in capsys.readouterr().out
    assert main(["cache", "--clear"]) == 0
    assert "freed" in capsys.readouterr().out
    assert main(["cache"]) == 0
    assert "cached features: 0" in capsys.readouterr().out


def test_a_download_says_where_it_went_and_how_to_use_it(monkeypatch, tmp_path, capsys):
    def pretend(name, root, report):
        report(1_000_000, 2_000_000)
        report(2_000_000, 2_000_000)

    monkeypatch.setattr(download, "dataset", pretend)
    assert main(["download", "mnist", "--to", str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    assert f"--set data.root={tmp_path}" in out
    assert "mnist: 2.0 of 2.0 MB" in err


def test_what_cannot_be_downloaded_is_one_line_and_exit_2(capsys):
    assert main(["download", "nothing"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and "'nothing' cannot be downloaded" in err


def make_images(root):
    """Two classes that any dictionary of exemplars tells apart."""
    for part, count in (("train", 6), ("test", 3)):
        for name, box in (("left", (0, 0, 4, 8)), ("right", (4, 0, 8, 8))):
            folder = root / part / name
            folder.mkdir(parents=True)
            for i in range(count):
                image = Image.new("RGB", (8, 8))
                image.paste((200 + i, 200, 200), box)
                image.save(folder / f"{i}.png")


def test_a_folder_of_images_is_coded_in_place_of_a_session(tmp_path, capsys):
    make_images(tmp_path / "images")
    assert main(["run", str(tmp_path / "images"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["accuracy"]["sum"] == 1.0 and found["samples"] == 6
    assert found["document"]["data"]["dataset"] == "folder"


def test_the_features_of_a_backbone_are_coded_and_the_second_time_taken_from_the_cache(
    tmp_path, capsys
):
    make_images(tmp_path / "images")
    command = ["run", str(tmp_path / "images"), "--json", "--set", "system.steps=30"]
    command += ["--set", "backbone.name=squeezenet1_1", "--set", "backbone.weights=random"]
    command += ["--set", "backbone.image_size=64"]
    assert main(command) == 0
    first = capsys.readouterr()
    assert main(command) == 0
    second = capsys.readouterr()
    assert "Features of the training images" in first.err
    assert "Features of the training images" not in second.err
    assert "random weights" in first.err
    results = [json.loads(captured.out) for captured in (first, second)]
    assert results[0]["fingerprint"] == results[1]["fingerprint"]
    resolved = results[0]["document"]
    assert results[0]["features"] == 512 and resolved["signal"]["norm"] == 10.0
    assert len(resolved["backbone"]["weights_hash"]) == 32


def test_other_weights_than_the_session_names_are_refused(tmp_path, capsys):
    make_images(tmp_path / "images")
    command = ["run", str(tmp_path / "images"), "--set", "backbone.name=squeezenet1_1"]
    command += ["--set", "backbone.weights=random", "--set", "backbone.weights_hash=abc"]
    assert main(command) == 2
    assert "not the ones the session was made with" in capsys.readouterr().err


def test_signals_far_above_the_threshold_are_warned_of(tmp_path, capsys):
    make_images(tmp_path / "images")
    command = ["run", str(tmp_path / "images"), "--set", "system.steps=1"]
    assert main([*command, "--set", "signal.norm=500"]) == 0
    assert "250 times the threshold" in capsys.readouterr().err
    assert main([*command, "--set", "signal.norm=10"]) == 0
    assert "times the threshold" not in capsys.readouterr().err


def test_a_folder_without_images_is_one_line(tmp_path, capsys):
    assert main(["run", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and "holds no images" in err.splitlines()[-1]
