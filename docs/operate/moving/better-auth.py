"""Rows from better-auth: better-auth.py EXPORT. docs/operate/moving.md says how to make the export."""

import base64
import json
import re
import sys


def phc(password):
    """`SALT:KEY` as better-auth writes it. The salt is used as text, the key is in hexadecimal digits."""
    salt, key = password.split(":")
    encoded = [base64.b64encode(part).decode() for part in (salt.encode(), bytes.fromhex(key))]
    return f"$scrypt$ln=14,r=16,p=1${encoded[0]}${encoded[1]}"


def moment(created):
    """A time of the database. Without a zone, it is in UTC."""
    return created if re.search(r"(Z|[+-]\d\d:?\d\d)$", created) else created + "Z"


for line in open(sys.argv[1], encoding="utf-8"):
    user = json.loads(line)
    # The admin plugin has this column.
    if user.get("banned"):
        continue
    row = {
        "email": user["email"],
        "name": user["name"] or None,
        "verified": user["emailVerified"],
        "passwordHash": phc(user["password"]) if user["password"] else None,
        "externalId": user["id"],
        "createdAt": moment(user["createdAt"]),
    }
    print(json.dumps(row))
