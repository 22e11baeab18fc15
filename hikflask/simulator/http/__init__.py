"""What every request goes through: login, log and faults, reading bodies, writing responses."""
