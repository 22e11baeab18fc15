"""Pages of imports: upload, columns, dry run, corrections, photos, report and undo."""
