"""Measurements for tests/costs. Sends expensive requests to one release process. Reads the cost of each request from
the kernel: CPU time of all threads, and increase of resident memory."""

import http.client
import json
import os
import random
import re
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

target, folder, mode, *rest = sys.argv[1:] + (["table"] if len(sys.argv) == 3 else [])
root = Path(__file__).resolve().parents[2]
BINARY = Path(target) / "release/doorcode"
BODY = 16 * 1024
LIMITS = {"nobody": (50, 32), "user": (50, 32), "manager": (100, 64)}
# Age in seconds at which an access token is refreshed. Access tokens are valid for 15 minutes.
TOKEN_LIFE = 600
# Number of requests that are completed at the same time, and the maximum memory per connection in KiB.
CROWD = 500
OF_CONNECTION = 64


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A server process with users, and with rate limits too high to be reached."""

    def __init__(self):
        port = free_port()
        self.environment = {
            "PATH": os.environ["PATH"],
            "DOORCODE_DATA": folder,
            "DOORCODE_LISTEN": f"127.0.0.1:{port}",
            "DOORCODE_OPS_LISTEN": f"127.0.0.1:{free_port()}",
            "DOORCODE_PUBLIC_URL": f"http://localhost:{port}",
            "DOORCODE_LIMIT_API_CALLER": "100000000/1m",
            **{f"DOORCODE_LIMIT_{name}": "100000/1d" for name in ("SEND_PAIR", "SEND_ADDRESS", "SEND_ADDRESS_DAY", "SEND_NETWORK")},
            "DOORCODE_LOG": "error",
        }
        self.run("seed", "--users", "300")
        self.process = subprocess.Popen([BINARY], env=self.environment, cwd=folder, stdout=subprocess.DEVNULL)
        self.port = port
        self.connection = None
        for _ in range(200):
            try:
                self.send({"query": "{ __typename }"})
                break
            except OSError:
                time.sleep(0.05)
        self.tokens = {"nobody": (None, None)}
        for role in ("user", "manager"):
            self.run("user", "create", f"{role}@example.com", "--role", role)
            self.tokens[role] = self.sign_in(f"{role}@example.com"), time.monotonic()
        # Warms up, so that one-time allocations are not measured.
        for who in self.tokens:
            for _ in range(20):
                self.send({"query": "{ me { id sessions { nodes { id } } } __schema { types { name } } }"}, who)

    def run(self, *command):
        subprocess.run([BINARY, *command], env=self.environment, cwd=folder, check=True, stdout=subprocess.DEVNULL)

    def ask(self, query, **variables):
        _, text = self.send({"query": query, "variables": variables})
        return json.loads(text)["data"]

    def sign_in(self, email):
        newest = lambda: self.ask("query($to: String) { inbox(to: $to, first: 1) { id code } }", to=email)["inbox"]
        before = newest()
        login = "mutation($i: LoginInput!) { login(input: $i) { ... on CodeSent { challenge } } }"
        challenge = self.ask(login, i={"email": email})["login"]["challenge"]
        for _ in range(200):
            mails = newest()
            if mails != before:
                break
            time.sleep(0.05)
        verify = "mutation($i: VerifyInput!) { verify(input: $i) { ... on SignedIn { tokens { accessToken refreshToken } } } }"
        signed_in = self.ask(verify, i={"challenge": challenge, "code": mails[0]["code"]})
        return signed_in["verify"]["tokens"]

    def renew(self, who):
        """Refreshes the tokens of a role before they expire, outside of measurements."""
        tokens, since = self.tokens[who]
        if tokens and time.monotonic() - since > TOKEN_LIFE:
            refresh = "mutation($i: RefreshInput!) { refresh(input: $i) { ... on Refreshed { tokens { accessToken refreshToken } } } }"
            tokens = self.ask(refresh, i={"refreshToken": tokens["refreshToken"]})["refresh"]["tokens"]
            self.tokens[who] = tokens, time.monotonic()

    def send(self, call, who="nobody"):
        """Sends a request. Returns the status and the text of the response."""
        body = encoded(call)
        headers = {"content-type": "application/json"}
        if who != "nobody":
            headers["authorization"] = f"Bearer {self.tokens[who][0]['accessToken']}"
        for again in (True, False):
            try:
                self.connection = self.connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
                self.connection.request("POST", "/graphql", body, headers)
                answer = self.connection.getresponse()
                return answer.status, answer.read().decode()
            except (http.client.HTTPException, ConnectionError):
                self.connection = None
                if not again:
                    raise

    def cpu(self):
        """CPU time of all threads in milliseconds."""
        total = 0
        for thread in Path(f"/proc/{self.process.pid}/task").iterdir():
            try:
                total += int((thread / "schedstat").read_text().split()[0])
            except OSError:
                pass
        return total / 1e6

    def memory(self, name):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{name}:\s+(\d+)", status, re.M)[1]) / 1024

    def cost(self, call, who):
        """Sends a request. Returns status, response size, CPU milliseconds, and increase of resident memory in MiB."""
        self.renew(who)
        for again in (True, False):
            Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
            memory, cpu = self.memory("VmRSS"), self.cpu()
            status, text = self.send(call, who)
            if status != 401 or who == "nobody":
                return status, len(text), self.cpu() - cpu, max(0.0, self.memory("VmHWM") - memory)
            # A mutated request may have ended the session.
            if again:
                self.tokens[who] = self.sign_in(f"{who}@example.com"), time.monotonic()
        sys.exit(f"a signed-in {who} gets 401, so the request cannot be measured: {call}")

    def least(self, call, who, times):
        """The lowest CPU time of several runs, because other processes only increase it, and the highest memory."""
        runs = [self.cost(call, who) for _ in range(times)]
        return runs[0][0], runs[0][1], min(run[2] for run in runs), max(run[3] for run in runs)


def repeat(count, part):
    return "".join(part(number) for number in range(count))


def known():
    """Requests that made an earlier version fail, and similar requests. Each: sender, name, request."""
    spreads = "fragment f on User { sessions(after: [" + "$x " * 400 + "]) { totalCount } }"
    yield "nobody", "16 operations x 60 spreads x 400 variables", {
        "query": repeat(16, lambda n: f"query Q{n}($x: String) {{ me {{ {'...f ' * 60} }} }} ") + spreads,
        "operationName": "Q0", "variables": {"x": "x" * 6000}}
    yield "user", "460 spreads x 400 variables", {
        "query": f"query($x: [String!]) {{ me {{ {'...f ' * 460} }} }} {spreads}", "variables": {"x": ["x" * 5000]}}
    yield "user", "240 spreads of one text of 8 kB", {
        "query": f"query($x: String) {{ me {{ {'...f ' * 240} }} }} fragment f on User {{ sessions(after: $x) {{ totalCount }} }}",
        "variables": {"x": "x" * 8000}}
    yield "user", "90 aliases with one text of 8 kB", {
        "query": f"query($x: String) {{ me {{ {repeat(90, lambda n: f'a{n}: sessions(after: $x) {{ totalCount }} ')} }} }}",
        "variables": {"x": "x" * 8000}}
    yield "manager", "roles from a list of 600", {
        "query": f"query($r: [Role!]) {{ {repeat(20, lambda n: f'a{n}: users(filter: {{ roles: $r }}) {{ totalCount }} ')} }}",
        "variables": {"r": ["USER"] * 1000}}
    yield "nobody", "1,500 literals", {"query": f"{{ users(first: [{'1 ' * 1500}]) {{ totalCount }} }}"}
    yield "nobody", "a text of 14,000 odd characters", {"query": '{ user(id: "' + "\u0301" * 7000 + '") { id } }'}
    yield "nobody", "@skip with 975 variables", {
        "query": f"query($x: Boolean) {{ me {{ id @skip(if: [{'$x ' * 975}]) }} }}",
        "variables": {"x": [{"a": "x" * 100}] * 100}}
    yield "user", "conflicts x arguments x inline fragments", {
        "query": f"{{ me {{ {repeat(100, lambda n: f'a: sessions(first: {n}) {{ ... {{ ... {{ a: totalCount }} }} }} ')} }} }}"}
    yield "nobody", "900 conflicts", {"query": f"{{ me {{ {repeat(900, lambda n: 'a: id ' if n % 2 else 'a: email ')} }} }}"}
    yield "nobody", "900 unknown fields of 10 letters", {"query": f"{{ me {{ {repeat(900, lambda n: f'unknown{n:03} ')} }} }}"}
    yield "nobody", "conflicts in 200 fragments", {
        "query": "{ me { " + repeat(200, lambda n: f"...f{n} ") + "} } "
        + repeat(200, lambda n: f"fragment f{n} on User {{ a: {'id' if n % 2 else 'email'} }} ")}
    yield "nobody", "fragments that select from each other", {
        "query": "{ me { ...f0 } } " + repeat(60, lambda n: f"fragment f{n} on User {{ sessions {{ nodes {{ user {{ ...f{n + 1} "
                 f"...f{n + 2} }} }} }} sessions {{ nodes {{ user {{ ...f{n + 1} }} }} }} }} ")
        + "fragment f60 on User { id } fragment f61 on User { id }"}
    nested = "name " + repeat(40, lambda n: f"a{n}: name ")
    yield "nobody", "introspection six lists deep", {
        "query": "{ __schema { types { fields { type { fields { type { fields { type { fields { " + nested + " } } } } } } } } } }"}
    yield "nobody", "introspection of one type, aliased", {
        "query": '{ __type(name: "User") { ' + repeat(60, lambda n: f"a{n}: fields {{ name description args {{ name type {{ name }} }} }} ") + "} }"}
    yield "nobody", "introspection by tools", {"query": (root / "src/graphql/document/introspection.graphql").read_text()}
    yield "user", "exportData x 900 aliases", {
        "query": f"mutation {{ exportData {{ ... on DataExported {{ {repeat(900, lambda n: f'a{n}: data ')} }} }} }}"}
    yield "user", "exportData", {"query": "mutation { exportData { ... on DataExported { data } } }"}
    yield "manager", "100 events x 240 fields of a person", {
        "query": f"{{ auditEvents(first: 100) {{ nodes {{ actor {{ {repeat(240, lambda n: f'a{n}: id ')} }} }} }} }}"}
    yield "manager", "100 people x 100 lists", {
        "query": f"{{ users(first: 100) {{ nodes {{ {repeat(100, lambda n: f'a{n}: sessions(first: {n + 1}) {{ totalCount }} ')} }} }} }}"}
    yield "manager", "100 people x 280 fields", {
        "query": f"{{ users(first: 100) {{ nodes {{ {repeat(280, lambda n: f'a{n}: email ')} }} }} }}"}
    yield "manager", "100 people with all that is theirs", {
        "query": "{ users(first: 100) { totalCount nodes { id email name role status createdAt updatedAt "
        "sessions { totalCount nodes { id createdAt userAgent ipAddress current } } "
        "auditEvents(first: 20) { nodes { id kind at detail actor { id email } subject { id email } } } devices { id } } } }"}
    yield "manager", "12 lists for each of 100 people", {
        "query": f"{{ users(first: 100) {{ nodes {{ {repeat(12, lambda n: f'a{n}: auditEvents(first: {n + 1}) {{ nodes {{ id }} }} ')} }} }} }}"}
    yield "user", "100 sessions x their person, aliased", {
        "query": f"{{ me {{ sessions(first: 100) {{ nodes {{ user {{ {repeat(280, lambda n: f'a{n}: email ')} }} }} }} }} }}"}
    yield "nobody", "ten nested lists of 100", {
        "query": "{ auditEvents(first: 100) { nodes { " + "subject { auditEvents(first: 100) { nodes { " * 4 + "id" + " } } }" * 4 + " } } }"}
    yield "nobody", "variables: a list of 5,000", {
        "query": "query($r: [Role!]) { users(filter: { roles: $r }) { totalCount } }", "variables": {"r": ["A"] * 3500}}
    yield "nobody", "variables: an object of 1,500 unknown fields", {
        "query": "query($f: UserFilter) { users(filter: $f) { totalCount } }", "variables": {"f": {f"a{n}": 1 for n in range(1500)}}}
    yield "nobody", "400 variables with defaults", {
        "query": f"query({repeat(400, lambda n: f'$v{n}: [[Int]] = [[1]] ')}) {{ me {{ id }} }}"}
    # Scalars that accept any value, and values that need far more memory than their text.
    objects = [{"": 0}] * 1760
    moments = "query($v: DateTime) { users(filter: { createdFrom: VALUE }) { pageInfo { hasNextPage } } }"
    yield "nobody", "1,900 variables in a list for a moment", {
        "query": moments.replace("VALUE", f"[{'$v' * 1900}]"), "variables": {"v": [0] * 6150}}
    yield "nobody", "1,760 objects for a moment", {"query": moments.replace("VALUE", "$v"), "variables": {"v": objects}}
    yield "nobody", "85 moments of 1,760 objects", {
        "query": moments.replace("VALUE", f"[{'$v' * 85}]"), "variables": {"v": objects}}
    yield "nobody", "1,760 objects that no variable is", {"query": "{ __typename }", "variables": {"v": objects}}
    yield "nobody", "1,850 variables in a list of roles", {
        "query": f"query($v: Role!) {{ users(filter: {{ roles: [{'$v' * 1850}] }}) {{ totalCount }} }}", "variables": {"v": "USER"}}
    yield "manager", "1,850 roles by 20 aliases", {
        "query": f"query($v: [Role!]) {{ {repeat(20, lambda n: f'a{n}: users(filter: {{ roles: $v }}) {{ totalCount }} ')} }}",
        "variables": {"v": ["USER"] * 1850}}
    yield "nobody", "a name of 15 kB", {"query": "{ " + "a" * 15_000 + " }"}
    yield "nobody", "an alias of 15 kB in 20 fields", {"query": "{ " + repeat(20, lambda n: f"{'a' * 750}{n}: __typename ") + "}"}


def encoded(call):
    return json.dumps(call, ensure_ascii=False, separators=(",", ":")).encode()


def size(call):
    return len(encoded(call))


def crowd(server):
    """Sends many requests without their last byte, then all last bytes at once. Returns the number of responses by
    status, and the increase of resident memory in KiB per connection."""
    objects = ",".join(['{"":0}'] * 2250)
    body = f'{{"query":"{{ __typename }}","variables":{{"v":[{objects}]}}}}'.encode()
    head = f"POST /graphql HTTP/1.1\r\nhost: localhost:{server.port}\r\ncontent-type: application/json\r\n" \
           f"connection: close\r\ncontent-length: {len(body)}\r\n\r\n"
    server.connection = None
    time.sleep(1)
    Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")
    before = server.memory("VmRSS")
    wires = []
    for number in range(CROWD):
        wire = socket.create_connection(("127.0.0.1", server.port), 30, (f"127.0.{number % 50 + 1}.1", 0))
        wire.sendall(head.encode() + body[:-1])
        wires.append(wire)
    time.sleep(1)
    statuses = {}

    def finish(part):
        for wire in part:
            wire.sendall(body[-1:])
        for wire in part:
            try:
                status = wire.recv(64)[9:12].decode() or "closed"
            except OSError:
                status = "closed"
            statuses[status] = statuses.get(status, 0) + 1
            wire.close()

    threads = [threading.Thread(target=finish, args=(wires[part::16],)) for part in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses, (server.memory("VmHWM") - before) * 1024 / CROWD


def show(rows):
    print("| sender | request | bytes | status | response | CPU ms | MiB |\n| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for who, name, call, (status, length, cpu, memory) in rows:
        print(f"| {who} | {name} | {size(call):,} | {status} | {length:,} | {cpu:.1f} | {memory:.1f} |")


def is_over(who, cost):
    return cost[2] > LIMITS[who][0] or cost[3] > LIMITS[who][1]


def table(server):
    rows = [(who, name, call, server.least(call, who, 5)) for who, name, call in known() if size(call) <= BODY]
    show(rows)
    return [row for row in rows if is_over(row[0], row[3])]


TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\.\.\.|[A-Za-z_]\w*|-?\d+(?:\.\d+)?|[{}()\[\]:$@!=|]')


class Search:
    """Searches for more expensive requests. Mutates the requests with the highest cost, in total and per byte."""

    def __init__(self, server):
        self.server = server
        self.random = random.Random(int(time.time()))
        names = set(TOKEN.findall((root / "schema.graphql").read_text()))
        self.names = sorted(name for name in names if re.fullmatch(r"[A-Za-z_]\w*", name)) + ["__schema", "__type", "__typename"]
        self.best, self.worst = [], {}
        seeds = list(known())
        for path in (root / "fuzz/seeds/document").iterdir():
            query = path.read_bytes()[1:].split(b"\0")[0].decode(errors="replace")
            seeds += [(who, path.name, {"query": query}) for who in server.tokens]
        for who, name, call in seeds:
            if size(call) <= BODY:
                self.consider(who, name, call)

    def consider(self, who, name, call):
        cost = self.server.cost(call, who)
        if is_over(who, cost):
            cost = self.server.least(call, who, 5)
        cpu, memory = LIMITS[who]
        share = max(cost[2] / cpu, cost[3] / memory)
        if share > self.worst.get(name, (0,))[0]:
            self.worst[name] = share, who, call
        self.best.append((share, share / (size(call) + 500), who, name, call, cost))
        if len(self.best) > 400:
            whole = sorted(self.best, key=lambda one: -one[0])[:60]
            dense = sorted(self.best, key=lambda one: -one[1])[:60]
            self.best = whole + [one for one in dense if one not in whole]
        return cost

    def change(self, call):
        query, variables = call["query"], dict(call.get("variables") or {})
        tokens = TOKEN.findall(query)
        for _ in range(self.random.randint(1, 4)):
            if not tokens:
                break
            start = self.random.randrange(len(tokens))
            end = min(len(tokens), start + self.random.choice([1, 1, 2, 4, 8, 16, 40]))
            part = tokens[start:end]
            kind = self.random.randrange(9)
            if kind == 0:
                tokens[start:end] = part * self.random.choice([2, 3, 10, 50])
            elif kind == 1:
                del tokens[start:end]
            elif kind == 2:
                tokens[start] = self.random.choice(self.names)
            elif kind == 3:
                tokens[start:start] = [f"a{self.random.randrange(1000)}", ":"]
            elif kind == 4:
                tokens[start:end] = ["...", "{", *part, "}"]
            elif kind == 5:
                other = TOKEN.findall(self.random.choice(self.best)[4]["query"])
                at = self.random.randrange(len(other) + 1)
                tokens[start:start] = other[at:at + self.random.choice([3, 10, 40])]
            elif kind == 6:
                tokens[start] = str(self.random.choice([0, 1, 7, 100, 2147483647, -1]))
            elif kind == 7 and variables:
                name = self.random.choice(sorted(variables))
                variables[name] = self.random.choice([[variables[name]] * 3, "x" * 4000, 100, ["x"] * 900, {"a": 1}])
            elif part.count("{") == part.count("}") and ":" in part:
                # Repeats the part with other aliases, so that fields do not merge.
                tokens[end:end] = repeat(self.random.choice([2, 9, 40]), lambda n: "\0".join(
                    f"{token}{n}" if part[at + 1:at + 2] == [":"] else token for at, token in enumerate(part)) + "\0").split("\0")[:-1]
        changed = {"query": " ".join(tokens)}
        if variables:
            changed["variables"] = variables
        if "operationName" in call:
            changed["operationName"] = call["operationName"]
        return changed

    def run(self, seconds):
        end, said, count = time.time() + seconds, time.time(), 0
        while time.time() < end:
            *_, who, name, call, _ = self.random.choice(self.best)
            changed = self.change(call)
            if size(changed) > BODY:
                continue
            cost = self.consider(who if self.random.random() < 0.8 else self.random.choice(list(LIMITS)), name, changed)
            count += 1
            if time.time() - said > 60:
                said = time.time()
                print(f"{count:,} requests, the worst at {max(one[0] for one in self.best):.0%} of its limit", file=sys.stderr)
        ranked = sorted(self.worst.items(), key=lambda one: -one[1][0])[:10]
        worst = [(who, f"from: {name}", call, self.server.least(call, who, 5)) for name, (_, who, call) in ranked]
        print(f"{count:,} requests in {seconds} s")
        show(worst)
        kept = Path(target) / "costs"
        kept.mkdir(parents=True, exist_ok=True)
        for number, (who, name, call, _) in enumerate(worst):
            (kept / f"{number}.json").write_text(json.dumps({"who": who, "name": name, "call": call}, ensure_ascii=False))
        return [row for row in worst if is_over(row[0], row[3])]


server = Server()
try:
    before = server.memory("VmRSS")
    over = table(server) if mode == "table" else Search(server).run(int(rest[0]) if rest else 1800)
    answers, each = crowd(server)
    print(f"{CROWD} requests completed at once: {answers}, {each:.0f} KiB each")
    time.sleep(2)
    print(f"resident: {before:.0f} MiB before, {server.memory('VmRSS'):.0f} MiB after")
finally:
    server.process.terminate()
    server.process.wait()
for who, name, _, cost in over:
    print(f"over its limit: {who}: {name}: {cost[2]:.1f} ms, {cost[3]:.1f} MiB")
if each > OF_CONNECTION:
    print(f"over its limit: {each:.0f} KiB per connection, maximum {OF_CONNECTION} KiB")
sys.exit(bool(over) or each > OF_CONNECTION)
