"""Reads and writes tables as CSV, XLSX, ODS and what else programs export, in a process of its own with limits.

services/imports reads by it, and the exports of lists write.
"""
