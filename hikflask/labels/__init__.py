"""The words of pages, one module for each subject; templates see them as `labels.jobs` and so on."""

from hikflask.labels import actors, comparisons, dates, enrolments, imports, jobs, refusals, terminals, webhooks

__all__ = ["actors", "comparisons", "dates", "enrolments", "imports", "jobs", "refusals", "terminals", "webhooks"]
