"""What guards every request: who signed in, same origin, CSRF, headers, and the password that is asked for again."""
