#!/usr/bin/env python3
"""A real SMTP server for the tests, based on aiosmtpd. The server never relays mail.

The first line on stdout is the port. Every later line is one JSON object, such as {"event": "connect"} for a new
connection or {"event": "message", …} for an accepted email. The recipient's local part selects a failure (tempfail…,
reject…, hang…, drop…, flaky…). --takes sets a minimum and a maximum for the random delay of each email, in seconds. The
server exits when stdin closes.
"""

import argparse
import asyncio
import email
import email.policy
import json
import logging
import random
import ssl
import sys
import threading
import warnings
from collections import Counter

from aiosmtpd.smtp import SMTP, AuthResult

HANG_SECONDS = 60
FLAKY_REFUSALS = 2


def report(**fields):
    """Prints one line. Flushes it, because the test reads from a pipe."""
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


class Handler:
    """Accepts and reports mail, unless the recipient's name selects a failure."""

    def __init__(self, takes):
        self.tries = Counter()
        self.takes = takes

    async def handle_RCPT(self, server, session, envelope, address, options):
        local = address.split("@", 1)[0]
        if local.startswith("tempfail"):
            return f"451 4.3.0 <{address}> try again later"
        if local.startswith("reject"):
            return f"550 5.1.1 <{address}> no such mailbox"
        if local.startswith("hang"):
            await asyncio.sleep(HANG_SECONDS)
        if local.startswith("flaky"):
            self.tries[address] += 1
            if self.tries[address] <= FLAKY_REFUSALS:
                return "451 4.3.0 not yet"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if any(to.startswith("drop") for to in envelope.rcpt_tos):
            server.transport.close()
            return "421 gone"
        await asyncio.sleep(random.uniform(*self.takes))
        raw = envelope.original_content
        message = email.message_from_bytes(raw, policy=email.policy.default)
        report(
            event="message",
            tls=encrypted(server),
            authenticated=bool(session.authenticated),
            mail_from=envelope.mail_from,
            to=envelope.rcpt_tos,
            raw=raw.decode("utf-8", "backslashreplace"),
            headers=[[name, str(value)] for name, value in message.items()],
            subject=str(message["subject"]),
            text=part(message, "plain"),
            html=part(message, "html"),
        )
        return "250 2.0.0 taken"


def encrypted(server):
    return server.transport.get_extra_info("ssl_object") is not None


def part(message, subtype):
    body = message.get_body(preferencelist=(subtype,))
    return body.get_content() if body is not None else None


class Server(SMTP):
    """An aiosmtpd server that also reports connections, and commands before TLS."""

    def connection_made(self, transport):
        # aiosmtpd also calls this after STARTTLS, with the TLS transport. That is not a new connection.
        if self.session is None:
            report(event="connect")
        super().connection_made(transport)

    async def smtp_MAIL(self, arg):
        report(event="mail", tls=encrypted(self))
        await super().smtp_MAIL(arg)

    async def smtp_AUTH(self, arg):
        report(event="auth", tls=encrypted(self))
        await super().smtp_AUTH(arg)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls", choices=["none", "starttls", "smtps"], default="none")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--auth", metavar="USER:PASS")
    parser.add_argument("--no-starttls", action="store_true", help="strip STARTTLS, like an attacker in the middle")
    parser.add_argument("--takes", type=float, nargs=2, default=[0, 0], metavar="SECONDS")
    return parser.parse_args()


def options(given):
    """The options for aiosmtpd, and the TLS context of the listening socket (None without TLS)."""
    context = None
    if given.cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(given.cert, given.key)
    chosen = {"hostname": "mail.test", "enable_SMTPUTF8": False, "auth_require_tls": given.tls != "none"}
    if given.tls == "starttls" and not given.no_starttls:
        chosen.update(tls_context=context, require_starttls=True)
    if given.auth:
        user, password = given.auth.split(":", 1)

        def check(server, session, envelope, mechanism, data):
            right = data.login == user.encode() and data.password == password.encode()
            return AuthResult(success=right, handled=False)

        chosen.update(authenticator=check, auth_required=True)
        if given.tls == "smtps" or given.no_starttls:
            # By default aiosmtpd requires STARTTLS before AUTH. Turn that off, because here TLS is implicit or
            # stripped.
            chosen["auth_require_tls"] = False
    return chosen, context if given.tls == "smtps" else None


async def main():
    # Hide these warnings: the tests cause failed handshakes and unusual options on purpose.
    logging.getLogger("mail.log").setLevel(logging.CRITICAL + 1)
    warnings.simplefilter("ignore")
    given = arguments()
    chosen, context = options(given)
    handler = Handler(given.takes)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Server(handler, loop=loop, **chosen), host="127.0.0.1", port=given.port, ssl=context
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    gone = asyncio.Event()

    def watch():
        sys.stdin.buffer.read()
        loop.call_soon_threadsafe(gone.set)

    threading.Thread(target=watch, daemon=True).start()
    await gone.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
