"""What changes of many people have in common, whatever proposes them: a table, a terminal's list, a selection."""
