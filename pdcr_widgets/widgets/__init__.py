"""Thin views over a session, for JupyterLab, Notebook 7 and Voila."""

from __future__ import annotations

from pdcr_widgets.widgets.ate_view import ATEView
from pdcr_widgets.widgets.baseline_controls import BaselineControls
from pdcr_widgets.widgets.comparison_view import ComparisonView
from pdcr_widgets.widgets.explorer import Explorer
from pdcr_widgets.widgets.file_chooser import FileChooser
from pdcr_widgets.widgets.file_inputs import FileInputs
from pdcr_widgets.widgets.keep_bar import KeepBar
from pdcr_widgets.widgets.layer_chart import LayerEffectChart
from pdcr_widgets.widgets.named_regions import NamedRegion
from pdcr_widgets.widgets.network_explorer import NetworkExplorer
from pdcr_widgets.widgets.network_view import NetworkView
from pdcr_widgets.widgets.patch_inspector import PatchInspector
from pdcr_widgets.widgets.question_controls import QuestionControls
from pdcr_widgets.widgets.region_canvas import RegionCanvas
from pdcr_widgets.widgets.run_bar import RunBar
from pdcr_widgets.widgets.slice_viewer import SliceViewer

__all__ = [
    "ATEView",
    "BaselineControls",
    "ComparisonView",
    "Explorer",
    "FileChooser",
    "FileInputs",
    "KeepBar",
    "LayerEffectChart",
    "NamedRegion",
    "NetworkExplorer",
    "NetworkView",
    "PatchInspector",
    "QuestionControls",
    "RegionCanvas",
    "RunBar",
    "SliceViewer",
]
