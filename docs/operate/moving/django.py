"""Rows from Django: django.py EXPORT [--verified]. docs/operate/moving.md says how to make the export.

Django does not know whether an address was proved. Give --verified only if your site lets nobody in without that.
"""

import json
import sys

for line in open(sys.argv[1], encoding="utf-8"):
    user = json.loads(line)
    fields = user["fields"]
    if not fields["is_active"] or not fields["email"]:
        continue
    password = fields["password"]
    row = {
        "email": fields["email"],
        "name": f"{fields['first_name']} {fields['last_name']}".strip() or None,
        "verified": "--verified" in sys.argv,
        # Passwords that cannot be used begin with an exclamation mark.
        "passwordHash": password if password and not password.startswith("!") else None,
        "externalId": str(user["pk"]),
        "createdAt": fields["date_joined"],
    }
    print(json.dumps(row))
