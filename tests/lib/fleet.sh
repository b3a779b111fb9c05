# shellcheck shell=bash
# Starts three replicas of Doorcode on one PostgreSQL and one Redis, behind nginx (round robin), and a mailbox for their
# mail. All use free loopback ports and one temporary folder, which is removed when the calling script ends.
# Needs machine.sh, servers.sh, and the variables `folder`, `tests`, `postgres_url` and `redis_url`.

replicas=3
replica_pids=()
replica_ports=()
replica_ops=()
nginx_pid=
mailbox_pid=
# Results for the caller.
# shellcheck disable=SC2034
fleet_url=
fleet_data=
fleet_bin=
mail_url=
smtp_port=

# The mailbox exits when its standard input closes, so this script keeps a pipe to it open.
start_mailbox() {
  local ports=$folder/mailbox.ports pipe=$folder/mailbox.pipe http
  mkfifo "$pipe"
  exec 9<>"$pipe"
  setsid setpriv --pdeathsig TERM /usr/bin/python3 "$tests/lib/mailbox.py" <"$pipe" >"$ports" 2>"$folder/mailbox.log" &
  mailbox_pid=$!
  eventually 20 grep -q ' ' "$ports" || server_failed 'the mailbox' "$folder/mailbox.log"
  read -r smtp_port http <"$ports"
  mail_url=http://127.0.0.1:$http
}

# `configure_nginx PORT` writes the configuration that an operator would write.
#
# nginx retries a request on the next replica only if the connection to the first was refused: proxy_next_upstream is
# "error timeout" without "non_idempotent", and every operation is a POST. So no request is sent twice. If a replica
# fails during a request, the client gets 502 or 504, and knows that the outcome is unknown.
#
# Sets max_fails=0, because a restarting replica refuses connections only for a moment. By default nginx would not use
# this replica for ten seconds, and a rolling restart within that time would leave no replica.
configure_nginx() {
  local number
  {
    cat <<'CONF'
daemon off;
worker_processes 1;
pid nginx.pid;
error_log error.log warn;
events { worker_connections 4096; }
http {
  log_format outcome '$msec $status $upstream_status $upstream_addr $request_time';
  access_log access.log outcome;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  upstream doorcode {
CONF
    for ((number = 0; number < replicas; number++)); do
      echo "    server 127.0.0.1:${replica_ports[number]} max_fails=0;"
    done
    cat <<CONF
    keepalive 32;
  }
  server {
    listen 127.0.0.1:$1;
    client_max_body_size 64k;
    location / {
      proxy_pass http://doorcode;
      proxy_http_version 1.1;
      proxy_set_header Host \$http_host;
      proxy_set_header X-Forwarded-For \$remote_addr;
      proxy_set_header Forwarded "";
      proxy_set_header Upgrade \$http_upgrade;
      proxy_set_header Connection \$connection_upgrade;
      proxy_next_upstream error timeout;
      proxy_next_upstream_tries 3;
      proxy_connect_timeout 1s;
      proxy_read_timeout 30s;
      proxy_buffering off;
    }
  }
}
CONF
  } >"$folder/nginx/nginx.conf"
}

# Prints the current connections and open files of the replicas.
fleet_connections() {
  local pid files=()
  for pid in "${replica_pids[@]}"; do
    files+=("$(find "/proc/$pid/fd" -mindepth 1 2>/dev/null | wc -l)")
  done
  printf 'all replicas: %s connections to PostgreSQL, %s to Redis; open files per replica: %s\n' \
    "$("$(postgres_bin)/psql" "$postgres_url" -Atc "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name = 'doorcode'")" \
    "$(redis-cli -u "$redis_url" client list | grep -vc 'cmd=client')" "${files[*]}"
}

# `start_replica NUMBER [NAME=VALUE…]` starts a replica in an empty environment and folder. All replicas share one data
# folder, because it contains the secret. If a name is repeated, its last value is used.
start_replica() {
  local number=$1
  shift
  (
    cd "$folder/fleet" || exit
    exec setsid setpriv --pdeathsig TERM env -i PATH="$PATH" ${LLVM_PROFILE_FILE:+LLVM_PROFILE_FILE="$LLVM_PROFILE_FILE"} \
      DOORCODE_DATA="$fleet_data" DOORCODE_CLIENTS="$folder/fleet/clients.json" DOORCODE_PUBLIC_URL="$fleet_url" DATABASE_URL="$postgres_url" REDIS_URL="$redis_url" \
      SMTP_URL="smtp://127.0.0.1:$smtp_port" DOORCODE_TRUSTED_PROXIES=127.0.0.1/32,::1 \
      DOORCODE_LISTEN="127.0.0.1:${replica_ports[number]}" DOORCODE_OPS_LISTEN="127.0.0.1:${replica_ops[number]}" \
      "${fleet_settings[@]}" "$@" "$fleet_bin"
  ) >>"$folder/replica-$number.log" 2>&1 </dev/null &
  replica_pids[number]=$!
}

replica_is_ready() {
  is_running "${replica_pids[$1]}" && is_ready "${replica_ports[$1]}"
}

is_ready() {
  local line
  exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
  printf 'GET /ready HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3
  read -r -t 5 line <&3 || line=
  exec 3>&-
  [[ $line == *' 200 '* ]]
}

# `start_fleet PROGRAM [NAME=VALUE…]` starts the mailbox, the replicas, and nginx once all are ready.
start_fleet() {
  local number port front
  fleet_bin=$1
  shift
  fleet_settings=("$@")
  fleet_data=$folder/fleet/data
  mkdir "$folder/fleet" "$folder/nginx"
  echo '[{"id": "notes", "name": "Notes", "redirectUris": ["http://127.0.0.1/callback"]}]' >"$folder/fleet/clients.json"
  start_mailbox
  for ((number = 0; number < replicas; number++)); do
    free_port
    replica_ports[number]=$port
    free_port
    replica_ops[number]=$port
  done
  free_port
  front=$port
  fleet_url=http://localhost:$front
  for ((number = 0; number < replicas; number++)); do
    start_replica "$number"
    # The first replica creates the secret that the others read.
    eventually 30 replica_is_ready "$number" || server_failed "replica $number" "$folder/replica-$number.log"
  done
  configure_nginx "$front"
  # As root, the workers of nginx stay root, because other users cannot read this folder.
  setsid setpriv --pdeathsig TERM "$(nginx_program)" -p "$folder/nginx/" -c nginx.conf -g "user $(id -un);" \
    >"$folder/nginx/log" 2>&1 </dev/null &
  nginx_pid=$!
  eventually 10 is_ready "$front" || server_failed nginx "$folder/nginx/error.log"
}

stop_fleet() {
  [[ -z $nginx_pid ]] || stop TERM "$nginx_pid"
  nginx_pid=
  ((${#replica_pids[@]} == 0)) || stop TERM "${replica_pids[@]}"
  replica_pids=()
  [[ -z $mailbox_pid ]] || stop TERM "$mailbox_pid"
  mailbox_pid=
}
