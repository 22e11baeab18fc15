"""The states of captures, enrolments and messages to webhooks, and the only code that writes them.

It begins nothing; the rooms that own them call it.
"""
