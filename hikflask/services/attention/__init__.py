"""Attention: what a person must do about employees and terminals, counted and listed when a page is opened.

web/attention begins its work.
"""
