"""What a person may ask for by law: consents, erasures with their certificates, and every trace that one must reach.

web/privacy and services/employees begin its work; the worker completes it.
"""
