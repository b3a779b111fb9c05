"""Rows from Supabase: supabase.py EXPORT. docs/operate/moving.md says how to make the export."""

import json
import sys

for line in open(sys.argv[1], encoding="utf-8"):
    user = json.loads(line)
    if not user["email"] or user["banned_until"] or user["deleted_at"]:
        continue
    row = {
        "email": user["email"],
        "name": (user["raw_user_meta_data"] or {}).get("name"),
        "verified": user["email_confirmed_at"] is not None,
        "passwordHash": user["encrypted_password"] or None,
        "externalId": user["id"],
        "createdAt": user["created_at"],
    }
    print(json.dumps(row))
