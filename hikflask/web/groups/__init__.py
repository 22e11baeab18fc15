"""Pages about groups of terminals."""
