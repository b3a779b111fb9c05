// Signing in to another application: what it asks for, and the answer of the user. The request is in the address of
// this tab and nowhere else.

import { useState } from "preact/hooks";
import { ApiError } from "../api/call";
import { send } from "../api/page";
import type { Me } from "../api/operations";
import { text } from "../i18n";
import * as session from "../session/session";
import { asked, shell, unanswerable, type Asked } from "../shell";
import { Button, LinkButton } from "../ui/button";
import { Card } from "../ui/card";
import { FormError } from "../ui/field";
import { useForm } from "../ui/form";

const KEY = "doorcode.asked";

/** When this request came first, in seconds of the server's time. A reload does not make it newer. */
function askedAt(request: Asked): number {
  try {
    const [search, at] = JSON.parse(sessionStorage.getItem(KEY) ?? "[]") as [string?, number?];
    if (search === location.search && at) return at;
    sessionStorage.setItem(KEY, JSON.stringify([location.search, request.at]));
  } catch {
    // Without storage, a reload asks for another sign-in.
  }
  return request.at;
}

/** Whether the application wants a sign-in after its request, and the session has none. */
export function needsSignIn(): boolean {
  const request = asked();
  return Boolean(request?.needsSignIn) && session.signedInAt() < askedAt(request as Asked);
}

/** Leads back to the application. Returns false if the page stays, because another program opens the address. */
function leave(url: string): boolean {
  location.replace(url);
  return /^https?:/.test(url);
}

interface Props {
  person: NonNullable<Me["me"]>;
  /** Shows who is signed in now. */
  onOther(notice?: string): void;
  /** Shows the sign-in form. */
  onSignIn(notice?: string): void;
}

export function Consent({ person, onOther, onSignIn }: Props) {
  const t = text().consent;
  const form = useForm();
  const [sent, setSent] = useState(false);
  const { name } = (asked() as Asked).client;

  const answer = (approve: boolean) =>
    form.run(async () => {
      const body = { query: location.search.slice(1), approve, account: person.databaseId };
      try {
        const response = await session.withToken((token) => send("POST", "/pages/authorize", body, token));
        const { redirect } = (await response.json()) as { redirect: string };
        if (!leave(redirect)) setSent(true);
        return undefined;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.code === "REAUTHENTICATION_REQUIRED") return onSignIn(t.again(name));
        if (error.code === "CONFLICT") return onOther(t.changed);
        throw error;
      }
    });

  if (sent) return <Card title={t.done(name)} lead={t.doneLead} focusTitle children={null} />;
  return (
    <Card title={t.title(name)} lead={t.lead(name, shell.brand)} focusTitle foot={<LinkButton onClick={() => answer(false)}>{t.refuse}</LinkButton>}>
      <Asks />
      <FormError form={form} />
      <div class="choices">
        <Button wide busy={form.busy} onClick={() => answer(true)}>
          {t.submit(person.email)}
        </Button>
        <Button kind="secondary" wide onClick={() => onSignIn()}>
          {t.other}
        </Button>
      </div>
    </Card>
  );
}

/** The application: its logo or its initial, and its name. */
function Asks() {
  const { name, logo } = (asked() as Asked).client;
  return (
    <p class="asks">
      {logo ? (
        <img src={logo} alt="" width="40" height="40" />
      ) : (
        <span class="avatar tiny" aria-hidden="true">
          {[...name][0]?.toUpperCase()}
        </span>
      )}
      <strong>{name}</strong>
    </p>
  );
}

/** A request that must not be answered, or not now. */
export function Unanswerable() {
  const t = text();
  const busy = unanswerable() === "BUSY";
  return (
    <Card title={busy ? t.failed : t.consent.unknown} lead={busy ? t.errors.unexpected : t.consent.unknownLead} focusTitle>
      {busy && (
        <Button wide onClick={() => location.reload()}>
          {t.retry}
        </Button>
      )}
    </Card>
  );
}
