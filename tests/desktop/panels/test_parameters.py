"""The parameter panel in use: typed, dragged, chosen, refused, undone."""

from __future__ import annotations

import pytest
import torch
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QFileDialog, QSlider

from workbench.document import sections
from workbench.parameters import declared
from workbench.systems import kinds

Key, Held = Qt.Key, Qt.KeyboardModifier


# -- what is shown -------------------------------------------------------------------------------


@pytest.mark.parametrize("user", [("digits-exemplar",), ("lif-population",)], indirect=True)
def test_the_panel_has_one_row_for_each_declared_parameter(user, window):
    system = window.workspace.experiment.system
    expected = {p.name for p in declared(system.Params)}
    assert set(window.parameters.groups["system"].fields) == expected
    for section in ("data", "dictionary", "signal", "run"):
        expected = {p.name for p in declared(sections()[section])}
        assert set(window.parameters.groups[section].fields) == expected


def test_rows_show_the_documents_values_or_the_natural_choice(user, window):
    assert user.field("system.threshold").text.text() == "2"
    assert user.field("system.time_constant").text.text() == "20"
    assert user.field("system.transfer").combo.currentText() == "soft"
    atoms = user.field("dictionary.atoms").text
    assert (atoms.text(), atoms.placeholderText()) == ("", "auto")
    assert user.field("dictionary.balanced").box.isChecked()


def test_advanced_rows_unfold_and_fold(user, window):
    group = window.parameters.groups["data"]
    row = group.fields["seed"]
    assert not row.isVisible()
    user.click(group.more)
    assert row.isVisible()
    user.click(group.more)
    assert not row.isVisible()


def test_the_tooltip_says_meaning_range_and_when_it_acts(user):
    tip = user.field("system.threshold").text.toolTip()
    assert "Must be a number of at least 0" in tip
    assert "Acts on the next step." in tip
    assert "Starts the run again." in user.field("dictionary.seed").text.toolTip()


# -- typing --------------------------------------------------------------------------------------


def test_a_typed_number_goes_into_the_document(user, window):
    field = user.field("system.threshold").text
    for typed, value in (("1.5", 1.5), ("1,25", 1.25), (" 3 ", 3.0), ("1e-2", 0.01)):
        user.write(field, typed)
        assert window.workspace.document.system["threshold"] == value
        assert float(field.text()) == value


def test_leaving_the_field_is_as_good_as_return(user, window):
    field = user.field("system.threshold").text
    user.click(field)
    field.selectAll()
    user.qtbot.keyClicks(field, "1.5")
    user.click(window.parameters.groups["system"].more)  # a click elsewhere
    assert window.workspace.document.system["threshold"] == 1.5


def test_a_wrong_value_is_marked_and_complained_about_once_and_changes_nothing(user, window):
    before, fingerprint = window.workspace.document, window.workspace.status.fingerprint
    for place, typed in (
        ("system.threshold", "-1"),
        ("system.threshold", "two"),
        ("system.threshold", ""),
        ("system.threshold", "nan"),
        ("system.threshold", "1e999"),
        ("system.steps", "10.5"),
        ("system.time_constant", "0"),
        ("dictionary.atoms", "0"),
        ("data.train", "-3"),
        ("signal.norm", "some"),
    ):
        field = user.field(place)
        user.write(field.text, typed)
        line = user.dismiss()
        assert line.startswith(f"{place} = ") and "must be" in line
        assert "\n" not in line
        assert field.text.property("wrong") is True
        assert field.text.text() == typed
        user.settle()
        assert not user.complaints
        assert window.workspace.document is before
        assert window.workspace.status.fingerprint == fingerprint
        assert not window.isWindowModified()


def test_a_wrong_value_left_by_clicking_run_is_complained_about_once(user, window):
    field = user.field("system.threshold")
    user.click(field.text)
    field.text.selectAll()
    user.qtbot.keyClicks(field.text, "-1")
    user.click(window.transport.buttons["run"])
    assert "system.threshold = -1" in user.dismiss()
    user.settle()
    assert not user.complaints
    assert window.workspace.document.system["threshold"] == 2.0


def test_a_corrected_value_takes_the_mark_away(user, window):
    field = user.field("system.threshold")
    user.write(field.text, "-1")
    user.dismiss()
    user.write(field.text, "1.5")
    assert not field.text.property("wrong")
    assert not user.complaints
    assert window.workspace.document.system["threshold"] == 1.5


