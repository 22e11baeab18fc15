#!/bin/sh
# Starts everything for a try on one machine: database, simulated terminal with a face that appears by itself, gunicorn.
# Usage: deploy/run.sh BIN (the virtual environment's bin folder); ports: HIKFLASK_PORT (8000), SIMULATOR_PORT (8081).
set -eu
bin=$1
port=${HIKFLASK_PORT:-8000}
simulator_port=${SIMULATOR_PORT:-8081}
export FLASK_APP=wsgi

# The simulator's password is another one each time, and stands in no file.
HIKFLASK_SIMULATOR_PASSWORD=${HIKFLASK_SIMULATOR_PASSWORD:-$("$bin/python" -c 'import secrets; print(secrets.token_urlsafe(12))')}
export HIKFLASK_SIMULATOR_PASSWORD
# Nobody backs up what is tried out.
export HIKFLASK_BACKUP_MAX_AGE=${HIKFLASK_BACKUP_MAX_AGE:-0}
# So is the operator's, which is printed.
password=$("$bin/python" -c 'import secrets; print(secrets.token_urlsafe(12))')

# HIKFLASK_PORT or SIMULATOR_PORT, and its number.
require_port() {
    "$bin/python" - "$@" <<'PYTHON'
import os, socket, sys
variable, port = sys.argv[1:]
try:
    socket.create_server(("127.0.0.1", int(port))).close()
except (OSError, OverflowError, ValueError) as error:
    reason = os.strerror(error.errno).lower() if isinstance(error, OSError) else "no port"
    sys.exit(f"Port {port} cannot be opened ({reason}): set {variable} to another one.")
PYTHON
}
require_port HIKFLASK_PORT "$port"
require_port SIMULATOR_PORT "$simulator_port"

"$bin/flask" db upgrade >/dev/null 2>&1 || "$bin/flask" db upgrade

"$bin/python" -m hikflask.simulator --port "$simulator_port" --auto-face "${AUTO_FACE:-4}" --events day &
simulator=$!
trap 'kill "$simulator" 2>/dev/null || true' EXIT
trap 'exit 0' INT TERM

tries=0
until "$bin/python" -c 'import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1)' "$simulator_port" 2>/dev/null; do
    tries=$((tries + 1))
    if [ "$tries" -gt 100 ] || ! kill -0 "$simulator" 2>/dev/null; then
        echo "The simulated terminal did not start." >&2
        exit 1
    fi
    sleep 0.2
done

printf '%s\n' "$HIKFLASK_SIMULATOR_PASSWORD" |
    "$bin/flask" terminal add --replace "Проходная (симулятор)" "http://127.0.0.1:$simulator_port" admin --password-stdin
printf '%s\n' "$password" | "$bin/flask" operator create admin --role admin --replace --password-stdin

echo
echo "  hikflask:            http://127.0.0.1:$port/"
echo "  sign in as:          admin"
echo "  password:            $password"
echo "  simulated terminal:  http://127.0.0.1:$simulator_port/"
echo "  Ctrl-C stops both."
echo
HIKFLASK_BIND="127.0.0.1:$port" "$bin/gunicorn" --config deploy/gunicorn.conf.py wsgi:app &
server=$!
trap 'kill "$server" "$simulator" 2>/dev/null || true; wait "$server" 2>/dev/null || true' EXIT
wait "$server"
