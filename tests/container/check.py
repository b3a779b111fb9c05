"""Checks for tests/container/run, on a root folder that contains only Doorcode. The script runs as root in separate
namespaces. The program has no network access and no privileges. The name of each function says what it checks."""

import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

root, image = Path(sys.argv[1]), Path(sys.argv[2])
MOST_BYTES = 40 * 1000 * 1000
NOBODY = 65532
URL = "http://127.0.0.1:4000"
checks = []


def check(function):
    checks.append(function)
    return function


def files():
    return {str(path.relative_to(root)): path for path in root.rglob("*") if not path.is_dir() or path.name == "data"}


sizes = {name: path.stat().st_size for name, path in files().items() if path.is_file()}


def prepare():
    """Prepares what a container engine provides: a read-only root, a data volume, name resolution, and /proc."""

    def mount(*arguments):
        subprocess.run(["mount", *arguments], check=True)

    mount("--make-rprivate", "/")
    for name in ("etc", "proc"):
        (root / name).mkdir(exist_ok=True)
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n127.0.0.1 from-hosts.test\n")
    (root / "etc/resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    mount("--rbind", str(root), str(root))
    mount("-t", "tmpfs", "-o", f"uid={NOBODY},gid={NOBODY},mode=0700,size=64m", "data", str(root / "data"))
    mount("-t", "proc", "proc", str(root / "proc"))
    mount("-o", "remount,bind,ro", str(root))
    # The loopback interface of a new network namespace is down.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP


def doorcode(*arguments, **settings):
    """The command that runs Doorcode in the container, and its environment with the given settings."""
    env = {"DOORCODE_MODE": "production", "DOORCODE_LISTEN": "0.0.0.0:4000", "DOORCODE_DATA": "/data", **settings}
    command = ["/usr/sbin/chroot", f"--userspec={NOBODY}:{NOBODY}", "--groups=", str(root), "/doorcode", *arguments]
    lock = ["/usr/bin/setpriv", "--no-new-privs", "--bounding-set=-all,+sys_chroot,+setuid,+setgid"]
    return [*lock, *command], {name: value for name, value in env.items() if value is not None}


def run(*arguments, **settings):
    command, env = doorcode(*arguments, **settings)
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)


def ask(query, variables=None, bearer=None):
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {bearer}"} if bearer else {})}
    body = json.dumps({"query": query, "variables": variables or {}}).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{URL}/graphql", body, headers), timeout=10) as answer:
        return json.load(answer)["data"]


DEVELOPMENT = {"DOORCODE_MODE": "development", "DOORCODE_EXPOSE_DEVELOPMENT": "true"}


@check
def the_image_contains_only_the_program_licences_and_an_empty_data_folder():
    allowed = {"doorcode", "data", "LICENSE-APACHE", "LICENSE-MIT"}
    assert "doorcode" in sizes and set(found_at_first) <= allowed, found_at_first
    print(f"    {sizes['doorcode']} bytes of program, {sum(sizes.values())} in all")
    assert sum(sizes.values()) < MOST_BYTES
    said = subprocess.run(["readelf", "-ld", root / "doorcode"], capture_output=True, text=True, check=False).stdout
    assert "INTERP" not in said and "NEEDED" not in said, "the program needs a shared library"


@check
def the_image_metadata_says_how_to_run_it():
    config = json.loads(image.read_text())["Docker"]["config"]
    assert config["User"] == f"{NOBODY}:{NOBODY}"
    assert config["Entrypoint"] == ["/doorcode"] and not config.get("Cmd"), config
    assert config["Healthcheck"]["Test"] == ["CMD", "/doorcode", "health"]
    assert config["StopSignal"] == "SIGTERM" and config["Volumes"] == {"/data": {}} and config["WorkingDir"] == "/data"
    assert config["ExposedPorts"] == {"4000/tcp": {}}
    assert "DOORCODE_MODE=production" in config["Env"] and "SECRET" not in str(config["Env"])
    assert config["Labels"]["org.opencontainers.image.licenses"] == "MIT OR Apache-2.0"
    found = data_at_first.st_uid, oct(data_at_first.st_mode)
    assert found == (NOBODY, "0o40700"), found
    assert os.stat(root / "doorcode").st_uid == 0, "the program must not be able to replace itself"


