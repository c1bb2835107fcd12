"""The document: every wrong key, type and range is one clear line; JSON goes there and back."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.document import Document, sections
from workbench.errors import InputError
from workbench.parameters import declared

LCA = {"kind": "lca", "threshold": 2.0}


@pytest.fixture
def document():
    return Document.parse({"system": LCA})


def test_sections_left_out_take_the_documented_defaults(document):
    assert json.loads(document.to_json()) == {
        "workbench": 1,
        "data": {"dataset": "digits", "root": None, "train": None, "test": None, "seed": 0},
        "backbone": {"name": "none", "weights": None, "image_size": None, "weights_hash": None},
        "signal": {"norm": None},
        "dictionary": {
            "kind": "exemplar",
            "atoms": None,
            "balanced": True,
            "seed": 0,
            "leave_out": None,
            "added": None,
        },
        "system": LCA,
        "decoder": {"kind": "sum"},
        "run": {
            "engine": "auto",
            "device": "auto",
            "precision": "float32",
            "storage": None,
            "batch": None,
            "tolerance": None,
        },
        "view": {
            "sample": 0,
            "picture": None,
            "speed": 20.0,
            "layout": "explore",
            "neuron": None,
        },
    }


def test_json_leaves_out_keys_that_mean_nothing_here_unless_they_were_set(document):
    assert "learning_rate" not in document.to_json()
    learned = document.with_value("dictionary.kind", "learned")
    assert '"learning_rate": null' in learned.to_json()
    assert "leave_out" not in learned.to_json()
    kept = document.with_value("dictionary.learning_rate", 0.25)
    assert '"learning_rate": 0.25' in kept.to_json()
    assert Document.parse(json.loads(kept.to_json())) == kept


def test_json_there_and_back_gives_an_equal_document_and_the_same_text(document):
    changed = document.with_value("data.root", "dätä").with_value("signal.norm", 10)
    again = Document.parse(json.loads(changed.to_json()))
    assert again == changed
    assert again.to_json() == changed.to_json()


def test_json_has_one_line_for_each_section(document):
    lines = document.to_json().splitlines()
    assert len(lines) == len(sections()) + 4  # the version, the system and two braces
    assert lines[6].startswith('  "system":')


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"data": {"seed": -1}}, "data.seed = -1: must be a whole number from 0 to 2147483647"),
        ({"data": {"train": 0}}, "data.train = 0: must be a whole number of at least 1 or null"),
        ({"data": {"roots": "x"}}, "data.roots: unknown key; did you mean root? known here: "),
        ({"dta": {}}, "dta: unknown key; did you mean data? known here: workbench, data, "),
        ({"data": []}, "data = []: must be an object of keys and values"),
        ({"run": {"device": "tpu"}}, "run.device = 'tpu': must be one of auto, cpu, cuda, mps"),
        ({"view": {"speed": 0}}, "view.speed = 0: must be a number above 0 or null"),
        ({"system": 3}, "system = 3: must be an object of keys and values"),
        ({"system": {}}, "system.kind is missing; it must be the name of a system"),
        ({"system": {"kind": 3}}, "system.kind = 3: must be the name of a system"),
        ({"system": LCA | {"a": [1]}}, "system.a = [1]: must be a finite number, a text, true"),
        ({"system": LCA | {"a": float("inf")}}, "system.a = inf: must be a finite number"),
        ({"workbench": 2}, "workbench = 2: must be "),
    ],
)
def test_wrong_input_is_one_line_that_begins_with_its_place(values, line):
    with pytest.raises(InputError) as error:
        Document.parse({"system": LCA} | values)
    assert str(error.value).startswith(line)
    assert "\n" not in str(error.value)


def test_a_document_without_a_system_is_refused():
    with pytest.raises(InputError, match="^system is missing"):
        Document.parse({"workbench": 1})


def test_a_value_is_read_and_replaced_by_its_dotted_place(document):
    assert document.value("system.threshold") == 2.0
    changed = document.with_value("system.threshold", 0.5).with_value("dictionary.atoms", 10)
    assert (changed.value("system.threshold"), changed.value("dictionary.atoms")) == (0.5, 10)
    assert document.value("dictionary.atoms") is None


@pytest.mark.parametrize("place", ["data", "data.", "dat.root", "data.rot", "", "workbench"])
def test_a_place_that_does_not_exist_is_refused_for_reading_and_writing(document, place):
    with pytest.raises(InputError):
        document.value(place)
    with pytest.raises(InputError):
        document.with_value(place, 1)


def test_a_system_key_that_is_not_set_says_which_are(document):
    with pytest.raises(InputError, match=r"system\.tau is not set here; set are: kind, threshold"):
        document.value("system.tau")


def test_another_system_starts_from_its_own_defaults(document):
    assert document.with_value("system.kind", "lif").system == {"kind": "lif"}
    assert document.with_value("system.kind", "lca") == document


def test_whole_sections_are_replaced_by_models_or_mappings(document):
    view = document.view.changed(sample=3)
    changed = document.changed(view=view, system={"kind": "lif"})
    assert (changed.view, changed.system) == (view, {"kind": "lif"})
    with pytest.raises(InputError, match=r"^data\.seed = -1"):
        document.changed(data={"seed": -1})


@pytest.mark.parametrize(
    ("text", "place", "value"),
    [
        ("system.threshold=0.5", "system.threshold", 0.5),
        ("system.steps=10", "system.steps", 10),
        ("dictionary.balanced=false", "dictionary.balanced", False),
        ("dictionary.atoms=null", "dictionary.atoms", None),
        ("data.dataset=mnist", "data.dataset", "mnist"),
        ("data.root=../a=b", "data.root", "../a=b"),
        ("data.root=2024", "data.root", "2024"),  # a folder with a number for a name
        ("signal.norm=none", "signal.norm", "none"),
        (" view.speed = 5 ", "view.speed", 5.0),
    ],
)
def test_an_assignment_is_read_as_json_else_as_text(document, text, place, value):
    read = document.with_text(text).value(place)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("system.threshold", "'system.threshold': must be section.key=value, such as "),
        ("data.seed=-1", "data.seed = -1: must be a whole number from 0"),
        ("view.speed=NaN", "view.speed = 'NaN': must be a number above 0"),
        ("system.threshold=[1]", "system.threshold = [1]: must be a finite number"),
    ],
)
def test_a_wrong_assignment_is_one_line(document, text, line):
    with pytest.raises(InputError) as error:
        document.with_text(text)
    assert str(error.value).startswith(line)


def test_every_section_declares_a_meaning_for_every_key():
    for name, model in sections().items():
        for key in declared(model):
            assert key.meaning, f"{name}.{key.name}"


def test_the_document_is_read_without_torch_and_without_qt():
    code = "import sys, workbench.document; print({'torch', 'numpy', 'PySide6'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "set()", result.stderr


def test_a_session_can_be_put_on_other_images(document):
    watched = document.with_value("view.sample", 9).with_value("data.train", 50)
    moved = watched.on_data(Path("some/pictures"))
    assert (moved.data.dataset, moved.data.root) == ("folder", str(Path("some/pictures")))
    assert (moved.data.train, moved.view.sample, moved.system) == (None, 0, document.system)
    assert watched.on_data(Path("a.npz")).data.dataset == "arrays"


def test_other_images_reset_what_names_classes(document, tmp_path):
    grown = document.with_value("dictionary.leave_out", "7").with_value("dictionary.added", "7=3")
    on_folder = grown.with_value("view.picture", "x.png").on_data(tmp_path)
    assert on_folder.dictionary.leave_out is None and on_folder.dictionary.added is None
    assert on_folder.view.picture is None


def test_numbers_beyond_single_precision_are_refused(document):
    with pytest.raises(InputError, match=r"signal.norm = 1e\+300: must be .*, and at most 1e\+30"):
        document.with_value("signal.norm", 1e300)


def test_a_deeply_nested_value_is_taken_as_text(document):
    deep = "[" * 100_000
    assert document.with_text(f"view.picture={deep}").view.picture == deep
