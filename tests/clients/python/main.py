"""Tests the client from ariadne-codegen: signs in, pages through users, signs out. `run` starts this script."""

import os
import sys
import time
from datetime import datetime, timezone
from typing import Optional

import httpx

from doorcode_client import (
    Client,
    GraphQLClientHttpError,
    LoginInput,
    LoginLoginCodeSent,
    LogoutLogoutLoggedOut,
    OrderDirection,
    Person,
    Role,
    UserFilter,
    UserOrder,
    UserOrderField,
    UserStatus,
    VerifyInput,
    VerifyVerifyInvalidCode,
    VerifyVerifySignedIn,
)

URL, MANAGER, PREFIX, *PEOPLE = sys.argv[1:]
ENDPOINT = f"{URL}/graphql"
# Where to read emails: the server's inbox, or the mailbox if the server sends mail.
MAILBOX = os.environ.get("DOORCODE_MAIL_URL", URL) + "/graphql"


def passed(check: str) -> None:
    print(f"ok python: {check}", flush=True)


def mailed_code() -> str:
    """The code emailed to the manager. No generated client has this query, because only development servers do."""
    query = "query Newest($to: String!) { inbox(to: $to, first: 1) { code } }"
    for _ in range(50):
        answer = httpx.post(MAILBOX, json={"query": query, "variables": {"to": MANAGER}})
        for mail in answer.raise_for_status().json()["data"]["inbox"]:
            if mail["code"]:
                return str(mail["code"])
        # Mail is sent shortly after the response.
        time.sleep(0.2)
    raise AssertionError(f"no code was emailed to {MANAGER} within ten seconds")


def sign_in() -> tuple[Client, str]:
    with Client(ENDPOINT) as client:
        login = client.login(LoginInput(email=MANAGER, locale="en")).login
        assert isinstance(login, LoginLoginCodeSent), login
        code = mailed_code()
        assert len(code) == login.code_length
        assert login.expires_at > datetime.now(timezone.utc)
        passed("requests a code")

        other = code[:-1] + str((int(code[-1]) + 1) % 10)
        wrong = client.verify(VerifyInput(challenge=login.challenge, code=other)).verify
        assert isinstance(wrong, VerifyVerifyInvalidCode), wrong
        assert wrong.attempts_left > 0 and wrong.message
        passed("gets a wrong code as a problem")

        verify = client.verify(VerifyInput(challenge=login.challenge, code=code)).verify
        assert isinstance(verify, VerifyVerifySignedIn), verify
        assert not verify.is_new_user
        passed("signs in")
    return Client(ENDPOINT, headers={"Authorization": f"Bearer {verify.tokens.access_token}"}), verify.user.id


def reads_itself(client: Client, user_id: str) -> Person:
    me = client.me().me
    assert me
    assert (me.id, me.email, me.role, me.status) == (user_id, MANAGER, Role.MANAGER, UserStatus.ACTIVE), me
    passed("reads its own account")
    user = client.get_user(id=user_id).user
    assert user and user.model_dump() == me.model_dump(), user
    passed("reads a user by id")
    return me


def lists_every_user(client: Client, created_from: datetime) -> None:
    found: list[str] = []
    after: Optional[str] = None
    more = True
    while more:
        users = client.list_users(first=2, after=after).users
        assert len(users.edges) <= 2
        found += [edge.node.email for edge in users.edges]
        after = users.page_info.end_cursor
        more = users.page_info.has_next_page
    assert len(set(found)) == len(found), f"a user is listed twice: {found}"
    assert set(PEOPLE) <= set(found), f"a user is missing: {found}"
    assert len(found) == users.total_count
    passed("lists every user exactly once, two per page")

    users = client.list_users(
        filter_=UserFilter(
            email_prefix=PREFIX, roles=[Role.USER], statuses=[UserStatus.ACTIVE], created_from=created_from
        ),
        order_by=UserOrder(field=UserOrderField.EMAIL, direction=OrderDirection.DESC),
    ).users
    assert [edge.node.email for edge in users.edges] == sorted(PEOPLE, reverse=True), users
    passed("filters and sorts users")


def signs_out(client: Client) -> None:
    logout = client.logout().logout
    assert isinstance(logout, LogoutLogoutLoggedOut), logout
    passed("signs out")
    try:
        client.me()
    except GraphQLClientHttpError as error:
        assert error.status_code == 401
        assert isinstance(error.response, httpx.Response)
        assert error.response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    else:
        raise AssertionError("the token of an ended session was accepted")
    passed("is refused with the old token")


def main() -> None:
    client, user_id = sign_in()
    with client:
        me = reads_itself(client, user_id)
        lists_every_user(client, me.created_at)
        signs_out(client)


main()
