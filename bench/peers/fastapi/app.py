"""A sign-in service in FastAPI, SQLAlchemy and asyncpg, as a team would write it. MODE chooses one of two versions.

plain: a code is compared with its row, and the mail is sent after the response.
careful: a try is counted and committed before its code is compared, and mail goes through an outbox that is written in
the transaction of the code.
"""

import asyncio
import hashlib
import hmac
import os
import secrets
import uuid
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone

import aiosmtplib
import jwt
from fastapi import BackgroundTasks, FastAPI, Header, HTTPException
from pydantic import BaseModel
from sqlalchemy import ForeignKey, String, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import DateTime

CAREFUL = os.environ["MODE"] == "careful"
SECRET = os.environ["SECRET"]
SMTP_PORT = int(os.environ["SMTP_PORT"])
TRIES = 3

# Together as many connections as Doorcode has.
engine = create_async_engine(
    os.environ["DATABASE_URL"].replace("postgres://", "postgresql+asyncpg://"),
    pool_size=max(1, 20 // int(os.environ["PROCESSES"])),
    max_overflow=0,
)
database = async_sessionmaker(engine, expire_on_commit=False)
filled = asyncio.Event()


class Base(DeclarativeBase):
    type_annotation_map = {datetime: DateTime(timezone=True)}


class User(Base):
    __tablename__ = "users"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    email: Mapped[str] = mapped_column(String, unique=True)
    role: Mapped[str] = mapped_column(default="USER")
    created_at: Mapped[datetime]


class Code(Base):
    __tablename__ = "codes"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    email: Mapped[str]
    code_hash: Mapped[bytes]
    tries: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[datetime]
    consumed_at: Mapped[datetime | None]


class Session(Base):
    __tablename__ = "sessions"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), index=True)
    refresh_hash: Mapped[bytes]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Letter(Base):
    __tablename__ = "outbox"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    to: Mapped[str]
    body: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(index=True)
    sent_at: Mapped[datetime | None]


def now() -> datetime:
    return datetime.now(timezone.utc)


def hash_of(*parts: str) -> bytes:
    return hmac.digest(SECRET.encode(), "\0".join(parts).encode(), "sha256")


async def deliver(smtp: aiosmtplib.SMTP, to: str, code: str) -> None:
    message = f"From: no-reply@bench.example\r\nTo: {to}\r\nSubject: Code\r\n\r\n{code}\r\n"
    await smtp.sendmail("no-reply@bench.example", [to], message)


async def open_smtp() -> aiosmtplib.SMTP:
    smtp = aiosmtplib.SMTP(hostname="127.0.0.1", port=SMTP_PORT, start_tls=False)
    await smtp.connect()
    return smtp


async def send_outbox() -> None:
    """Claims letters, sends them, and marks them as sent."""
    smtp = await open_smtp()
    while True:
        async with database.begin() as db:
            due = select(Letter).where(Letter.sent_at.is_(None)).order_by(Letter.created_at).limit(16)
            letters = (await db.scalars(due.with_for_update(skip_locked=True))).all()
            for letter in letters:
                await deliver(smtp, letter.to, letter.body)
            if letters:
                ids = [letter.id for letter in letters]
                await db.execute(update(Letter).where(Letter.id.in_(ids)).values(sent_at=now(), body=""))
        if not letters:
            filled.clear()
            try:
                await asyncio.wait_for(filled.wait(), 1)
            except TimeoutError:
                pass


direct = None


async def send_now(to: str, code: str) -> None:
    async with direct_lock:
        await deliver(direct, to, code)


direct_lock = asyncio.Lock()


@asynccontextmanager
async def lifespan(_: FastAPI):
    global direct
    worker = None
    if CAREFUL:
        worker = asyncio.create_task(send_outbox())
    else:
        direct = await open_smtp()
    yield
    if worker:
        worker.cancel()


app = FastAPI(lifespan=lifespan)


class Login(BaseModel):
    email: str
    deviceToken: str | None = None


class Verify(BaseModel):
    challenge: str
    code: str


class Refresh(BaseModel):
    refreshToken: str


@app.get("/health")
async def health():
    return {}


