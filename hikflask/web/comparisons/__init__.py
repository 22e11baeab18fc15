"""Pages of the comparison of a terminal: what differs, what is chosen, the plan, its job and its undo."""
