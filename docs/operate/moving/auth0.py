"""Rows from Auth0: auth0.py USERS [HASHES]. docs/operate/moving.md says where both come from."""

import json
import sys

hashes = {}
for line in open(sys.argv[2], encoding="utf-8") if len(sys.argv) > 2 else []:
    user = json.loads(line)
    hashes["auth0|" + user["_id"]["$oid"]] = user["passwordHash"]

for line in open(sys.argv[1], encoding="utf-8"):
    user = json.loads(line)
    if user.get("blocked") or not user.get("email"):
        continue
    row = {
        "email": user["email"],
        # Auth0 writes the address as the name of users without one.
        "name": user.get("name") if user.get("name") != user["email"] else None,
        "verified": user.get("email_verified", False),
        "passwordHash": hashes.get(user["user_id"]),
        "externalId": user["user_id"],
        "createdAt": user.get("created_at"),
    }
    print(json.dumps(row))
