"""The words of pages, one module for each subject; templates see them as `labels.jobs` and so on."""
