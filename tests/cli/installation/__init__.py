"""Tests of the commands for whoever runs an installation."""
