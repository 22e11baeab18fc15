"""The words of pages, one module for each subject; templates see them as `labels.jobs` and so on."""

from hikflask.labels import actors, dates, enrolments, jobs, refusals, terminals

__all__ = ["actors", "dates", "enrolments", "jobs", "refusals", "terminals"]
