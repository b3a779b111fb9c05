// API keys: the list, a new key, and the rotation and revocation of one. A key is shown once, until the user is done.

import { useEffect, useRef, useState } from "preact/hooks";
import { serverNow } from "../api/call";
import { API_KEYS, REVOKE_API_KEY, ROTATE_API_KEY, type ApiKeys } from "../api/operations";
import { ago, date, text } from "../i18n";
import * as session from "../session/session";
import { notify } from "../ui/announce";
import { Button } from "../ui/button";
import { copyText } from "../ui/copy";
import { FormError } from "../ui/field";
import { refusal, type Problem } from "../ui/form";
import { useAccount } from "./context";
import { NewKey, type NewSecret } from "./new-key";
import { Part, useAction } from "./part";
import { RevokeQuestion, RotateQuestion } from "./key-questions";

export type Key = NonNullable<ApiKeys["me"]>["apiKeys"][number];

export function Keys() {
  const { person, ask } = useAccount();
  const t = text();
  const form = useAction();
  const [keys, setKeys] = useState<Key[] | null>(null);
  const [isNew, setNew] = useState(false);
  // Newest first. Each stays until the user is done with it.
  const [secrets, setSecrets] = useState<NewSecret[]>([]);
  const create = useRef<HTMLSpanElement>(null);
  const changeKeys: ListProps["onChange"] = (change) => setKeys((old) => old && change(old));
  const show = (secret: NewSecret) => setSecrets((old) => [secret, ...old]);
  const load = () =>
    form.act(async () => {
      const { me } = await ask(API_KEYS, {});
      if (!me) throw new session.SessionEnded();
      setKeys(me.apiKeys);
    });
  useEffect(load, []);
  // When a form or a key goes away, the button that opened it is there again.
  const focusCreate = () => setTimeout(() => create.current?.querySelector("button")?.focus());
  const canCreate = person.role !== "GUEST" && keys !== null && !isNew;

  return (
    <div class="stack">
      <Part
        hint={t.keys.hint}
        action={
          <span ref={create}>
            {canCreate && (
              <Button kind="secondary" small onClick={() => setNew(true)}>
                {t.keys.create}
              </Button>
            )}
          </span>
        }
      >
        {isNew && (
          <NewKey
            onCreated={(created) => {
              setNew(false);
              show(created);
              changeKeys((old) => [created.key, ...old]);
            }}
            onClose={() => {
              setNew(false);
              focusCreate();
            }}
          />
        )}
        {secrets.map((shown) => (
          <Secret
            shown={shown}
            onDone={() => {
              setSecrets((old) => old.filter((other) => other !== shown));
              focusCreate();
            }}
            key={shown.secret}
          />
        ))}
        <FormError form={form} />
        {!keys && form.problem && (
          <Button kind="secondary" onClick={load}>
            {t.retry}
          </Button>
        )}
        {keys?.length === 0 && !isNew && <p class="empty">{t.keys.none}</p>}
        {keys && keys.length > 0 && <List keys={keys} onChange={changeKeys} onSecret={show} />}
        {!keys && !form.problem && <div class="loading-part" aria-hidden="true" />}
      </Part>
    </div>
  );
}

/** A new key with its text, which nobody can read again. */
function Secret({ shown, onDone }: { shown: NewSecret; onDone: () => void }) {
  const t = text();
  const heading = useRef<HTMLHeadingElement>(null);
  const code = useRef<HTMLElement>(null);
  const [copied, setCopied] = useState("");
  useEffect(() => heading.current?.focus(), []);
  const copy = async () => setCopied(code.current && (await copyText(code.current)) ? t.copied : t.keys.copyHint);
  return (
    <div class="new-secret">
      <h2 ref={heading} tabIndex={-1}>
        {t.keys.createdTitle}
      </h2>
      <p class="hint">
        {shown.rotated ? t.keys.rotated(shown.key.name) : t.keys.created(shown.key.name)} {t.keys.createdLead}
      </p>
      <code class="key" ref={code}>
        {shown.secret}
      </code>
      <div class="actions">
        <Button onClick={copy}>{t.copy}</Button>
        <Button kind="secondary" onClick={onDone}>
          {t.keys.done}
        </Button>
        <span class="hint" role="status">
          {copied}
        </span>
      </div>
    </div>
  );
}

