// How a user gets in: sessions, known devices and API keys.

import { useEffect, useState } from "preact/hooks";
import { deviceName } from "../account/device-name";
import { useAction } from "../account/part";
import { serverNow } from "../api/call";
import {
  END_USER_SESSION, ENDED_SESSIONS, PERSON_ACCESS, REVOKE_API_KEY, type EndedSessions, type PersonAccess,
} from "../api/operations";
import { ago, date, text } from "../i18n";
import { Button } from "../ui/button";
import { FormError } from "../ui/field";
import { useConsole } from "./context";
import { exact } from "./format";
import type { Account } from "./person";
import { Question } from "./question";
import { link } from "./route";
import { Tag } from "./table";
import { words } from "./words";

type Facts = NonNullable<PersonAccess["user"]>;
type Session = Facts["sessions"]["nodes"][number];
type Key = Facts["apiKeys"][number];

interface Props {
  user: Account;
  /** Changes when the lists may have changed. */
  turn: number;
  onChanged: (notice: string) => void;
}

export function Access({ user, turn, onChanged }: Props) {
  const { ask, isAdmin } = useConsole();
  const form = useAction();
  const [facts, setFacts] = useState<Facts | null>(null);
  const load = () =>
    form.act(async () => {
      const { user: found } = await ask(PERSON_ACCESS, { id: user.id });
      setFacts(found);
    });
  useEffect(load, [turn]);
  if (!facts) {
    return form.problem ? <FormError form={form} /> : <div class="frame loading-part" aria-hidden="true" />;
  }
  return (
    <>
      <Sessions user={user} open={facts.sessions.nodes} turn={turn} onChanged={onChanged} />
      <Devices list={facts.devices} />
      {/* Only administrators see the keys of others. */}
      {isAdmin && <Keys list={facts.apiKeys} onChanged={onChanged} />}
    </>
  );
}

/** The moment of the last request, which is accurate to a minute. */
function seen(at: string): string {
  const t = text().security;
  return serverNow() - Date.parse(at) < 120_000 ? t.activeNow : t.active(ago(at, serverNow()));
}

function Sessions({ user, open, turn, onChanged }: Props & { open: Session[] }) {
  const { isAdmin, ask } = useConsole();
  const t = words().person;
  const [ending, setEnding] = useState<Session | null>(null);
  const end = async () => {
    if (!ending) return;
    await ask(END_USER_SESSION, { input: { id: ending.id } });
    setEnding(null);
    onChanged(t.sessionEnded(deviceName(ending.userAgent)));
  };
  return (
    <section class="frame part">
      <h2>
        {text().security.sessionsTitle} <span class="count">{open.length}</span>
      </h2>
      {open.length === 0 ? (
        <p class="empty">{t.noSessions}</p>
      ) : (
        <ul class="items wrapping">
          {open.map((one) => (
            <li key={one.id}>
              <SessionText one={one} when={seen(one.lastSeenAt)} />
              <div class="item-actions">
                <a class="button quiet small" href={link("audit", "", { session: one.id, range: "all" })} aria-label={t.sessionEventsLabel(deviceName(one.userAgent))}>
                  {t.sessionEvents}
                </a>
                {isAdmin && !one.current && (
                  <Button kind="quiet" small ariaLabel={text().security.endLabel(deviceName(one.userAgent))} onClick={() => setEnding(one)}>
                    {text().security.end}
                  </Button>
                )}
              </div>
            </li>
          ))}
        </ul>
      )}
      <Ended id={user.id} turn={turn} />
      {ending && (
        <Question
          title={t.endTitle}
          lead={[deviceName(ending.userAgent), ending.ipAddress, seen(ending.lastSeenAt)].filter(Boolean).join(", ")}
          effects={t.endEffects}
          submit={text().security.end}
          danger
          onSubmit={end}
          onClose={() => setEnding(null)}
        />
      )}
    </section>
  );
}

function SessionText({ one, when }: { one: Session; when: string }) {
  const t = words().person;
  return (
    <div>
      <p class="item-title">
        {deviceName(one.userAgent)} {one.current && <Tag kind="strong">{text().security.thisBrowser}</Tag>}
        {one.clientId && <Tag kind="plain">{one.clientId}</Tag>}
      </p>
      <p class="hint">
        {[one.ipAddress, when, one.methods.map((method) => t.methods[method] ?? method).join(" + ")].filter(Boolean).join(", ")}
      </p>
    </div>
  );
}