def test_a_wrong_value_typed_back_to_the_old_one_is_no_change(user, window):
    field = user.field("system.threshold")
    user.write(field.text, "-1")
    user.dismiss()
    user.write(field.text, "2")
    assert not field.text.property("wrong")
    assert not window.actions_by_name["undo"].isEnabled()


def test_emptying_an_optional_number_asks_for_the_natural_choice(user, window):
    field = user.field("dictionary.atoms").text
    user.write(field, "100")
    user.settle()
    assert window.workspace.experiment.system.neurons == 100
    user.write(field, "")
    user.settle()
    assert window.workspace.experiment.system.neurons == 1437


def test_a_number_that_may_be_a_word_takes_both(user, window):
    field = user.field("signal.norm").text
    user.write(field, "5")
    user.settle()
    assert window.workspace.document.signal.norm == 5.0
    user.write(field, "none")
    user.settle()
    assert window.workspace.document.signal.norm == "none"
    assert not user.complaints


# -- sliding -------------------------------------------------------------------------------------


def test_a_dragged_slider_acts_while_it_moves_and_is_one_undo(user, window):
    field = user.field("system.threshold")
    user.go_to(30)
    user.drag(field.slider, 0.6, 0.7, 0.8)
    user.settle()
    value = window.workspace.document.system["threshold"]
    assert value != 2.0
    assert float(field.text.text()) == value
    assert window.workspace.experiment.system.params.threshold == value
    assert "from step 31 on" in window.said.text()
    user.do("undo")
    user.settle()
    assert window.workspace.document.system["threshold"] == 2.0
    assert not window.actions_by_name["undo"].isEnabled()


def test_two_drags_are_two_undos(user, window):
    slider = user.field("system.threshold").slider
    user.drag(slider, 0.6, 0.7)
    first = window.workspace.document.system["threshold"]
    user.drag(slider, 0.2, 0.3)
    assert window.workspace.document.system["threshold"] != first
    user.do("undo")
    assert window.workspace.document.system["threshold"] == first
    user.do("undo")
    assert window.workspace.document.system["threshold"] == 2.0


def test_a_drag_back_to_the_start_leaves_the_value_within_a_tick(user, window):
    slider = user.field("system.threshold").slider
    user.drag(slider, 0.9, 0.0)
    assert window.workspace.document.system["threshold"] == slider_range(window)[0]
    user.drag(slider, 1.0)
    assert window.workspace.document.system["threshold"] == slider_range(window)[1]


def slider_range(window) -> tuple[float, float]:
    return window.parameters.groups["system"].fields["threshold"].declared.slider


def test_a_value_beyond_the_sliders_range_is_kept(user, window):
    field = user.field("system.threshold")
    user.write(field.text, "400")
    user.settle()
    assert window.workspace.document.system["threshold"] == 400.0
    assert field.slider.value() == field.slider.maximum()


def test_a_slider_of_a_whole_number_gives_whole_numbers(user, window):
    user.drag(user.field("system.steps").slider, 0.3)
    assert isinstance(window.workspace.document.system["steps"], int)


def test_the_wheel_scrolls_the_rail_and_changes_no_value(user, window):
    window.resize(1280, 620)
    user.frames(2)
    before, bar = window.workspace.document, window.rail.verticalScrollBar()
    controls = [
        *window.parameters.findChildren(QComboBox),
        *window.parameters.findChildren(QSlider),
    ]
    turned = 0
    for control in controls:
        bar.setValue(0)
        if not control.visibleRegion().isEmpty():
            place = control.mapTo(window, control.visibleRegion().boundingRect().center())
            QTest.wheelEvent(window.windowHandle(), QPointF(place), QPoint(0, -120))
            user.frames(1)
            assert bar.value() > 0, control.accessibleName()
            turned += 1
    assert turned >= 5
    assert window.workspace.document is before


def test_after_dragging_or_choosing_the_arrows_still_step(user, window):
    user.drag(user.field("system.threshold").slider, 0.7)
    user.choose(user.field("system.transfer").combo, "hard")
    user.settle()
    value = window.workspace.document.system["threshold"]
    user.press(Key.Key_Right)
    user.settle()
    assert user.step == 1
    assert window.workspace.document.system["threshold"] == value


# -- choosing ------------------------------------------------------------------------------------


