"""The photos of an import: the archive, whose they are, and how they are checked."""
