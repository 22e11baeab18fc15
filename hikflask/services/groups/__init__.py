"""Groups of terminals: departments and single employees belong to them, and so are desired on their terminals."""
