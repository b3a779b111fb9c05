// Password, sessions, known devices and recent activity.

import { useEffect, useState } from "preact/hooks";
import { serverNow } from "../api/call";
import {
  END_OTHER_SESSIONS, END_SESSION, FORGET_DEVICE, MORE_ACTIVITY, SECURITY, type Security as SecurityData,
} from "../api/operations";
import { ago, moment, text } from "../i18n";
import * as session from "../session/session";
import { passwordsOn } from "../shell";
import { notify } from "../ui/announce";
import { Button } from "../ui/button";
import { FormError } from "../ui/field";
import { useAccount } from "./context";
import { deviceName } from "./device-name";
import { Part, useAction } from "./part";
import { PasswordRow } from "./password";

type Facts = NonNullable<SecurityData["me"]>;
type SessionFacts = Facts["sessions"]["nodes"][number];
type Events = Facts["auditEvents"];

export function Security({ openPassword }: { openPassword: boolean }) {
  const { person, ask } = useAccount();
  const form = useAction();
  const [facts, setFacts] = useState<Facts | null>(null);
  const load = () =>
    form.act(async () => {
      const { me } = await ask(SECURITY, {});
      if (!me) throw new session.SessionEnded();
      setFacts(me);
    });
  useEffect(load, []);

  const canChange = person.role !== "GUEST";
  return (
    <div class="stack">
      {passwordsOn() && canChange && <PasswordRow initiallyOpen={openPassword} />}
      {form.problem && (
        <div class="part">
          <FormError form={form} />
          <Button kind="secondary" onClick={load}>
            {text().retry}
          </Button>
        </div>
      )}
      {facts ? (
        <>
          <Sessions list={facts.sessions.nodes} onChange={(nodes) => setFacts((old) => old && { ...old, sessions: { nodes } })} />
          <Devices list={facts.devices} onChange={(devices) => setFacts((old) => old && { ...old, devices })} />
          <Activity first={facts.auditEvents} />
        </>
      ) : (
        !form.problem && <div class="part loading-part" aria-hidden="true" />
      )}
    </div>
  );
}

/** The moment of the last request, which is accurate to a minute. */
function seen(at: string): string {
  const t = text().security;
  return serverNow() - Date.parse(at) < 120_000 ? t.activeNow : t.active(ago(at, serverNow()));
}

function sessionText(one: SessionFacts): string {
  const limit = one.remembered ? null : text().security.shortSession;
  return [one.ipAddress, seen(one.lastSeenAt), limit].filter(Boolean).join(", ");
}

function Sessions({ list, onChange }: { list: SessionFacts[]; onChange: (list: SessionFacts[]) => void }) {
  const { ask } = useAccount();
  const t = text().security;
  const form = useAction();
  const ordered = [...list].sort((a, b) => Number(b.current) - Number(a.current));
  const end = ({ id }: SessionFacts) =>
    form.act(async () => {
      await ask(END_SESSION, { input: { id } });
      onChange(list.filter((one) => one.id !== id));
      notify(t.ended);
    });
  const endOthers = () =>
    form.act(async () => {
      const { endOtherSessions } = await ask(END_OTHER_SESSIONS, {});
      onChange(list.filter((one) => one.current));
      notify(t.endedOthers(endOtherSessions.count));
    });
  return (
    <Part
      title={t.sessionsTitle}
      hint={t.sessionsHint}
      action={
        list.length > 1 && (
          <Button kind="secondary" small busy={form.busy} onClick={endOthers}>
            {t.endOthers}
          </Button>
        )
      }
    >
      <FormError form={form} />
      <ul class="items">
        {ordered.map((one) => (
          <li key={one.id}>
            <div>
              <p class="item-title">
                {deviceName(one.userAgent)} {one.current && <span class="badge">{t.thisBrowser}</span>}
                {one.clientId && <span class="badge">{one.clientId}</span>}
              </p>
              <p class="hint">{sessionText(one)}</p>
            </div>
            {!one.current && (
              <Button kind="quiet" small disabled={form.busy} ariaLabel={t.endLabel(deviceName(one.userAgent))} onClick={() => end(one)}>
                {t.end}
              </Button>
            )}
          </li>
        ))}
      </ul>
    </Part>
  );
}

function Devices({ list, onChange }: { list: Facts["devices"]; onChange: (list: Facts["devices"]) => void }) {
  const { ask } = useAccount();
  const t = text().security;
  const form = useAction();
  const forget = (id: string) =>
    form.act(async () => {
      await ask(FORGET_DEVICE, { input: { id } });
      onChange(list.filter((device) => device.id !== id));
      notify(t.forgotten);
    });
  return (
    <Part title={t.devicesTitle} hint={t.devicesHint}>
      <FormError form={form} />
      {list.length === 0 && <p class="empty">{t.noDevices}</p>}
      <ul class="items">
        {list.map(({ id, userAgent, ipAddress, lastUsedAt }) => (
          <li key={id}>
            <div>
              <p class="item-title">{deviceName(userAgent)}</p>
              <p class="hint">{[ipAddress, t.lastUsed(ago(lastUsedAt, serverNow()))].filter(Boolean).join(", ")}</p>
            </div>
            <Button kind="quiet" small disabled={form.busy} ariaLabel={t.forgetLabel(deviceName(userAgent))} onClick={() => forget(id)}>
              {t.forget}
            </Button>
          </li>
        ))}
      </ul>
    </Part>
  );
}

function Activity({ first }: { first: Events }) {
  const { ask } = useAccount();
  const t = text();
  const form = useAction();
  const [events, setEvents] = useState(first);
  const more = () =>
    form.act(async () => {
      const { me } = await ask(MORE_ACTIVITY, { after: events.pageInfo.endCursor });
      if (me) setEvents({ ...me.auditEvents, nodes: [...events.nodes, ...me.auditEvents.nodes] });
    });
  return (
    <Part title={t.security.activityTitle} hint={t.security.activityHint}>
      {events.nodes.length === 0 && <p class="empty">{t.security.noActivity}</p>}
      <ol class="items events">
        {events.nodes.map((event) => (
          <li key={event.id}>
            <div>
              <p class="item-title">
                {t.activity[event.kind] ?? event.kind}
                {event.count > 1 && <span class="badge">{t.security.times(event.count)}</span>}
              </p>
              <p class="hint">{[event.userAgent && deviceName(event.userAgent), event.ipAddress].filter(Boolean).join(", ")}</p>
            </div>
            <time class="hint" dateTime={event.at} title={moment(event.at)}>
              {ago(event.at, serverNow())}
            </time>
          </li>
        ))}
      </ol>
      <FormError form={form} />
      {events.pageInfo.hasNextPage && (
        <Button kind="quiet" small busy={form.busy} onClick={more}>
          {t.security.more}
        </Button>
      )}
    </Part>
  );
}
