"""Tests of what the calls share."""
