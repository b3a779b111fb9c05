# shellcheck shell=bash
# Starts PostgreSQL, a Redis server and a Redis Cluster of three nodes for one run. All use free loopback ports and one
# temporary folder, which is removed when the calling script ends. Never affects other servers. Needs machine.sh and the
# variable `folder`.

servers=()
postgres_pid=
# Additional options for PostgreSQL from the caller.
postgres_options=()
# Results for the caller.
postgres_url=
redis_url=
redis_cluster_url=

# Starts a server in a new process group, so that Ctrl-C does not stop it before this script does. If this script runs
# as root, the server runs as `nobody`, because PostgreSQL refuses to run as root. If this script is killed, the kernel
# stops the server.
start_server() {
  local log=$1 as=()
  shift
  if ((EUID == 0)); then
    as=(--reuid=nobody --regid="$(id -g nobody)" --clear-groups)
  fi
  (cd "$folder/servers" && exec setsid setpriv "${as[@]}" --pdeathsig TERM "$@") >"$log" 2>&1 </dev/null &
  started=$!
}

# Runs a command with the user account of the servers.
as_server() {
  if ((EUID == 0)); then
    setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups "$@"
  else
    "$@"
  fi
}

server_failed() {
  printf 'tests: %s does not start. Its output:\n' "$1" >&2
  tail -n 20 "$2" >&2
  exit 2
}

start_postgres() {
  local bin log=$folder/postgres.log data=$folder/servers/postgres password=$folder/servers/password port
  bin=$(postgres_bin)
  # Sets a password: a PostgreSQL superuser can run programs, and the machine may have other users.
  od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$password"
  ((EUID != 0)) || chown nobody "$password"
  as_server "$bin/initdb" --pgdata="$data" --username=doorcode --pwfile="$password" --auth=password --encoding=UTF8 \
    --locale=C --no-sync >"$log" 2>&1 </dev/null || server_failed PostgreSQL "$log"
  free_port
  # The data is deleted after the run, so nothing is flushed to disk. Never use this in production: Doorcode needs
  # PostgreSQL's default durability. Crash tests must not use this server.
  start_server "$log" "$bin/postgres" -D "$data" -p "$port" -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories= -c max_connections=400 -c fsync=off -c synchronous_commit=off -c full_page_writes=off \
    "${postgres_options[@]}"
  postgres_pid=$started
  postgres_url=postgres://doorcode:$(cat "$password")@127.0.0.1:$port/postgres
  # pg_isready alone is not enough: the process must still be running.
  eventually 30 "$bin/pg_isready" -q -h 127.0.0.1 -p "$port" && is_running "$postgres_pid" ||
    server_failed PostgreSQL "$log"
}

start_redis_server() {
  local data log
  free_port
  log=$folder/redis-$port.log
  data=$folder/servers/redis-$port
  as_server mkdir "$data"
  start_server "$log" redis-server --port "$port" --bind 127.0.0.1 --dir "$data" --save '' --appendonly no "$@"
  servers+=("$started")
  eventually 10 redis-cli -h 127.0.0.1 -p "$port" ping && is_running "$started" || server_failed Redis "$log"
}

cluster_is_whole() {
  local node info
  for node; do
    info=$(redis-cli -h 127.0.0.1 -p "${node#*:}" cluster info) || return 1
    [[ $info == *cluster_state:ok* && $info == *cluster_known_nodes:3* ]] || return 1
  done
}

start_redis() {
  local port nodes=() number log=$folder/cluster.log
  start_redis_server
  redis_url=redis://127.0.0.1:$port
  for number in 1 2 3; do
    start_redis_server --cluster-enabled yes --cluster-config-file "nodes-$number.conf" --cluster-node-timeout 5000
    nodes+=("127.0.0.1:$port")
  done
  # This command waits forever if a node dies, so set a timeout. Run it as a job, because bash handles signals in
  # `wait`.
  timeout 60 redis-cli --cluster create "${nodes[@]}" --cluster-replicas 0 --cluster-yes >"$log" 2>&1 </dev/null &
  wait $! || server_failed 'the Redis Cluster' "$log"
  eventually 30 cluster_is_whole "${nodes[@]}" || server_failed 'the Redis Cluster' "$log"
  redis_cluster_url=redis+cluster://$(
    IFS=,
    echo "${nodes[*]}"
  )
}

start_servers() {
  mkdir "$folder/servers"
  if ((EUID == 0)); then
    # The user account of the servers may only enter its folder.
    chmod 711 "$folder"
    chown nobody "$folder/servers"
  fi
  start_postgres
  start_redis
}

stop_servers() {
  # QUIT stops PostgreSQL immediately, without a checkpoint, because the data is not needed.
  [[ -z $postgres_pid ]] || stop QUIT "$postgres_pid"
  postgres_pid=
  ((${#servers[@]} == 0)) || stop TERM "${servers[@]}"
  servers=()
}
