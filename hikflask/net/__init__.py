"""HTTP to what is no terminal, and the addresses that may be asked, terminals among them."""
