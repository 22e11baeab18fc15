"""Brings many people to one terminal: to a new one, in place of another, or from a device that is replaced.

web/terminals begins its work.
"""
