"""Who may use the program: operators, passwords, second factors, sessions, tokens, and how often somebody may try.

web/account, web/security and http/permissions.py begin its work.
"""
