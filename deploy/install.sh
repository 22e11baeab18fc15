#!/bin/bash
# Installs hikflask on Debian, or upgrades what is installed:
#     sudo deploy/install.sh NAME [POSTGRESQL_URL [--password-stdin]]
#
# NAME is what people type into the browser, such as hikflask.example. Without a URL everything is stored in SQLite. The
# password that belongs to the URL is asked for, or read from standard input. An upgrade needs none of them. It may be
# stopped at any moment and run again: each version has a folder of its own, one link says which of them runs, and the
# tables change in one transaction, when the service starts.
set -euo pipefail
umask 022

source=$(cd "$(dirname "$0")/.." && pwd)
home=/opt/hikflask
data=/var/lib/hikflask
backups=/var/lib/hikflask-backups
settings=/etc/hikflask.env
certificate=/etc/ssl/certs/hikflask.pem
key=/etc/ssl/private/hikflask.key
site=/etc/nginx/sites-available/hikflask
ready_seconds=${READY_SECONDS:-120}

main() {
    check_arguments "$@"
    require_room "$home" 600
    require_room "$data" 64
    trap went_no_further EXIT
    note_what_runs
    say "Debian packages"
    install_packages
    say "Account and folders"
    make_account
    require_readable_settings
    say "Program"
    install_program
    say "Settings, certificate, nginx"
    write_settings "$name" "$(with_password "$url")"
    make_certificate "$name"
    install_site "$name"
    say "Service"
    old=
    # Where nothing is stored there is nothing to back up, and nothing to go back to.
    before=$(command_of "$new" database version)
    if [ -n "$before" ]; then
        back_up
    fi
    trap - EXIT
    switch_to "$new"
    if ! start_service; then
        back_to_old
    fi
    touch "$new/worked"
    systemctl reload-or-restart nginx
    remove_old_versions
    tell
}

say() { printf '\n== %s\n' "$1"; }

stop() {
    trap - EXIT
    discard_unused
    printf '%s\n' "$1" >&2
    exit 1
}

# A version that has not been switched to.
discard_unused() { [ "$(readlink "$home/current")" = "${new:-}" ] || rm -rf "${new:-}"; }

went_no_further() {
    [ $? = 0 ] && return
    discard_unused
    echo "Nothing was upgraded: put right what is said above, then run this again." >&2
}

# In megabytes. A version takes some 450, and a full disk would end in the middle.
require_room() {
    local place=$1 free
    while [ ! -d "$place" ]; do place=$(dirname "$place"); done
    free=$(($(df -Pk "$place" | awk 'END { print $4 }') / 1024))
    [ "$free" -ge "$2" ] ||
        stop "This needs $2 MB where $1 is, and $free MB are free. Nothing was changed: make room, then run this again."
}

require_readable_settings() {
    [ ! -f "$settings" ] || runuser -u hikflask -- test -r "$settings" ||
        stop "The account hikflask cannot read $settings: run \`chown root:hikflask $settings; chmod 640 $settings\`."
}

