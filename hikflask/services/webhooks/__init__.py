"""Webhooks: receivers of other programs, and the messages that are sent to them, at least once.

web/admin changes them; services/state writes messages, and the worker sends them.
"""
