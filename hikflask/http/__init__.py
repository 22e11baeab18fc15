"""What pages and API share about a request: who may call, how large it may be, how many may wait on terminals."""
