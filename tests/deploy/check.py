"""Checks for tests/deploy/run, on the unchanged files of the repository. The name of each function says what it checks.
The script stops every process that it starts, and needs no container engine."""

import base64
import contextlib
import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import kubernetes_validate
import yaml

root, program, folder = (Path(argument) for argument in sys.argv[1:4])
postgres_url, redis_url = sys.argv[4:6]
SECRETS = {"DOORCODE_SECRET": "hV2mJ0cQ7yXwN4tR9zLbK1sD6fGpA8eU", "POSTGRES_PASSWORD": "p0", "REDIS_PASSWORD": "r0"}
checks = []
running = []


def check(function):
    checks.append(function)
    return function


def run(*command, env=None, cwd=None, expect=0):
    """Runs a command in a clean environment, checks its exit code, and returns its output."""
    clean = {"PATH": os.environ["PATH"], "HOME": str(folder), **(env or {})}
    done = subprocess.run(command, env=clean, cwd=cwd or folder, capture_output=True, text=True, timeout=120, check=False)
    said = done.stdout + done.stderr
    assert expect is None or done.returncode == expect, f"{command[0]}: exit {done.returncode}\n{said[-3000:]}"
    return done.stdout if expect == 0 else said


def is_accepted(settings, **changes):
    """Checks that the program accepts these settings. `migrate up` checks the same settings as a start."""
    home = folder / "settings"
    home.mkdir(exist_ok=True)
    database = {"DATABASE_URL": f"sqlite://{home}/doorcode.db?mode=rwc"}
    run(program, "migrate", "up", env={**settings, **database, **changes}, cwd=home)


# compose.yaml


def compose(secrets=None):
    env = SECRETS if secrets is None else secrets
    # Runs in a separate folder, because docker-compose would read a .env file.
    place = folder / "compose"
    place.mkdir(exist_ok=True)
    (place / "compose.yaml").write_text((root / "compose.yaml").read_text())
    expect = 0 if secrets is None else None
    return run("docker-compose", "-f", "compose.yaml", "config", env=env, cwd=place, expect=expect)


def services():
    return yaml.safe_load(compose())["services"]


def replicas():
    return {name: one for name, one in services().items() if name.startswith("doorcode-")}


@check
def compose_is_valid_and_requires_its_secrets():
    assert len(services()) >= 8
    for missing in SECRETS:
        said = compose({name: value for name, value in SECRETS.items() if name != missing})
        assert "write it into .env" in said, said


@check
def every_container_is_read_only_without_capabilities_and_bound_to_loopback():
    for name, one in services().items():
        assert one["read_only"] is True, name
        assert one["cap_drop"] == ["ALL"] and "cap_add" not in one, name
        assert one["security_opt"] == ["no-new-privileges:true"] and not one.get("privileged"), name
        for port in one.get("ports", []):
            assert str(port).startswith("127.0.0.1:"), (name, port)
        assert one.get("network_mode") in (None, "none"), name


@check
def replicas_trust_only_their_proxy_and_match_the_upstreams_of_nginx():
    proxy = services()["nginx"]["networks"]["front"]["ipv4_address"]
    assert len(replicas()) == 2
    for one in replicas().values():
        assert one["environment"]["DOORCODE_TRUSTED_PROXIES"] == proxy
    asked = re.findall(r"^\s+server (\S+):4000", (root / "deploy/nginx.conf").read_text(), re.MULTILINE)
    assert sorted(asked) == sorted(replicas())


