"""What changes of many people have in common, whatever proposes them: a table, a terminal's list, a selection.

services/imports and services/comparisons propose them, and services/jobs does them.
"""
