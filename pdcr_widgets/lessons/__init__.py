"""Parts of guided lessons: questions with feedback, and live experiments for a class."""

from __future__ import annotations

from pdcr_widgets.lessons.baseline_lab import BaselineLab
from pdcr_widgets.lessons.deletion_game import DeletionGame
from pdcr_widgets.lessons.lesson import LESSONS, Lesson
from pdcr_widgets.lessons.patch_probe import PatchProbe
from pdcr_widgets.lessons.patch_stage import PatchStage
from pdcr_widgets.lessons.question import Question
from pdcr_widgets.lessons.skip_switches import SkipSwitches
from pdcr_widgets.lessons.two_networks import TwoNetworks

__all__ = [
    "LESSONS",
    "BaselineLab",
    "DeletionGame",
    "Lesson",
    "PatchProbe",
    "PatchStage",
    "Question",
    "SkipSwitches",
    "TwoNetworks",
]
