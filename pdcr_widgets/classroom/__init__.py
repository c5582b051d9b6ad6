"""A server for a class: the lessons on one page, a quick kernel per visitor, computed in turns."""
