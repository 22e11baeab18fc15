"""The commands for whoever runs an installation: serve, work, move, look after keys, say what is wrong."""