check_arguments() {
    [ "$(id -u)" = 0 ] || stop "Run this as root: sudo deploy/install.sh NAME [POSTGRESQL_URL]"
    [ -d /run/systemd/system ] || stop "systemd does not run here: deploy/Containerfile is for machines without it."
    local words=() from_stdin=
    for word in "$@"; do
        [ "$word" = --password-stdin ] && from_stdin=yes || words+=("$word")
    done
    name=${words[0]:-$(named | cut -d, -f1)}
    url=${words[1]:-}
    password=
    [ -n "$name" ] || stop "Name the pages: sudo deploy/install.sh NAME [POSTGRESQL_URL]"
    [[ $name =~ ^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$ ]] || stop "NAME must be a host name, such as hikflask.example."
    [[ -z $url || $url == postgresql://* ]] || stop "POSTGRESQL_URL must begin with postgresql://."
    [[ $url != *\'* ]] || stop "POSTGRESQL_URL must have no single quote: write it as %27."
    [[ ! $url =~ ^postgresql://[^:/@]*:[^@]*@|[?\&]password= ]] || stop "POSTGRESQL_URL must have no password, since\
 everybody on this machine can read it in the list of processes: leave it out. It is asked for, or read from standard\
 input with --password-stdin."
    if [ -f "$settings" ]; then
        has_name || stop "$settings does not name $name: add it to HIKFLASK_HOSTS there, and have it in the certificate."
        has_url || stop "$settings names another database: change it there, after \`hikflask database copy-to\`."
    elif [ -n "$url" ]; then
        read_password "$from_stdin"
    fi
}

read_password() {
    if [ -n "$1" ]; then
        IFS= read -r password || true
    elif [ -t 0 ]; then
        IFS= read -rsp "Password for the database (empty where it needs none): " password
        echo
    fi
    [[ -z $password || $url =~ ^postgresql://[^:/@]+@ ]] ||
        stop "POSTGRESQL_URL must name the account of the password: postgresql://hikflask@db.example/hikflask."
}

# The password goes from one program to the next without being an argument of any.
with_password() {
    local quote='import sys, urllib.parse; print(urllib.parse.quote(sys.stdin.buffer.read(), safe=""))'
    [ -z "$password" ] || set -- "${1/@/":$(printf %s "$password" | python3 -c "$quote")@"}"
    printf '%s\n' "$1"
}

# What the settings say, and whether that is what was asked for.
named() { sed -n "s/^HIKFLASK_HOSTS=//p" "$settings" 2>/dev/null | tr -d "'\" " || true; }
has_name() { [[ ,$(named), == *",$name,"* ]]; }
has_url() { [ -z "$url" ] || [ "$url" = "$(url_without_password)" ]; }
url_without_password() {
    sed -nE "/^HIKFLASK_DATABASE_URL=/{s///;s/'//g;s#^(postgresql://[^:/@]*):[^@]*@#\1@#;p}" "$settings" || true
}

uses_postgresql() { [ -n "$url" ] || grep -qs "^HIKFLASK_DATABASE_URL='\?postgresql://" "$settings"; }

install_packages() {
    local missing=()
    # Backups are made by PostgreSQL's own programs.
    ! uses_postgresql || command -v pg_dump >/dev/null || missing+=(postgresql-client)
    for package in python3-venv nginx openssl; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q "ok installed" || missing+=("$package")
    done
    [ ${#missing[@]} = 0 ] && return
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

make_account() {
    id hikflask >/dev/null 2>&1 ||
        useradd --system --user-group --home-dir "$data" --no-create-home --shell /usr/sbin/nologin hikflask
    install -d -m 0755 "$home" "$home/versions"
    install -d -m 0700 -o hikflask -g hikflask "$data" "$backups"
}

# A version that somebody went back to by hand is the one to go back to, too. Early versions of this script left no mark.
note_what_runs() {
    ran=$(readlink "$home/current" || true)
    if [ -n "$ran" ] && [ ! -e "$ran/worked" ] && command_of "$ran" ready >/dev/null 2>&1; then
        touch "$ran/worked"
    fi
}

# A folder without the mark was left by a run that was stopped.
install_program() {
    find "$home/versions" -mindepth 1 -maxdepth 1 -type d ! -path "${ran:-/}" ! -exec test -e '{}/complete' \; \
        -exec rm -rf '{}' +
    new=$home/versions/$(sed -n 's/^VERSION = "\(.*\)"$/\1/p' "$source/hikflask/version.py")-$(date +%Y%m%d%H%M%S)
    python3 -m venv "$new"
    local pip=("$new/bin/pip" install --quiet --disable-pip-version-check)
    # The very files that the tests had. Face detection is optional, and OpenCV has no package for every machine.
    local locked=("${pip[@]}" --require-hashes)
    "${locked[@]}" -r "$source/requirements-faces.txt" || "${locked[@]}" -r "$source/requirements-app.txt"
    # What makes a wheel of the program is not needed afterwards.
    "${locked[@]}" --target "$new/build" -r "$source/requirements-build.txt"
    PYTHONPATH=$new/build "${pip[@]}" --no-deps --no-build-isolation "$source"
    rm -r "$new/build"
    touch "$new/complete"
}

write_settings() {
    [ -f "$settings" ] && return
    local place=$settings settings=$settings.new
    install -m 0640 -o root -g hikflask /dev/null "$settings"
    sed "s/^HIKFLASK_HOSTS=.*/HIKFLASK_HOSTS=$1/" "$source/deploy/hikflask.env" >"$settings"
    if [ -n "$2" ]; then
        printf "HIKFLASK_DATABASE_URL='%s'\n" "$2" >>"$settings"
    fi
    local made=() stored
    for file in secret_key password_key; do [ -f "$data/$file" ] || made+=("$data/$file"); done
    # A mistyped address is not kept.
    stored=$(command_of "$new" database version) ||
        stop "Nothing runs yet: make the database ready, or run this again with its right address and password."
    if [ -n "$2" ] && [ -n "$stored" ]; then
        require_keys "${made[@]}"
    fi
    mv "$settings" "$place"
}

# Another machine has filled the database. Keys that were made here just now open nothing of it.
require_keys() {
    local cure="copy secret_key and password_key of the first machine to $data (mode 0600, owner hikflask), then run this\
 again. For an installation of its own, make an empty database."
    if [ $# != 0 ]; then
        rm -f "$@"
        stop "Nothing runs yet: something is stored in the database, and its keys are not here: $cure"
    fi
    command_of "$new" secrets check ||
        stop "Nothing runs yet: the database is encrypted with other keys than those in $data: $cure"
}

# Until a real one is put in its place: browsers warn of it.
make_certificate() {
    [ -f "$certificate" ] && return
    openssl req -x509 -newkey rsa:2048 -nodes -days 825 -subj "/CN=$1" -addext "subjectAltName=DNS:$1" \
        -keyout "$key.new" -out "$certificate.new" 2>/dev/null
    chmod 0600 "$key.new"
    mv "$key.new" "$key"
    mv "$certificate.new" "$certificate"
}

# What somebody changed stays as it is. What nginx refuses is seen in a copy of its settings, and never put into use.
install_site() {
    # As Debian's logrotate makes the next ones; nginx itself would let everybody read them.
    touch /var/log/nginx/hikflask{,_error}.log
    chown www-data:adm /var/log/nginx/hikflask{,_error}.log
    chmod 0640 /var/log/nginx/hikflask{,_error}.log
    site_to_put=$home/site.new
    sed "s/hikflask\.example/$1/g" "$source/deploy/nginx.conf" >"$home/site.new"
    [ -e /proc/net/if_inet6 ] || sed -i '/^ *listen \[::\]/d' "$home/site.new"
    if [ -f "$site" ] && ! cmp -s "$site" "$home/site"; then
        site_to_put=$site
        cmp -s "$home/site.new" "$home/site" ||
            echo "$site was changed by hand and stays: compare it with $home/site.new."
    fi
    until nginx_takes_site; do
        leave_default_server_out ||
            stop "nginx refuses its settings with the site of these pages, so they stay as they were: $reason"
    done
    put_site /etc/nginx
    [ "$site_to_put" = "$site" ] || mv "$home/site.new" "$home/site"
}

nginx_takes_site() {
    local copy=$home/nginx taken=yes
    rm -rf "$copy"
    cp -a /etc/nginx "$copy"
    put_site "$copy"
    sed -i "s,/etc/nginx,$copy,g" "$copy/nginx.conf" "$copy/sites-available/hikflask"
    reason=$(nginx -t -q -c "$copy/nginx.conf" 2>&1) || taken=
    rm -rf "$copy"
    reason=$(sed -n -E "s,$copy,/etc/nginx,; s/^.*\[emerg\] ([0-9]+#[0-9]+: )?//p" <<<"$reason")
    [ -n "$taken" ]
}

# Another site answers there to whoever asks for a name that nobody has.
leave_default_server_out() {
    [ "$site_to_put" != "$site" ] && [[ $reason =~ ^"a duplicate default server for "([^ ]+) ]] || return 1
    local address=${BASH_REMATCH[1]#0.0.0.0:}
    local line="^( *listen ${address/\[/\\[}( [^;]*)?) default_server"
    grep -qE "$line" "$site_to_put" || return 1
    sed -i -E "s/$line/\1/" "$site_to_put"
    echo "Another site of nginx is the default at ${BASH_REMATCH[1]}: it answers to other names than $name."
}

put_site() {
    install -m 0644 "$source"/deploy/hikflask_{proxy.conf,away.html,bad_request.html,too_large.html} "$1"
    cmp -s "$site_to_put" "$1/sites-available/hikflask" ||
        install -m 0644 "$site_to_put" "$1/sites-available/hikflask"
    ln -sfn "$1/sites-available/hikflask" "$1/sites-enabled/hikflask"
    # Debian's own page has the same ports; what somebody made of it is a site like any other.
    local shipped=/etc/nginx/sites-available/default
    if [ "$(readlink "$1/sites-enabled/default")" = $shipped ] &&
        dpkg-query -W -f '${Conffiles}' nginx-common | grep -qF "$shipped $(md5sum <$shipped | cut -d' ' -f1)"; then
        rm "$1/sites-enabled/default"
    fi
}

# By the version that can be gone back to. One whose Python is gone, as after an upgrade of Debian, is none.
back_up() {
    old=$ran
    [ ! -e "$old/failed" ] || old=
    if [ -n "$old" ] && ! "$old/bin/hikflask" --version >/dev/null 2>&1; then
        printf '%s does not run any more, perhaps since Debian replaced Python: ' "$(basename "$old")"
        echo "the new version makes the backup."
        old=
    fi
    # An old version may know no default for the number. With status 3 the backup is made, and what it says of photos
    # whose files are missing is true before the upgrade and after it.
    command_of "${old:-$new}" backup --into "$backups" || [ $? = 3 ]
}

# Runs a command of one version as the service does.
command_of() {
    # shellcheck disable=SC2016 # it is the inner shell that expands
    runuser -u hikflask -- sh -c '
        set -a
        HIKFLASK_INSTANCE_PATH=/var/lib/hikflask HIKFLASK_BIND=unix:/run/hikflask/gunicorn.sock
        . "$1"
        shift
        exec "$0/bin/hikflask" "$@"' "$1" "$settings" "${@:2}"
}

switch_to() {
    ln -sfn "$1" "$home/next"
    mv -T "$home/next" "$home/current"
    local shipped
    shipped=$(echo "$1"/lib/python3*/site-packages/hikflask/deploy)
    install -m 0644 "$shipped"/hikflask*.service "$shipped"/hikflask*.timer /etc/systemd/system/
    install -m 0755 "$shipped/hikflask-command" /usr/local/bin/hikflask
    systemctl daemon-reload
}

start_service() {
    systemctl enable --quiet hikflask hikflask-worker
    systemctl enable --quiet --now hikflask-backup.timer
    systemctl restart hikflask && systemctl restart hikflask-worker &&
        command_of "$home/current" ready --wait "$ready_seconds"
}

# The new version takes its tables back by itself, so nothing that was stored meanwhile is lost.
back_to_old() {
    [ -n "$before" ] || stop "The service did not start: \`journalctl -u hikflask\` says why. Then run this again."
    touch "$new/failed"
    echo "The new version does not work here: going back to $(basename "${old:-the tables of before}")." >&2
    systemctl stop hikflask hikflask-worker
    command_of "$new" db downgrade "$before" || echo "The tables stay as they are." >&2
    [ -n "$old" ] || stop "No version runs here now, and nothing that was stored is lost. \`journalctl -u hikflask\` says\
 what went wrong. Then run this again, or the same command of the version of before."
    switch_to "$old"
    start_service ||
        stop "The old version is not ready, either: \`hikflask doctor\` says why. Nothing that was stored is lost. Restore the\
 backup of before the upgrade (docs/en/backup.md) only where the database itself is damaged."
    rm -rf "$new"
    stop "Nothing was upgraded; the old version runs. \`journalctl -u hikflask\` says what went wrong."
}

# The version that ran stays, to go back to by hand, where it worked; else the last that worked; else one of before the
# marks. What was never ready does not stay.
remove_old_versions() {
    local kept=$ran
    if [ ! -e "$kept/worked" ] || [ "$kept" = "$new" ]; then
        kept=$(last_with_mark worked)
    fi
    kept=${kept:-$(last_with_mark complete)}
    find "$home/versions" -mindepth 1 -maxdepth 1 -type d ! -path "$new" ! -path "${kept:-$new}" -exec rm -rf '{}' +
}

# Of the versions beside the new one that were not found wanting.
last_with_mark() {
    find "$home/versions" -mindepth 2 -maxdepth 2 -name "$1" ! -path "$new/*" ! -execdir test -e failed \; \
        -printf '%T@ %h\n' | sort -n | sed -n '$s/^[^ ]* //p'
}

tell() {
    say "hikflask $("$home/current/bin/hikflask" --version | cut -d' ' -f2) runs at https://$name/"
    command_of "$home/current" operator first-code
    echo "\`hikflask doctor\` says what is wrong with this installation, if anything is."
}

main "$@"
