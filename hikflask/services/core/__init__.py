"""What all services share: transactions and the order of locks, errors with codes, days, pages of lists.

It begins nothing; every room uses it.
"""
