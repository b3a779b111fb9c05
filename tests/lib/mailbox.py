#!/usr/bin/env python3
"""A mailbox for servers that send mail: tests/smtp_server.py with an HTTP interface.

The first line on stdout is the SMTP port and the HTTP port. `POST /graphql` with the variable `to` responds like the
development inbox, newest email first. `GET /next?to=…&after=N` waits for the email after the first N to an address. The
mailbox listens on loopback, keeps all emails in memory, and exits when stdin closes.
"""

import asyncio
import json
import pathlib
import re
import sys
from collections import defaultdict
from urllib.parse import parse_qs, urlsplit

SMTP_SERVER = pathlib.Path(__file__).resolve().parent.parent / "smtp_server.py"
# The code is on a separate line, in groups of digits. Digits elsewhere may belong to an address.
CODE = re.compile(r"^    (\d+(?: \d+)+)\s*$", re.MULTILINE)
LONGEST_WAIT = 30

mails = defaultdict(list)
arrived = asyncio.Condition()


async def collect(lines):
    """Stores every email that the SMTP server accepts."""
    async for line in lines:
        event = json.loads(line)
        if event["event"] != "message":
            continue
        code = CODE.search(event["text"])
        mail = {"code": code and code[1].replace(" ", ""), "text": event["text"]}
        async with arrived:
            for to in event["to"]:
                mails[to.lower()].append(mail)
            arrived.notify_all()


async def answer(method, target, body):
    if method == "POST":
        to = json.loads(body)["variables"]["to"].lower()
        return {"data": {"inbox": mails[to][:-2:-1]}}
    asked = {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
    to, after = asked["to"].lower(), int(asked.get("after", 0))
    async with arrived:
        await asyncio.wait_for(arrived.wait_for(lambda: len(mails[to]) > after), LONGEST_WAIT)
    return mails[to][after]


async def serve(reader, writer):
    """Handles one request per connection."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, target, _ = head.split(" ", 2)
        length = re.search(r"content-length: *(\d+)", head, re.IGNORECASE)
        body = await reader.readexactly(int(length[1])) if length else b""
        try:
            status, result = "200 OK", await answer(method, target, body)
        except TimeoutError:
            status, result = "404 Not Found", None
        text = json.dumps(result).encode()
        writer.write(
            f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n"
            "Connection: close\r\n\r\n".encode()
            + text
        )
        await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    smtp = await asyncio.create_subprocess_exec(
        sys.executable, str(SMTP_SERVER), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**22
    )
    port = int(await smtp.stdout.readline())
    collecting = asyncio.create_task(collect(smtp.stdout))
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(port, server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
    smtp.stdin.close()
    await smtp.wait()
    collecting.cancel()


if __name__ == "__main__":
    asyncio.run(main())
