"""The pages in a real browser, against the server as it is run and a simulated terminal on a socket."""
