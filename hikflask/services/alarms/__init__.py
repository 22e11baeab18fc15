"""Alarms: what cannot wait until somebody looks, is mailed."""
