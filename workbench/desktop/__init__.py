"""Everything Qt: the window, its panels and views. Nothing else in the workbench imports Qt."""
