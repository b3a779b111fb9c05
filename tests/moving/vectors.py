"""Prints hashes of known passwords, made by the original libraries, as JSON: see make-vectors."""

import hashlib
import json

import bcrypt
import django
from argon2.low_level import Type, hash_secret
from django.conf import settings
from passlib import hash as passlib

hashers = ["Argon2", "BCrypt", "BCryptSHA256", "PBKDF2", "PBKDF2SHA1", "Scrypt"]
settings.configure(PASSWORD_HASHERS=[f"django.contrib.auth.hashers.{name}PasswordHasher" for name in hashers])
django.setup()
from django.contrib.auth.hashers import get_hasher  # noqa: E402, needs the settings

PASSWORDS = [
    "correct horse battery staple",
    "Grüße an 李小龙",
    "x",
    # bcrypt reads 72 bytes of it.
    "a password of a hundred characters, which is more than the seventy-two that bcrypt reads of each one",
]
vectors = []


def add(kind, password, made):
    vectors.append({"kind": kind, "password": password, "hash": made})


def salt(kind, password, length=16):
    return hashlib.sha256(f"{kind} {password}".encode()).digest()[:length]


def bcrypt_salt(kind, password):
    # The last of the 22 characters has only two bits.
    letters = salt(kind, password, 11).hex()
    return letters[:21] + "O"


def of_argon2_cffi(password):
    for kind, variant, version in [
        ("argon2id", Type.ID, 19),
        ("argon2i", Type.I, 19),
        ("argon2i 16", Type.I, 16),
    ]:
        made = hash_secret(password.encode(), salt(kind, password), 2, 1024, 2, 32, variant, version).decode()
        add(f"argon2-cffi {kind}", password, made)
        if version == 16:
            # Hashes had no version until there was a second one.
            add("argon2-cffi argon2i without version", password, made.replace("v=16$", ""))


def of_bcrypt(password):
    for prefix in ["2a", "2b"]:
        kind = f"bcrypt {prefix}"
        made = bcrypt.hashpw(password.encode(), f"${prefix}$05${bcrypt_salt(kind, password)}".encode()).decode()
        add(kind, password, made)


def of_passlib(password):
    for kind, hasher in [
        ("argon2", passlib.argon2.using(rounds=2, memory_cost=512, parallelism=2)),
        ("pbkdf2_sha1", passlib.pbkdf2_sha1.using(rounds=1_000)),
        ("pbkdf2_sha256", passlib.pbkdf2_sha256.using(rounds=1_000)),
        ("pbkdf2_sha512", passlib.pbkdf2_sha512.using(rounds=1_000)),
        ("scrypt", passlib.scrypt.using(rounds=10)),
    ]:
        add(f"passlib {kind}", password, hasher.using(salt=salt(kind, password)).hash(password))
    for kind, hasher in [
        ("bcrypt 2y", passlib.bcrypt.using(rounds=5, ident="2y")),
        ("bcrypt_sha256", passlib.bcrypt_sha256.using(rounds=5)),
    ]:
        add(f"passlib {kind}", password, hasher.using(salt=bcrypt_salt(kind, password)).hash(password))


def of_django(password):
    for algorithm in ["pbkdf2_sha256", "pbkdf2_sha1"]:
        made = get_hasher(algorithm).encode(password, salt(algorithm, password, 11).hex(), 1_000)
        add(f"django {algorithm}", password, made)
    for algorithm in ["bcrypt", "bcrypt_sha256"]:
        made = get_hasher(algorithm).encode(password, f"$2b$05${bcrypt_salt(algorithm, password)}".encode())
        add(f"django {algorithm}", password, made)
    add("django scrypt", password, get_hasher("scrypt").encode(password, salt("scrypt", password, 11).hex(), n=1024))
    argon2 = get_hasher("argon2")
    argon2.time_cost, argon2.memory_cost, argon2.parallelism = 2, 1024, 2
    add("django argon2", password, argon2.encode(password, salt("argon2", password, 11).hex()))


def phc(password):
    # PHC's notation of PBKDF2, which no library above writes: standard base64 and a named parameter.
    made = passlib.pbkdf2_sha256.using(rounds=1_000, salt=salt("phc", password)).hash(password)
    key = made.rsplit("$", 1)[1].replace(".", "+")
    begin = made.rsplit("$", 1)[0].replace(".", "+").replace("$1000$", "$i=1000,l=32$")
    add("phc pbkdf2-sha256", password, f"{begin}${key}")


for password in PASSWORDS:
    of_argon2_cffi(password)
    of_bcrypt(password)
    of_passlib(password)
    of_django(password)
    phc(password)

# The example in the README of github.com/firebase/scrypt.
add(
    "firebase",
    "user1password",
    "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,"
    "sk=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==$42xEC+ixf3L2lw==$"
    "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
)
print(json.dumps(vectors, ensure_ascii=False, indent=1))