@app.post("/login")
async def login(body: Login, background: BackgroundTasks):
    code = f"{secrets.randbelow(10**8):08}"
    challenge = uuid.uuid4()
    async with database.begin() as db:
        expires_at = now() + timedelta(minutes=5)
        code_hash = hash_of(str(challenge), body.email, code)
        db.add(Code(id=challenge, email=body.email, code_hash=code_hash, expires_at=expires_at))
        if CAREFUL:
            db.add(Letter(to=body.email, body=code, created_at=now()))
    if CAREFUL:
        filled.set()
    else:
        background.add_task(send_now, body.email, code)
    return {"challenge": str(challenge)}


async def find_code(db: AsyncSession, challenge: uuid.UUID) -> Code | None:
    if not CAREFUL:
        return await db.scalar(select(Code).where(Code.id == challenge, Code.expires_at > now()))
    # The try is committed before the code is compared.
    async with database.begin() as counting:
        counted = (
            update(Code)
            .where(Code.id == challenge, Code.tries < TRIES, Code.consumed_at.is_(None), Code.expires_at > now())
            .values(tries=Code.tries + 1)
            .returning(Code)
        )
        return await counting.scalar(counted)


@app.post("/verify")
async def verify(body: Verify):
    async with database() as db:
        code = await find_code(db, uuid.UUID(body.challenge))
        if not code or not hmac.compare_digest(code.code_hash, hash_of(body.challenge, code.email, body.code)):
            raise HTTPException(401)
        if CAREFUL:
            consumed = update(Code).where(Code.id == code.id, Code.consumed_at.is_(None)).values(consumed_at=now())
            if (await db.execute(consumed)).rowcount != 1:
                raise HTTPException(401)
        else:
            await db.execute(delete(Code).where(Code.id == code.id))
        added = insert(User).values(id=uuid.uuid4(), email=code.email, role="USER", created_at=now())
        await db.execute(added.on_conflict_do_nothing(index_elements=["email"]))
        user = await db.scalar(select(User).where(User.email == code.email))
        refresh = secrets.token_urlsafe(32)
        session = Session(
            id=uuid.uuid4(),
            user_id=user.id,
            refresh_hash=hash_of(refresh),
            created_at=now(),
            expires_at=now() + timedelta(days=30),
        )
        db.add(session)
        await db.commit()
    return {"tokens": tokens(user, session, refresh)}


def tokens(user: User, session: Session, refresh: str) -> dict:
    claims = {"sub": str(user.id), "sid": str(session.id), "exp": now() + timedelta(hours=1)}
    access = jwt.encode(claims, SECRET, algorithm="HS256")
    return {"accessToken": access, "refreshToken": f"{session.id}.{refresh}"}


@app.get("/me")
async def me(authorization: str = Header()):
    try:
        claims = jwt.decode(authorization.removeprefix("Bearer "), SECRET, algorithms=["HS256"])
    except jwt.InvalidTokenError:
        raise HTTPException(401) from None
    async with database() as db:
        found = (
            select(User)
            .join(Session, Session.user_id == User.id)
            .where(Session.id == uuid.UUID(claims["sid"]), Session.ended_at.is_(None), Session.expires_at > now())
        )
        user = await db.scalar(found)
    if not user:
        raise HTTPException(401)
    return {"id": user.id, "email": user.email, "role": user.role}


@app.post("/refresh")
async def refresh(body: Refresh):
    session_id, _, token = body.refreshToken.partition(".")
    following = secrets.token_urlsafe(32)
    async with database.begin() as db:
        rotated = (
            update(Session)
            .where(
                Session.id == uuid.UUID(session_id),
                Session.refresh_hash == hash_of(token),
                Session.ended_at.is_(None),
                Session.expires_at > now(),
            )
            .values(refresh_hash=hash_of(following))
            .returning(Session)
        )
        session = await db.scalar(rotated)
        if not session:
            raise HTTPException(401)
        user = await db.get(User, session.user_id)
    return tokens(user, session, following)


async def create_tables() -> None:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
        await connection.execute(text("CREATE INDEX IF NOT EXISTS due ON outbox (created_at) WHERE sent_at IS NULL"))


if __name__ == "__main__":
    asyncio.run(create_tables())
