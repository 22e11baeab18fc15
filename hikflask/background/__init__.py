"""The worker: the queue, its tasks, and the sweep that begins what is due."""
