// One user: profile and role, sessions, devices, API keys and what happened, and the actions of an administrator.

import { useEffect, useRef, useState } from "preact/hooks";
import { Breakable, initials } from "../account/profile";
import { useAction } from "../account/part";
import { ApiError, serverNow } from "../api/call";
import { PERSON_BY_ID, type PersonById } from "../api/operations";
import { ago, date, languages, text } from "../i18n";
import { passwordsOn, shell } from "../shell";
import { Button } from "../ui/button";
import { FormError } from "../ui/field";
import type { Problem } from "../ui/form";
import { Access } from "./access";
import { useConsole } from "./context";
import { exact } from "./format";
import { Notices, showNotice } from "./notice";
import { RoleTag, StatusTag } from "./people";
import { Actions } from "./person-actions";
import { link } from "./route";
import { Timeline } from "./timeline";
import { words } from "./words";

export type Account = NonNullable<PersonById["user"]>;

/** Runs a change. If someone else changed the user meanwhile, shows what they changed. */
export type Change = (work: () => Promise<Problem | void>, onConflict?: () => void) => Promise<Problem | void>;

export function Person({ id }: { id: string }) {
  const { ask } = useConsole();
  const form = useAction();
  const t = words().person;
  const [user, setUser] = useState<Account | null>(null);
  const [conflict, setConflict] = useState<string[] | null>(null);
  const [isMissing, setMissing] = useState(false);
  // Changes with every action, so that sessions and events are read again.
  const [turn, setTurn] = useState(0);
  const heading = useRef<HTMLHeadingElement>(null);

  const load = async () => {
    const { user: found } = await ask(PERSON_BY_ID, { id });
    setUser(found);
    setMissing(found === null);
    return found;
  };
  const start = () =>
    form.act(async () => {
      try {
        await load();
      } catch (error) {
        if (!(error instanceof ApiError) || !["NOT_FOUND", "BAD_USER_INPUT"].includes(error.code)) throw error;
        setMissing(true);
      }
    });
  useEffect(start, []);
  useEffect(() => heading.current?.focus(), [user === null && !isMissing]);
  const title = user ? (user.name ?? user.email) : isMissing ? t.missing : words().sections.people;
  useEffect(() => {
    document.title = `${title} · ${words().title} · ${shell.brand}`;
  }, [title]);

  const change: Change = async (work, onConflict) => {
    setConflict(null);
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "CONFLICT") throw error;
      const before = user;
      const after = await load();
      onConflict?.();
      setConflict(before && after ? differences(before, after) : []);
      return undefined;
    }
  };
  const changed = (notice: string, undo?: () => void) => {
    setTurn((count) => count + 1);
    showNotice(notice, undo);
  };
  const saved = (next: Account, notice: string, undo?: () => void) => {
    setUser(next);
    changed(notice, undo);
  };

  return (
    <>
      <p class="crumbs">
        <a href={link("people")}>{words().sections.people}</a>
      </p>
      {user ? (
        <div class="head">
          <span class="avatar" aria-hidden="true">
            {initials(user.name, user.email)}
          </span>
          <div class="head-text">
            <h1 ref={heading} tabIndex={-1}>
              {user.name ?? <Breakable email={user.email} />}
            </h1>
            <p class="hint">
              {user.name && (
                <span>
                  <Breakable email={user.email} />
                </span>
              )} <RoleTag role={user.role} /> <StatusTag status={user.status} />
            </p>
          </div>
          <Actions user={user} change={change} onSaved={saved} onEnded={changed} />
        </div>
      ) : (
        <h1 ref={heading} tabIndex={-1} class={isMissing ? undefined : "sr-only"}>
          {title}
        </h1>
      )}
      <Notices />
      {conflict && <Conflict changes={conflict} />}
      {isMissing && <p class="lead">{t.missingLead}</p>}
      {form.problem && (
        <div class="list-problem">
          <FormError form={form} />
          <Button kind="secondary" small onClick={start}>
            {text().retry}
          </Button>
        </div>
      )}
      {user && (
        <div class="person-columns">
          <div class="person-main">
            <Access user={user} turn={turn} onChanged={changed} />
            <Timeline user={user} turn={turn} />
          </div>
          <Facts user={user} />
        </div>
      )}
    </>
  );
}

function Conflict({ changes }: { changes: string[] }) {
  const t = words().person;
  return (
    <div class="notice caution" role="alert">
      <p>{t.conflict}</p>
      {changes.length > 0 && (
        <ul class="effects">
          {changes.map((change) => (
            <li key={change}>{change}</li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** What changed between two versions of a user, in words. */
function differences(before: Account, after: Account): string[] {
  const t = words();
  const none = text().account.none;
  const values = (of: Account): Record<string, string> => ({
    [t.people.name]: of.name ?? none,
    [t.people.address]: of.email,
    [t.people.role]: t.roles[of.role],
    [t.people.status]: t.statuses[of.status],
  });
  const now = values(after);
  return Object.entries(values(before)).flatMap(([name, value]) => (now[name] === value ? [] : [`${name}: ${value} → ${now[name]}`]));
}

function Facts({ user }: { user: Account }) {
  const { isAdmin } = useConsole();
  const t = words().person;
  const none = text().account.none;
  const locale = user.locale && user.locale in languages ? languages[user.locale as keyof typeof languages] : null;
  const password = user.hasPassword ? t.passwordSince(user.passwordChangedAt ? date(user.passwordChangedAt) : "") : t.noPassword;
  const facts: [string, string, string?][] = [
    [words().people.address, user.email],
    [words().people.name, user.name ?? none],
    [words().people.lastSignIn, user.lastSignInAt ? ago(user.lastSignInAt, serverNow()) : words().people.never, user.lastSignInAt ?? undefined],
    [words().people.created, date(user.createdAt), user.createdAt],
    [t.updated, ago(user.updatedAt, serverNow()), user.updatedAt],
    [text().account.languageTitle, locale ?? t.anyLanguage],
  ];
  if (user.deletedAt) facts.push([t.deleted, date(user.deletedAt), user.deletedAt]);
  if (isAdmin && passwordsOn()) facts.push([text().fields.password, password]);
  return (
    <aside class="frame facts-card" aria-label={t.facts}>
      <h2>{t.facts}</h2>
      <dl>
        {facts.map(([name, value, at]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd title={at && exact(at)}>{value}</dd>
          </div>
        ))}
        <div>
          <dt>{t.id}</dt>
          <dd>
            <code>{user.databaseId}</code>
          </dd>
        </div>
      </dl>
    </aside>
  );
}
