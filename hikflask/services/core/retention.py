"""What all passes of retention share."""

DAY = 86400.0
# A pass shares its thread with the sweep; what is left over is done by the next one.
MOST_AT_ONCE = 200
