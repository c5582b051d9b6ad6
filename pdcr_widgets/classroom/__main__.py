"""Serve the lessons: ``python -m pdcr_widgets.classroom notebooks``."""

from pdcr_widgets.classroom.app import Classroom

if __name__ == "__main__":
    Classroom.launch_instance()