def test_another_system_has_other_rows_and_other_views_and_back(user, window):
    lca, lif = (kinds()[kind] for kind in ("lca", "lif"))
    user.choose(window.parameters.kind, lif.title)
    user.settle()
    assert window.workspace.experiment.system.kind == "lif"
    fields = window.parameters.groups["system"].fields
    assert set(fields) == {p.name for p in declared(lif.Params)}
    assert not window.parameters.groups["dictionary"].isVisible()
    shown = {name for name, dock in window.area.docks.items() if not dock.isHidden()}
    applying = {name for name, view in window.views.items() if view.applies(lif)}
    assert shown == applying - {"browser"}  # it is opened when it is wanted
    assert not {"terms", "evidence", "atoms", "confusion"} & shown
    user.choose(window.parameters.kind, lca.title)
    user.settle()
    assert window.workspace.experiment.system.kind == "lca"
    assert set(window.parameters.groups["system"].fields) == {p.name for p in declared(lca.Params)}
    assert window.parameters.groups["dictionary"].isVisible()
    assert {"terms", "evidence", "atoms", "confusion"} <= {
        name for name, dock in window.area.docks.items() if not dock.isHidden()
    }


def test_undo_brings_the_other_system_back_with_its_values(user, window):
    user.write(user.field("system.threshold").text, "1.5")
    user.choose(window.parameters.kind, kinds()["lif"].title)
    user.settle()
    user.do("undo")
    user.settle()
    assert window.workspace.experiment.system.kind == "lca"
    assert window.parameters.kind.currentText() == kinds()["lca"].title
    assert user.field("system.threshold").text.text() == "1.5"


def test_switching_systems_quickly_ends_with_the_last_one(user, window):
    titles = [kinds()["lif"].title, kinds()["lca"].title] * 4
    for title in titles:
        user.choose(window.parameters.kind, title)
    user.settle()
    assert window.workspace.experiment.system.kind == "lca"
    assert not user.complaints


def test_exemplars_random_atoms_and_back_give_the_first_run_again(user, window):
    kind = user.field("dictionary.kind").combo
    user.go_to(30)
    expected = window.workspace.status.fingerprint
    user.choose(kind, "random")
    user.settle()
    assert window.workspace.experiment.system.wiring.labels is None
    assert "dictionary kind exemplar → random" in window.said.text()
    user.go_to(30)
    assert window.workspace.status.fingerprint != expected
    user.choose(kind, "exemplar")
    user.settle()
    user.go_to(30)
    assert window.workspace.status.fingerprint == expected


def test_a_switch_goes_into_the_document(user, window):
    box = user.field("dictionary.balanced").box
    user.click(box)
    user.settle()
    assert window.workspace.document.dictionary.balanced is False
    user.do("undo")
    assert box.isChecked()


def test_a_refused_choice_goes_back_to_what_it_was(user, window):
    combo = user.field("run.device").combo
    user.choose(combo, "cuda" if torch.backends.mps.is_available() else "mps")
    user.wait(lambda: user.complaints)
    user.dismiss()
    user.settle()
    assert combo.currentText().startswith("auto")
    assert window.workspace.document.run.device == "auto"


def test_auto_says_what_it_stands_for(user, window):
    engine, device = user.field("run.engine").combo, user.field("run.device").combo
    resolved = window.workspace.experiment.document.run
    assert engine.currentText() == "auto (residual)"
    assert device.currentText() == f"auto ({resolved.device})"
    user.choose(engine, "lazy")
    user.wait(lambda: window.workspace.experiment.document.run.engine == "lazy")
    user.settle()
    assert engine.currentText() == "lazy"
    assert window.workspace.experiment.system.wiring.engine == "lazy"


def test_the_data_folder_can_be_looked_for(user, window, monkeypatch, shared_data):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a, **k: str(shared_data))
    user.click(user.find("Choose the data folder"))
    assert user.field("data.root").text.text() == str(shared_data)
    user.write(user.field("dictionary.atoms").text, "200")
    user.choose(user.field("data.dataset").combo, "mnist")
    user.wait(lambda: window.workspace.experiment.document.data.dataset == "mnist")
    user.settle()
    assert not user.complaints
    assert window.workspace.snapshot.experiment.system.wiring.features == 784
    user.press(Key.Key_Right)
    user.settle()
    assert user.step == 1