@check
def replicas_wait_for_the_schema_and_have_a_health_check_and_time_to_stop():
    for one in replicas().values():
        assert one["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
        assert one["healthcheck"]["test"] == ["CMD", "/doorcode", "health"]
        assert one["stop_grace_period"] == "45s"
    assert services()["migrate"]["command"] == ["migrate", "up"]


@check
def the_program_accepts_the_certificate_of_the_mail_catcher():
    place = folder / "certificates"
    place.mkdir()
    entrypoint, command = services()["certificates"]["entrypoint"], services()["certificates"]["command"]
    run(*entrypoint, *(part.replace("/certificates", str(place)) for part in command))
    shown = run("openssl", "x509", "-in", str(place / "mail.pem"), "-noout", "-ext", "basicConstraints,subjectAltName")
    # The program refuses a CA certificate as a server certificate, even if it is trusted.
    assert "CA:FALSE" in shown and "DNS:mail" in shown, shown
    mail = services()["doorcode-1"]["environment"]["SMTP_URL"]
    assert mail == "smtp://mail:1025?tls=required&ca=/certificates/mail.pem"


@check
def redis_never_evicts_and_persists_its_data():
    command = " ".join(services()["redis"]["command"])
    assert "--maxmemory-policy noeviction" in command and "--appendonly yes" in command and "--requirepass" in command


@check
def the_program_accepts_the_settings_of_compose():
    for one in replicas().values():
        is_accepted(one["environment"], DOORCODE_OPS_LISTEN="127.0.0.1:4001")


# deploy/kubernetes


def documents():
    for path in sorted((root / "deploy/kubernetes").iterdir()):
        for document in yaml.safe_load_all(path.read_text()):
            yield path.name, document


def of_kind(kind):
    return [document for _, document in documents() if document["kind"] == kind]


def pods():
    return [one["spec"]["template"] for kind in ("Deployment", "Job") for one in of_kind(kind)]


def is_refused(document):
    try:
        kubernetes_validate.validate(document, "1.37", strict=True)
    except kubernetes_validate.ValidationError:
        return True
    return False


@check
def every_manifest_matches_its_schema():
    seen = []
    for name, document in documents():
        assert not is_refused(document), name
        assert document["metadata"].get("namespace", "doorcode") == "doorcode", name
        seen.append(document["kind"])
    for kind in "Namespace ConfigMap Secret Job Deployment PodDisruptionBudget HorizontalPodAutoscaler NetworkPolicy".split():
        assert seen.count(kind) == 1, (kind, seen)
    broken = json.loads(json.dumps(of_kind("Deployment")[0]).replace("readOnlyRootFilesystem", "readonlyRootFilesystem"))
    assert is_refused(broken), "the schema check misses a misspelled field"


@check
def every_pod_meets_the_restricted_pod_security_standard():
    for pod in pods():
        spec = pod["spec"]
        assert spec["enableServiceLinks"] is False and spec["automountServiceAccountToken"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
        outer = spec["securityContext"]
        assert outer["runAsNonRoot"] is True and outer["runAsUser"] == 65532
        assert outer["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in spec["containers"]:
            inner = container["securityContext"]
            assert inner["allowPrivilegeEscalation"] is False and inner["readOnlyRootFilesystem"] is True
            assert inner["capabilities"] == {"drop": ["ALL"]} and "privileged" not in inner
            assert container["resources"]["limits"]["memory"] and container["resources"]["requests"]["cpu"]


@check
def a_pod_has_time_to_stop_without_a_shell():
    spec = of_kind("Deployment")[0]["spec"]["template"]["spec"]
    container = spec["containers"][0]
    before = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    # The program needs up to 25 seconds for requests, and five for each of three background loops.
    assert spec["terminationGracePeriodSeconds"] >= before + 25 + 15
    readiness = container["readinessProbe"]
    assert readiness["httpGet"]["path"] == "/ready" and container["livenessProbe"]["httpGet"]["path"] == "/health"


@check
def manifests_refer_to_each_other_correctly():
    server, job = of_kind("Deployment")[0], of_kind("Job")[0]
    labels = server["spec"]["template"]["metadata"]["labels"]
    migrating = job["spec"]["template"]["metadata"]["labels"]
    chosen = [server["spec"]["selector"]["matchLabels"], of_kind("PodDisruptionBudget")[0]["spec"]["selector"]["matchLabels"]]
    chosen += [service["spec"]["selector"] for service in of_kind("Service")]
    for selector in chosen:
        assert selector.items() <= labels.items() and not selector.items() <= migrating.items(), selector
    policy = of_kind("NetworkPolicy")[0]["spec"]["podSelector"]["matchLabels"]
    assert policy.items() <= labels.items() and policy.items() <= migrating.items(), "the policy misses the job"
    assert of_kind("HorizontalPodAutoscaler")[0]["spec"]["scaleTargetRef"]["name"] == server["metadata"]["name"]
    assert "replicas" not in server["spec"], "with replicas, each apply would undo the autoscaler"
    images = {pod["spec"]["containers"][0]["image"] for pod in pods()}
    assert len(images) == 1, images


@check
def the_program_accepts_the_settings_of_kubernetes():
    secret = of_kind("Secret")[0]["stringData"]
    assert set(secret.values()) == {""}, "the example must not contain a secret"
    filled = {
        "DOORCODE_SECRET": SECRETS["DOORCODE_SECRET"],
        "DATABASE_URL": "",
        "REDIS_URL": "rediss://:password@redis.example.com:6379",
        "SMTP_URL": "smtps://user:password@smtp.example.com",
    }
    assert filled.keys() == secret.keys()
    is_accepted({**of_kind("ConfigMap")[0]["data"], **filled})


# deploy/systemd


def unit(with_tls):
    """A copy of the unit with the path of the built program, and with tls.conf if requested."""
    text = (root / "deploy/systemd/doorcode.service").read_text().replace("/usr/local/bin/doorcode", "/bin/true")
    if with_tls:
        text = text.replace("[Install]", (root / "deploy/systemd/tls.conf").read_text() + "\n[Install]")
    place = folder / ("tls" if with_tls else "plain")
    place.mkdir(exist_ok=True)
    path = place / "doorcode.service"
    path.write_text(text)
    return path


@check
def systemd_accepts_every_line_of_the_units():
    for with_tls in (False, True):
        said = run("systemd-analyze", "verify", "--man=no", unit(with_tls), expect=None)
        mine = [line for line in said.splitlines() if "doorcode.service" in line]
        assert not mine, mine
    broken = unit(False)
    broken.write_text(broken.read_text().replace("ProtectSystem=strict", "ProtectSystems=strict"))
    assert "ProtectSystems" in run("systemd-analyze", "verify", "--man=no", broken, expect=None)


@check
def systemd_rates_the_exposure_of_the_service_as_low():
    for with_tls, most in ((False, 12), (True, 16)):
        path = unit(with_tls)
        said = run("systemd-analyze", "security", "--offline=yes", "--no-pager", f"--threshold={most}", path)
        print("   ", next(line for line in said.splitlines() if "Overall" in line).strip("→ "))


@check
def the_program_accepts_the_settings_of_the_units():
    for with_tls in (False, True):
        settings = {}
        for line in unit(with_tls).read_text().splitlines():
            if line.startswith("Environment="):
                settings.update(pair.split("=", 1) for pair in line.removeprefix("Environment=").split())
        settings["DOORCODE_DATA"] = str(folder / "settings")
        filled = {
            "DOORCODE_SECRET": SECRETS["DOORCODE_SECRET"],
            "SMTP_URL": "smtps://user:password@smtp.example.com",
            "DOORCODE_MAIL_FROM": "a@example.com",
        }
        is_accepted({"DOORCODE_PUBLIC_URL": "https://login.example.com", **settings, **filled})


# deploy/nginx.conf


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def start(name, *command, env=None):
    log = open(folder / f"{name}.log", "wb")
    clean = {"PATH": os.environ["PATH"], **(env or {})}
    process = subprocess.Popen(command, env=clean, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    running.append(process)
    return process


def end(process):
    process.send_signal(signal.SIGTERM)
    process.wait(60)
    running.remove(process)


def eventually(what, seconds=20):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if what():
                return
        time.sleep(0.1)
    raise AssertionError("timed out")


def get(port, path, headers=None, method="GET", body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path, body=body, headers=headers or {})
    answer = connection.getresponse()
    return answer.status, answer.read()


def ask(port, query, variables=None, headers=None):
    body = json.dumps({"query": query, "variables": variables or {}})
    status, answer = get(port, "/graphql", {"Content-Type": "application/json", **(headers or {})}, "POST", body)
    assert status == 200, (status, answer)
    return json.loads(answer)["data"]


class Front:
    """nginx with deploy/nginx.conf, in front of two replicas on one database and one Redis."""

    def __init__(self):
        self.port, self.tls_port = free_port(), free_port()
        self.replicas, self.used = [], set()
        for _ in range(2):
            listen, ops = free_port(), free_port()
            env = {
                "DATABASE_URL": postgres_url,
                "REDIS_URL": redis_url,
                "DOORCODE_SECRET": SECRETS["DOORCODE_SECRET"],
                "DOORCODE_LISTEN": f"127.0.0.1:{listen}",
                "DOORCODE_OPS_LISTEN": f"127.0.0.1:{ops}",
                "DOORCODE_PUBLIC_URL": f"http://localhost:{self.port}",
                "DOORCODE_TRUSTED_PROXIES": "127.0.0.1",
            }
            self.replicas.append((start(f"doorcode-{listen}", program, env=env), listen))
            eventually(lambda ops=ops: get(ops, "/ready")[0] == 200)
        self.nginx = self.start(self.text())

    def text(self):
        text = (root / "deploy/nginx.conf").read_text().replace("/tmp/", f"{folder}/nginx-")
        assert "\n    #tls listen 8443" in text
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", "tls.key", "-out", "tls.pem")
        for number, (_, listen) in enumerate(self.replicas, 1):
            text = text.replace(f"doorcode-{number}:4000", f"127.0.0.1:{listen}")
        text = text.replace("#tls ", "").replace("listen 8080", f"listen 127.0.0.1:{self.port}")
        text = text.replace("listen 8443", f"listen 127.0.0.1:{self.tls_port}")
        return text.replace("/etc/nginx/tls", f"{folder}/tls")

    def start(self, text):
        path = folder / "nginx.conf"
        path.write_text(text)
        (folder / "nginx-body").mkdir(exist_ok=True)
        run("nginx", "-t", "-c", str(path))
        process = start("nginx", "nginx", "-c", str(path), "-g", "daemon off;")
        eventually(lambda: get(self.port, "/")[0] == 200)
        return process

    def sign_in(self, email, headers=None):
        sent = ask(self.port, "mutation($e: String!) { login(input: { email: $e }) { ... on CodeSent { challenge } } }", {"e": email}, headers)
        codes = []

        def mailed():
            # Only the replica that sent the email has it in its inbox.
            for _, listen in self.replicas:
                mails = ask(listen, "query($e: String!) { inbox(to: $e, first: 1) { code } }", {"e": email})["inbox"]
                codes.extend(mail["code"] for mail in mails if mail["code"] not in self.used)
            return codes

        eventually(mailed)
        self.used.update(codes)
        query = "mutation($c: String!, $d: String!) { verify(input: { challenge: $c, code: $d }) { ... on SignedIn { tokens { accessToken } } } }"
        done = ask(self.port, query, {"c": sent["login"]["challenge"], "d": codes[0]}, headers)
        return {"Authorization": f"Bearer {done['verify']['tokens']['accessToken']}"}


front = None


def the_front():
    global front
    front = front or Front()
    return front


def address_of_session(port, bearer):
    sessions = ask(port, "{ me { sessions(first: 1) { nodes { ipAddress } } } }", headers=bearer)
    return sessions["me"]["sessions"]["nodes"][0]["ipAddress"]


@check
def users_sign_in_through_nginx_on_either_replica():
    bearer = the_front().sign_in("ada@example.com")
    for _ in range(8):
        assert ask(the_front().port, "{ me { email } }", headers=bearer)["me"]["email"] == "ada@example.com"
    for _, listen in the_front().replicas:
        assert ask(listen, "{ me { email } }", headers=bearer)["me"]["email"] == "ada@example.com"


@check
def clients_cannot_spoof_their_address():
    lies = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9", "X-Real-IP": "203.0.113.9"}
    bearer = the_front().sign_in("liar@example.com", lies)
    assert address_of_session(the_front().port, bearer) == "127.0.0.1"
    # Spoofing works without the two header lines of the file, so this check is effective.
    end(the_front().nginx)
    lines = the_front().text().splitlines()
    broken = "\n".join(line for line in lines if "X-Forwarded-For" not in line and "Forwarded" not in line)
    process = the_front().start(broken)
    bearer = the_front().sign_in("believed@example.com", lies)
    assert address_of_session(the_front().port, bearer) == "203.0.113.9"
    end(process)
    the_front().nginx = the_front().start(the_front().text())


@check
def nginx_stops_large_bodies_and_requests_to_operations_paths():
    status, page = get(the_front().port, "/graphql", {"Content-Type": "application/json"}, "POST", b"x" * 17_000)
    # Doorcode would refuse the body, too, but with a JSON response.
    assert status == 413 and b"nginx" in page, (status, page)
    for path in ("/health", "/ready"):
        assert get(the_front().port, path)[0] == 404


def wire(port, request):
    stream = socket.create_connection(("127.0.0.1", port), timeout=20)
    stream.sendall(request)
    return stream


@check
def a_websocket_works_through_nginx():
    bearer = the_front().sign_in("socket@example.com")
    key = base64.b64encode(os.urandom(16)).decode()
    head = f"GET /graphql HTTP/1.1\r\nHost: localhost:{the_front().port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    head += f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
    with wire(the_front().port, head.encode()) as stream:
        answer = stream.recv(4096)
        assert answer.startswith(b"HTTP/1.1 101 "), answer
        text = json.dumps({"type": "connection_init", "payload": {"authorization": bearer["Authorization"]}}).encode()
        # A text frame of 126 to 65,535 bytes, with a zero mask.
        stream.sendall(bytes([0x81, 0x80 | 126]) + len(text).to_bytes(2, "big") + bytes(4) + text)
        frame = answer.split(b"\r\n\r\n", 1)[1] or stream.recv(4096)
        assert b"connection_ack" in frame, frame


@check
def nginx_forwards_events_immediately():
    front = the_front()
    bearer = front.sign_in("events@example.com")
    other = front.sign_in("events@example.com")
    body = json.dumps({"query": "subscription { sessionEnded { __typename } }"}).encode()
    head = "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: text/event-stream\r\n"
    head += f"Authorization: {bearer['Authorization']}\r\nContent-Length: {len(body)}\r\n\r\n"
    with wire(front.port, head.encode() + body) as stream:
        got = stream.recv(4096)
        assert b"200 OK" in got and b"text/event-stream" in got, got
        ask(front.port, "mutation { logout { __typename } }", headers=other)
        stream.settimeout(5)
        while b"sessionEnded" not in got:
            part = stream.recv(4096)
            assert part, got
            got += part


@check
def the_tls_lines_of_nginx_conf_enable_tls_1_3():
    context = ssl.create_default_context(cafile=str(folder / "tls.pem"))
    context.check_hostname = False
    with socket.create_connection(("127.0.0.1", the_front().tls_port)) as plain, context.wrap_socket(plain) as stream:
        assert stream.version() == "TLSv1.3"
        stream.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert stream.recv(4096).startswith(b"HTTP/1.1 200 ")


@check
def a_stopping_replica_loses_no_request():
    front = the_front()
    bearer = front.sign_in("rolling@example.com")
    process, _ = front.replicas[0]
    process.send_signal(signal.SIGTERM)
    for _ in range(60):
        assert ask(front.port, "{ me { email } }", headers=bearer)["me"]["email"] == "rolling@example.com"
        time.sleep(0.01)
    assert process.wait(60) == 0
    running.remove(process)


def main():
    passed = failed = 0
    try:
        for function in checks:
            name = function.__name__.replace("_", " ")
            try:
                function()
                passed += 1
                print(f"ok      {name}", flush=True)
            except Exception as error:  # Run the other checks in any case.
                failed += 1
                print(f"FAILED  {name}: {type(error).__name__}: {error}", flush=True)
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(60)
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
