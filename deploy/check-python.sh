#!/bin/sh
# Says in a sentence what is missing before a virtual environment can be made. Usage: deploy/check-python.sh PYTHON
set -eu
python=$1
if ! command -v "$python" >/dev/null; then
    echo "$python is not installed. On Debian: apt-get install python3-venv" >&2
elif ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "$("$python" --version) is too old: hikflask needs Python 3.11 or newer. If there is one: make run PYTHON=python3.13" >&2
elif ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "$python cannot make a virtual environment. On Debian: apt-get install python3-venv" >&2
else
    exit 0
fi
exit 1
