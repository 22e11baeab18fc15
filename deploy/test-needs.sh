#!/bin/sh
# Installs what some tests need where that is possible (as root on Debian); elsewhere they skip with a reason.
set -eu
missing=
[ -x /usr/bin/chromium ] || missing="$missing chromium fonts-noto-color-emoji"
[ -x /usr/bin/chromium-headless-shell ] || missing="$missing chromium-headless-shell"
[ -x /usr/sbin/nginx ] || missing="$missing nginx"
command -v systemd-analyze >/dev/null || missing="$missing systemd"
# For promtool.
command -v promtool >/dev/null || missing="$missing prometheus"
[ -x /usr/sbin/slapd ] || missing="$missing slapd"
command -v rrsync >/dev/null || missing="$missing rsync"
# Not openssh-server: whoever tries the tests need not be reachable by SSH. CI installs it, too.
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    # The tests start a slapd of their own; Debian's is not set up.
    echo 'slapd slapd/no_configuration boolean true' | debconf-set-selections
    # shellcheck disable=SC2086 # several packages
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
    exit 0
fi
echo "Not installed:$missing. The tests that need them will be skipped (apt-get install$missing)." >&2
