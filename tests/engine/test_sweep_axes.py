"""What a sweep varies, read from its texts, and one line for what is wrong with them."""

import math

import pytest

from workbench.engine.sweep_axes import Range, read_axes
from workbench.errors import InputError


def grids(document, *texts):
    return [(grid.key, grid.values) for grid in read_axes(document, texts).grids]


def test_values_are_read_as_set_reads_them(document):
    texts = ("system.threshold=0.5,1,2", "signal.norm=null, none ,5", "run.precision=float64")
    assert grids(document(), *texts) == [
        ("system.threshold", (0.5, 1, 2)),
        ("signal.norm", (None, "none", 5)),
        ("run.precision", ("float64",)),
    ]


def test_a_value_may_hold_a_comma_and_a_folder_may_be_called_2024(document):
    found = grids(document(), 'dictionary.added="7=100,3=50",null', "data.root=2024")
    assert found == [("dictionary.added", ("7=100,3=50", None)), ("data.root", ("2024",))]


def test_a_value_given_twice_counts_once(document):
    assert grids(document(), "dictionary.atoms=100,50,100") == [("dictionary.atoms", (100, 50))]


def test_the_parameters_of_every_kind_of_system_that_is_swept_are_known(document):
    axes = read_axes(document(), ["system.kind=lca,lif", "system.gain=1,2"])
    assert axes.declared["system.gain"].label and axes.declared["system.kind"].label == "System"
    with pytest.raises(InputError, match="system.gain: unknown key"):
        read_axes(document(), ["system.gain=1,2"])


def test_a_range_knows_whether_its_key_takes_whole_numbers(document):
    ranges = ["system.threshold=0.1:10:log", "dictionary.atoms=50:200", "signal.norm=1:2"]
    assert read_axes(document(), [], ranges, draws=3).ranges == (
        Range("system.threshold", 0.1, 10, log=True),
        Range("dictionary.atoms", 50, 200, whole=True),
        Range("signal.norm", 1, 2),
    )


def test_draws_are_uniform_or_uniform_in_their_logarithm():
    assert Range("", 2, 4).draw(0.25) == 2.5
    assert Range("", 0.1, 10, log=True).draw(0.5) == pytest.approx(1)
    places = [i / 1000 for i in range(1000)]
    whole = [Range("", 1, 4, whole=True).draw(u) for u in places]
    assert [whole.count(k) for k in (1, 2, 3, 4)] == [250] * 4
    whole = [Range("", 1, 7, log=True, whole=True).draw(u) for u in places]
    for k in range(1, 8):  # log(1 + 1/k) in units of log 8
        assert whole.count(k) == pytest.approx(1000 * math.log2(1 + 1 / k) / 3, abs=1)
    assert all(isinstance(value, int) for value in whole)


@pytest.mark.parametrize(
    ("listed", "ranges", "draws", "words"),
    [
        ([], [], None, "nothing is varied"),
        (["system.treshold=1"], [], None, "system.treshold: unknown key; did you mean threshold?"),
        (["sytem.threshold=1"], [], None, "did you mean system?"),
        (["dictionary.atom=1"], [], None, "did you mean atoms?"),
        (["threshold=1"], [], None, "threshold: unknown key"),
        (["system=1"], [], None, "'system': must name a key"),
        (["system.threshold"], [], None, "must be KEY=V1,V2,..., such as system.threshold=0.5,1,2"),
        (["system.threshold="], [], None, "--grid system.threshold=: must list one value or more"),
        (["system.threshold=1,,2"], [], None, "none of them empty"),
        (["system.threshold=1", "system.threshold=2"], [], None, "varied twice"),
        (["system.steps=1"], ["system.steps=1:2"], 3, "--grid system.steps: is varied twice"),
        ([], ["system.threshold=1:2"], None, "--random N and --range"),
        (["system.threshold=1"], [], 5, "--random N and --range"),
        ([], ["system.threshold"], 5, "must be KEY=LOW:HIGH or KEY=LOW:HIGH:log"),
        ([], ["system.threshold=2:1"], 5, "system.threshold=2:1: LOW must be less than HIGH"),
        ([], ["system.threshold=1:1"], 5, "LOW must be less than HIGH"),
        ([], ["system.threshold=0:1:log"], 5, "logarithmic range must be above 0"),
        ([], ["system.threshold=1:2:lin"], 5, "LOW:HIGH or LOW:HIGH:log"),
        ([], ["system.threshold=1"], 5, "LOW:HIGH or LOW:HIGH:log"),
        ([], ["system.threshold=1:inf"], 5, "both finite numbers"),
        ([], ["system.steps=1:2.5"], 5, "must run between whole numbers"),
        ([], ["decoder.kind=1:2"], 5, "must take numbers, and takes one of max, sum, perceptron"),
        ([], ["backbone.name=1:2"], 5, "must take numbers, and takes a text"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(document, listed, ranges, draws, words):
    with pytest.raises(InputError) as error:
        read_axes(document(), listed, ranges, draws)
    assert words in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["1\n2", "1\r2"])
def test_a_line_break_in_a_value_is_refused_in_one_line(document, text):
    with pytest.raises(InputError, match="--grid system.threshold: must be values") as error:
        read_axes(document(), [f"system.threshold={text}"])
    assert "\n" not in str(error.value)