type EndedPage = NonNullable<EndedSessions["user"]>["endedSessions"];

/** The sessions that ended, loaded when the list is opened. */
function Ended({ id, turn }: { id: string; turn: number }) {
  const { ask } = useConsole();
  const t = words().person;
  const form = useAction();
  const [isOpen, setOpen] = useState(false);
  const [list, setList] = useState<EndedPage | null>(null);
  const load = (after: string | null) =>
    form.act(async () => {
      const { user } = await ask(ENDED_SESSIONS, { id, after });
      if (!user) return;
      const { nodes, pageInfo } = user.endedSessions;
      setList((old) => ({ nodes: [...(after && old ? old.nodes : []), ...nodes], pageInfo }));
    });
  useEffect(() => {
    if (isOpen) load(null);
  }, [isOpen, turn]);
  return (
    <details class="more" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t.ended}</summary>
      <FormError form={form} />
      {list?.nodes.length === 0 && <p class="empty">{t.noneEnded}</p>}
      {list && list.nodes.length > 0 && (
        <ul class="items">
          {list.nodes.map((one) => (
            <li key={one.id}>
              <SessionText one={one} when={ago(one.endedAt ?? one.expiresAt, serverNow())} />
              <span class="hint" title={exact(one.endedAt ?? one.expiresAt)}>
                {one.endReason && (t.endReasons[one.endReason] ?? one.endReason)}
              </span>
            </li>
          ))}
        </ul>
      )}
      {list?.pageInfo.hasNextPage && (
        <Button kind="secondary" small busy={form.busy} onClick={() => load(list.pageInfo.endCursor)}>
          {text().security.more}
        </Button>
      )}
    </details>
  );
}

function Devices({ list }: { list: Facts["devices"] }) {
  const t = text().security;
  return (
    <section class="frame part">
      <h2>
        {t.devicesTitle} <span class="count">{list.length}</span>
      </h2>
      {list.length === 0 && <p class="empty">{t.noDevices}</p>}
      <ul class="items" hidden={list.length === 0}>
        {list.map((one) => (
          <li key={one.id}>
            <div>
              <p class="item-title">{deviceName(one.userAgent)}</p>
              <p class="hint">{[one.ipAddress, t.lastUsed(ago(one.lastUsedAt, serverNow()))].filter(Boolean).join(", ")}</p>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Keys({ list, onChanged }: { list: Key[]; onChanged: (notice: string) => void }) {
  const { ask } = useConsole();
  const t = text().keys;
  const [revoking, setRevoking] = useState<Key | null>(null);
  const revoke = async () => {
    if (!revoking) return;
    await ask(REVOKE_API_KEY, { input: { id: revoking.id } });
    setRevoking(null);
    onChanged(t.revoked);
  };
  const isOver = (key: Key) => key.revokedAt !== null || (key.expiresAt !== null && Date.parse(key.expiresAt) <= serverNow());
  return (
    <section class="frame part">
      <h2>
        {text().account.keys} <span class="count">{list.length}</span>
      </h2>
      {list.length === 0 && <p class="empty">{t.none}</p>}
      <ul class="items wrapping" hidden={list.length === 0}>
        {list.map((key) => (
          <li key={key.id} class={isOver(key) ? "over" : undefined}>
            <div>
              <p class="item-title">{key.name}</p>
              <p class="hint">
                <code>{key.prefix.slice(0, 11)}…</code> {key.scopes.join(", ")}, {key.lastUsedAt ? t.lastUsed(ago(key.lastUsedAt, serverNow())) : t.neverUsed}
                {key.revokedAt ? `, ${t.revokedOn(date(key.revokedAt))}` : key.expiresAt ? `, ${t.expiresOn(date(key.expiresAt))}` : ""}
              </p>
            </div>
            {!isOver(key) && (
              <div class="item-actions">
                <Button kind="quiet" small ariaLabel={t.revokeLabel(key.name)} onClick={() => setRevoking(key)}>
                  {t.revoke}
                </Button>
              </div>
            )}
          </li>
        ))}
      </ul>
      {revoking && (
        <Question title={t.revokeTitle(revoking.name)} lead={t.revokeLead} submit={t.revoke} danger onSubmit={revoke} onClose={() => setRevoking(null)} />
      )}
    </section>
  );
}
