"""The metrics for Prometheus: what the processes count, what is read from the database, and how both are served."""