interface ListProps {
  keys: Key[];
  onChange: (change: (keys: Key[]) => Key[]) => void;
  onSecret: (secret: NewSecret) => void;
}

function List({ keys, onChange, onSecret }: ListProps) {
  const { ask } = useAccount();
  const t = text().keys;
  const form = useAction();
  const [asking, setAsking] = useState<{ about: "rotate" | "revoke"; key: Key } | null>(null);
  const replace = (changed: Key) => onChange((old) => old.map((key) => (key.id === changed.id ? changed : key)));
  const rotate = ({ id }: Key, overlapSeconds: number) =>
    form.act(async (): Promise<Problem | void> => {
      const { rotateApiKey } = await ask(ROTATE_API_KEY, { input: { id, overlapSeconds } });
      if (rotateApiKey.__typename === "RateLimited") return refusal(rotateApiKey);
      replace(rotateApiKey.apiKey);
      onSecret({ key: rotateApiKey.apiKey, secret: rotateApiKey.key, rotated: true });
      return undefined;
    });
  const revoke = ({ id }: Key) =>
    form.act(async () => {
      const { revokeApiKey } = await ask(REVOKE_API_KEY, { input: { id } });
      replace(revokeApiKey.apiKey);
      notify(t.revoked);
    });
  const answer = (work: (key: Key) => void) => {
    if (asking) work(asking.key);
    setAsking(null);
  };
  return (
    <>
      <FormError form={form} />
      <ul class="items wrapping">
        {keys.map((key) => (
          <Item key={key.id} of={key} disabled={form.busy} onAsk={(about) => setAsking({ about, key })} />
        ))}
      </ul>
      {asking?.about === "rotate" && (
        <RotateQuestion
          name={asking.key.name}
          onClose={() => setAsking(null)}
          onRotate={(overlap) => answer((key) => rotate(key, overlap))}
        />
      )}
      {asking?.about === "revoke" && (
        <RevokeQuestion name={asking.key.name} onClose={() => setAsking(null)} onRevoke={() => answer(revoke)} />
      )}
    </>
  );
}

/** Whether a key no longer works, and since when or until when it does. */
function lifetime({ revokedAt, expiresAt }: Key): { isOver: boolean; until: string | null } {
  const t = text().keys;
  if (revokedAt) return { isOver: true, until: t.revokedOn(date(revokedAt)) };
  if (!expiresAt) return { isOver: false, until: null };
  const isOver = Date.parse(expiresAt) <= serverNow();
  return { isOver, until: isOver ? t.expiredOn(date(expiresAt)) : t.expiresOn(date(expiresAt)) };
}

function Item({ of: key, disabled, onAsk }: { of: Key; disabled: boolean; onAsk: (about: "rotate" | "revoke") => void }) {
  const t = text().keys;
  const { isOver, until } = lifetime(key);
  const used = key.lastUsedAt ? t.lastUsed(ago(key.lastUsedAt, serverNow())) : t.neverUsed;
  return (
    <li class={isOver ? "over" : undefined}>
      <div>
        <p class="item-title">{key.name}</p>
        <p class="hint">{key.scopes.map((scope) => t.scope[scope] ?? scope).join(" · ")}</p>
        <p class="hint">
          <code>{key.prefix}…</code>
        </p>
        <p class="hint">{[t.createdOn(date(key.createdAt)), used, until].filter(Boolean).join(", ")}</p>
      </div>
      {!isOver && (
        <div class="item-actions">
          <Button kind="quiet" small disabled={disabled} ariaLabel={t.rotateLabel(key.name)} onClick={() => onAsk("rotate")}>
            {t.rotate}
          </Button>
          <Button kind="quiet" small disabled={disabled} ariaLabel={t.revokeLabel(key.name)} onClick={() => onAsk("revoke")}>
            {t.revoke}
          </Button>
        </div>
      )}
    </li>
  );
}
