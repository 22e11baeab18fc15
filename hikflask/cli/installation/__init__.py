"""The commands of administration: serve, work, move, back up, change keys, say what is wrong."""
