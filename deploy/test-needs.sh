#!/bin/sh
# Installs what the browser tests need where that is possible (as root on Debian); elsewhere they skip with a reason.
set -eu
[ -x /usr/bin/chromium ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-color-emoji >/dev/null
    exit 0
fi
echo "Chromium is not installed: the browser tests will be skipped (apt-get install chromium)." >&2
