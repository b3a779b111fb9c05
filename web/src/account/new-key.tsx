// The form for a new API key.

import { useId, useState } from "preact/hooks";
import { serverNow } from "../api/call";
import { CREATE_API_KEY } from "../api/operations";
import { date, text } from "../i18n";
import { scopesOf } from "../shell";
import { Button } from "../ui/button";
import { Field, Select } from "../ui/field";
import { refusal, type Form, type Problem } from "../ui/form";
import { SubmitForm } from "../ui/submit-form";
import { useAccount } from "./context";
import type { Key } from "./keys";
import { useAction } from "./part";

/** A key together with its text. */
export interface NewSecret {
  key: Key;
  secret: string;
  rotated: boolean;
}

const DAY = 86_400_000;
const LIFETIMES = [30, 90, 365];

export function NewKey({ onCreated, onClose }: { onCreated: (created: NewSecret) => void; onClose: () => void }) {
  const { person, ask } = useAccount();
  const t = text();
  const form = useAction("name");
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<string[]>([]);
  const [days, setDays] = useState(90);
  const submit = () =>
    form.act(async (): Promise<Problem | void> => {
      if (!name.trim()) return { field: "name", message: t.keys.noKeyName };
      if (scopes.length === 0) return { field: "scopes", message: t.keys.noScopes };
      const expiresAt = days === 0 ? null : new Date(serverNow() + days * DAY).toISOString();
      const { createApiKey } = await ask(CREATE_API_KEY, { input: { name: name.trim(), scopes, expiresAt } });
      if (createApiKey.__typename === "RateLimited") return refusal(createApiKey, "name");
      onCreated({ key: createApiKey.apiKey, secret: createApiKey.key, rotated: false });
      return undefined;
    });
  return (
    <SubmitForm class="inner" onSubmit={submit}>
      <h2>{t.keys.createTitle}</h2>
      <Field form={form} name="name" label={t.fields.name} placeholder={t.keys.namePlaceholder} maxlength={200} value={name} onInput={setName} autofocus />
      <Scopes form={form} offered={scopesOf(person.role)} chosen={scopes} onChange={setScopes} />
      <Expiry days={days} onChange={setDays} />
      <div class="actions">
        <Button type="submit" busy={form.busy} until={form.until} label={t.keys.create}>
          {t.keys.create}
        </Button>
        <Button kind="quiet" onClick={onClose}>
          {t.cancel}
        </Button>
      </div>
    </SubmitForm>
  );
}

interface ScopesProps {
  form: Form;
  offered: string[];
  chosen: string[];
  onChange: (scopes: string[]) => void;
}

function Scopes({ form, offered, chosen, onChange }: ScopesProps) {
  const t = text().keys;
  const id = useId();
  const error = form.problem?.field === "scopes" ? form.problem.message : "";
  const first = form.input("scopes");
  return (
    <fieldset class="scopes" aria-describedby={id}>
      <legend>{t.scopes}</legend>
      {offered.map((scope, at) => (
        <label class="option" key={scope}>
          <input
            ref={at === 0 ? first : undefined}
            type="checkbox"
            name={scope}
            checked={chosen.includes(scope)}
            aria-describedby={error ? id : undefined}
            onChange={(event) =>
              onChange(event.currentTarget.checked ? [...chosen, scope] : chosen.filter((other) => other !== scope))
            }
          />
          {t.scope[scope] ?? scope}
        </label>
      ))}
      <p class="error" role="alert" id={id}>
        {error}
      </p>
    </fieldset>
  );
}

function Expiry({ days, onChange }: { days: number; onChange: (days: number) => void }) {
  const t = text().keys;
  const lifetime = (number: number): [string, string] => [
    String(number), `${t.inDays(number)} (${date(new Date(serverNow() + number * DAY).toISOString())})`,
  ];
  return (
    <Select
      name="expires"
      label={t.expires}
      options={[...LIFETIMES.map(lifetime), ["0", t.never]]}
      value={String(days)}
      onChange={(value) => onChange(Number(value))}
    />
  );
}
