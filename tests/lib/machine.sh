# shellcheck shell=bash
# Small helpers that the scripts share, and the installation of missing Debian packages. Never changes installed
# packages.

say() {
  printf '[%4ds] %s\n' "$SECONDS" "$*" >&2
}

# Exits with 2, for a problem with the machine or the command line rather than the code.
refuse() {
  printf 'tests: %s\n' "$*" >&2
  exit 2
}

have() {
  command -v "$1" >/dev/null 2>&1
}

# Prints the folder of PostgreSQL's newest server programs. Debian does not put them on the PATH.
postgres_bin() {
  local newest
  newest=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)
  if [[ -x $newest ]]; then
    dirname "$newest"
  elif have initdb && have postgres; then
    dirname "$(command -v initdb)"
  else
    return 1
  fi
}

browser() {
  local candidate
  for candidate in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
    if [[ -n $candidate ]] && command -v "$candidate"; then
      return 0
    fi
  done
  return 1
}

# Prints the path of nginx. Debian does not put it on the PATH of ordinary users.
nginx_program() {
  command -v nginx || { [[ -x /usr/sbin/nginx ]] && echo /usr/sbin/nginx; }
}

# Prints the missing packages: `missing_packages servers` or `missing_packages everything`.
missing_packages() {
  postgres_bin >/dev/null || echo postgresql
  have redis-server || echo redis-server
  have redis-cli || echo redis-tools
  [[ $1 == everything ]] || return 0
  # The tests use Debian's interpreter, because apt installs modules for it.
  /usr/bin/python3 -c 'import aiosmtpd' 2>/dev/null || echo python3-aiosmtpd
  /usr/bin/python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
  have openssl || echo openssl
  browser >/dev/null || echo chromium
  have node || echo nodejs
  have npm || echo npm
  nginx_program >/dev/null || echo nginx-light
}

# Installs missing packages, or prints how to install them: `provide servers` or `provide everything`.
provide() {
  local -a missing
  mapfile -t missing < <(missing_packages "$1")
  ((${#missing[@]})) || return 0
  local install=(apt-get install -y --no-install-recommends "${missing[@]}")
  if ((EUID != 0)) || ! have apt-get; then
    refuse "missing: ${missing[*]}
As root:  apt-get update && ${install[*]}"
  fi
  say "installing ${missing[*]}"
  local log
  log=$(mktemp)
  # RUNLEVEL=1 prevents Debian from starting the installed servers.
  if ! { apt-get update && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive "${install[@]}"; } >"$log" 2>&1 </dev/null; then
    tail -n 30 "$log" >&2
    rm -f "$log"
    refuse "could not install ${missing[*]}"
  fi
  rm -f "$log"
  mapfile -t missing < <(missing_packages "$1")
  ((${#missing[@]} == 0)) || refuse "still missing after the installation: ${missing[*]}"
}

# Whether a process listens on this loopback port.
is_taken() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Sets `port` to a free port whose neighbour 10,000 above is free too, because a Redis Cluster uses that internally.
# Both are below the ephemeral range. Each call in one run returns a different port.
free_port() {
  while true; do
    port=$((10000 + RANDOM % 12000))
    [[ " ${ports_given:-} " == *" $port "* ]] && continue
    is_taken "$port" || is_taken $((port + 10000)) || break
  done
  ports_given="${ports_given:-} $port"
}

# Repeats a command until it succeeds: `eventually SECONDS COMMAND…`.
eventually() {
  local until=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < until)) || return 1
    sleep 0.1
  done
}

is_running() {
  kill -0 "$1" 2>/dev/null
}

# `stop SIGNAL PID…` stops the process groups of these leaders with the signal, and after ten seconds with KILL.
stop() {
  local signal=$1 pid
  shift
  for pid; do
    # A new process may not have created its group yet.
    kill -s "$signal" -- "-$pid" 2>/dev/null || kill -s "$signal" "$pid" 2>/dev/null || true
  done
  for pid; do
    eventually 10 eval "! is_running $pid" || kill -s KILL -- "-$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
}