@check
def without_settings_the_program_names_the_missing_settings_and_exits():
    done = run()
    assert done.returncode == 1, done
    for name in ("DOORCODE_SECRET", "SMTP_URL", "DOORCODE_MAIL_FROM"):
        assert name in done.stderr, done.stderr
    assert run("health").returncode == 1, "no server is running"


@check
def the_program_resolves_names_from_hosts_and_dns_without_libraries():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dns, socket.create_server(("127.0.0.1", 0)) as database:
        dns.bind(("127.0.0.1", 53))
        threading.Thread(target=answer_names, args=(dns,), daemon=True).start()
        port = database.getsockname()[1]
        for name in ("from-hosts.test", "from-dns.test"):
            command, env = doorcode(
                "migrate", "status", **DEVELOPMENT, DATABASE_URL=f"postgres://someone@{name}:{port}/doorcode"
            )
            process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                database.settimeout(20)
                connection, _ = database.accept()
                connection.close()
            finally:
                process.kill()
                process.wait()


def answer_names(dns):
    """A DNS server that knows one name."""
    while True:
        try:
            asked, who = dns.recvfrom(512)
        except OSError:
            return
        known = b"\x08from-dns\x04test\x00" in asked.lower()
        question = asked[12 : asked.index(b"\0", 12) + 5]
        if known and question[-4:-2] == b"\0\1":
            answer = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1"
            dns.sendto(asked[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + question + answer, who)
        else:
            code = b"\x81\x80" if known else b"\x81\x83"
            dns.sendto(asked[:2] + code + b"\0\1\0\0\0\0\0\0" + question, who)


@check
def the_program_serves_a_sign_in_unprivileged_on_a_read_only_root_and_stops_on_sigterm():
    command, env = doorcode(**DEVELOPMENT)
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        for _ in range(200):
            if run("health").returncode == 0:
                break
            time.sleep(0.1)
            assert process.poll() is None, process.stdout.read()
        assert '"status":"ready"' in run("health").stdout.replace(" ", "")
        status = dict(
            line.split(":\t", 1) for line in (root / "proc" / str(process.pid) / "status").read_text().splitlines() if ":\t" in line
        )
        assert status["Uid"].split() == [str(NOBODY)] * 4 and status["CapEff"] == "0" * 16, status
        assert status["NoNewPrivs"] == "1"
        sent = ask('mutation { login(input: { email: "ada@example.com" }) { ... on CodeSent { challenge } } }')
        for _ in range(100):
            mails = ask('{ inbox(to: "ada@example.com", first: 1) { code } }')["inbox"]
            if mails:
                break
            time.sleep(0.1)
        verify = "mutation($c: String!, $d: String!) { verify(input: { challenge: $c, code: $d }) { ... on SignedIn { tokens { accessToken } } } }"
        done = ask(verify, {"c": sent["login"]["challenge"], "d": mails[0]["code"]})
        me = ask("{ me { email } }", bearer=done["verify"]["tokens"]["accessToken"])
        assert me["me"]["email"] == "ada@example.com"
        assert sorted(path.name for path in (root / "data").iterdir() if path.suffix == ".db") == ["doorcode.db"]
        resident = next(line for line in (root / "proc" / str(process.pid) / "status").read_text().splitlines() if "VmRSS" in line)
        print(f"    {' '.join(resident.split())} after a sign-in")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
    try:
        (root / "written").write_text("")
    except OSError:
        return
    raise AssertionError("the root is writable")


def main():
    prepare()
    passed = failed = 0
    # A binary without an image has no metadata to check.
    for function in [one for one in checks if image.exists() or one is not the_image_metadata_says_how_to_run_it]:
        name = function.__name__.replace("_", " ")
        try:
            function()
            passed += 1
            print(f"ok      {name}", flush=True)
        except Exception as error:  # Run the other checks in any case.
            failed += 1
            print(f"FAILED  {name}: {type(error).__name__}: {error}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


found_at_first, data_at_first = sorted(files()), os.stat(root / "data")
if __name__ == "__main__":
    sys.exit(main())
