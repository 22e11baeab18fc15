"""The settings that an administrator decides: kept in the database, in force in every process."""
