"""Pages of passages: the list, presence, days, why a door stayed shut; and the address that terminals push to."""
