"""Features: computed once, resumed after a kill, and never trusted half-written."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from workbench.data import features as module
from workbench.data.backbones import Backbone
from workbench.data.features import BATCH, Features, clear, entries
from workbench.data.splits import Split
from workbench.errors import InputError


class Mean(torch.nn.Module):
    """Stands for a network: the mean colour; counts the images that pass."""

    seen = 0

    def forward(self, batch):
        Mean.seen += len(batch)
        return {"features": batch}


def tensor(picture: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.asarray(picture, np.float32)).permute(2, 0, 1)


def backbone(weights_hash="abc"):
    return Backbone("mean", "layer", 3, 2, "none", weights_hash, tensor, Mean())


@pytest.fixture
def split():
    generator = torch.Generator().manual_seed(0)
    count = 3 * BATCH + 5
    images = torch.randint(0, 256, (count, 2, 2, 3), generator=generator, dtype=torch.uint8)
    return Split(images, torch.zeros(count, dtype=torch.int64))


@pytest.fixture(autouse=True)
def fresh_count():
    Mean.seen = 0


def expected(split):
    return split.images.float().mean((1, 2))


def test_features_are_those_of_the_network(split, tmp_path):
    computed = Features(split, backbone(), tmp_path)
    computed.compute()
    torch.testing.assert_close(computed.rows(slice(None)), expected(split))
    torch.testing.assert_close(computed.rows([7, 2]), expected(split)[[7, 2]])
    torch.testing.assert_close(computed.rows(torch.tensor([1])), expected(split)[[1]])


def test_a_second_use_computes_nothing(split, tmp_path):
    Features(split, backbone(), tmp_path).compute()
    again = Features(split, backbone(), tmp_path)
    again.compute()
    assert Mean.seen == len(split)
    torch.testing.assert_close(again.rows(slice(None)), expected(split))


class Killed(Exception):
    pass


def test_after_a_kill_it_goes_on_and_no_batch_is_computed_twice(split, tmp_path):
    left = [2]

    def check():
        if not left[0]:
            raise Killed
        left[0] -= 1

    with pytest.raises(Killed):
        Features(split, backbone(), tmp_path).compute(check=check)
    assert Mean.seen == 2 * BATCH
    again = Features(split, backbone(), tmp_path)
    again.compute()
    assert Mean.seen == len(split)
    torch.testing.assert_close(again.rows(slice(None)), expected(split))


def test_only_what_is_asked_for_is_computed(split, tmp_path):
    computed = Features(split, backbone(), tmp_path)
    computed.compute(count=10)
    assert Mean.seen == BATCH
    with pytest.raises(IndexError, match=f"only the first {BATCH}"):
        computed.rows([BATCH])


def test_progress_ends_at_the_count_and_counts_down(split, tmp_path):
    told = []
    Features(split, backbone(), tmp_path).compute(report=told.append)
    assert [p.done for p in told] == [BATCH, 2 * BATCH, 3 * BATCH, len(split)]
    assert told[-1].seconds_left == 0 and all(p.total == len(split) for p in told)


def test_a_half_written_cache_is_not_trusted(split, tmp_path):
    computed = Features(split, backbone(), tmp_path)
    computed.compute()
    data = computed.folder / "features.f32"
    data.write_bytes(data.read_bytes()[:100])  # cut short
    again = Features(split, backbone(), tmp_path)
    again.compute()
    assert Mean.seen == 2 * len(split)
    torch.testing.assert_close(again.rows(slice(None)), expected(split))
    (computed.folder / "done.json").write_text("{torn")
    Features(split, backbone(), tmp_path).compute()
    assert Mean.seen == 3 * len(split)


def test_other_images_weights_or_layers_are_other_features(split, tmp_path):
    key = Features(split, backbone(), tmp_path).key
    assert key == Features(split, backbone(), tmp_path).key
    assert key != Features(split, backbone("abd"), tmp_path).key
    assert key != Features(split.chosen(slice(9)), backbone(), tmp_path).key


def test_a_full_disk_is_one_line_and_what_was_done_stays(split, tmp_path, monkeypatch):
    computed = Features(split, backbone(), tmp_path)
    computed.compute(count=BATCH)
    monkeypatch.setattr(module.os, "fsync", full_disk)
    with pytest.raises(InputError, match="cannot be kept in .*No space left"):
        Features(split, backbone(), tmp_path).compute()
    monkeypatch.undo()
    Features(split, backbone(), tmp_path).compute()
    assert json.loads((computed.folder / "done.json").read_text())["done"] == len(split)


def full_disk(descriptor):
    raise OSError(28, "No space left on device")


def test_features_in_use_outlive_a_cleared_cache(split, tmp_path):
    used = Features(split, backbone(), tmp_path)
    used.compute()  # nothing is read yet
    assert clear(tmp_path) > 0
    torch.testing.assert_close(used.rows(slice(None)), expected(split))
    torch.testing.assert_close(used.rows([7, 2]), expected(split)[[7, 2]])
    again = Features(split, backbone(), tmp_path)
    again.compute()
    assert Mean.seen == 2 * len(split)
    torch.testing.assert_close(again.rows(slice(None)), expected(split))


def test_the_cache_is_listed_and_cleared(split, tmp_path):
    Features(split, backbone(), tmp_path).compute(count=1)
    (entry,) = entries(tmp_path)
    assert (entry.backbone, entry.done, entry.rows) == ("mean", BATCH, len(split))
    assert entry.bytes == 12 * len(split)
    assert clear(tmp_path) > entry.bytes and entries(tmp_path) == []
