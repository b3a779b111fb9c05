"""Rows from Firebase: firebase.py EXPORT PARAMETERS. docs/operate/moving.md says where both come from."""

import datetime
import json
import re
import sys

parameters = open(sys.argv[2], encoding="utf-8").read()


def parameter(name):
    return re.search(rf"{name}: *([^ ,\n]+)", parameters)[1]


def standard(base64):
    return base64.replace("-", "+").replace("_", "/")


project = (
    f"$fbscrypt$v=1,n={parameter('mem_cost')},r={parameter('rounds')},p=1,"
    f"ss={parameter('base64_salt_separator')},sk={parameter('base64_signer_key')}"
)
for user in json.load(open(sys.argv[1], encoding="utf-8"))["users"]:
    if user.get("disabled") or not user.get("email"):
        continue
    created = datetime.datetime.fromtimestamp(int(user["createdAt"]) // 1000, datetime.timezone.utc)
    has_password = user.get("passwordHash") and user.get("salt")
    row = {
        "email": user["email"],
        "name": user.get("displayName"),
        "verified": user.get("emailVerified", False),
        "passwordHash": f"{project}${standard(user['salt'])}${standard(user['passwordHash'])}" if has_password else None,
        "externalId": user["localId"],
        "createdAt": created.isoformat(),
    }
    print(json.dumps(row))
