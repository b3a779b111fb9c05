// Filters of the audit trail by who and from where: one field that takes an address, a network or a session, and what
// is set, each with a button that removes it.

import { useEffect, useState } from "preact/hooks";
import { useAction } from "../account/part";
import { ApiError } from "../api/call";
import { PERSON_BY_EMAIL, PERSON_BY_ID } from "../api/operations";
import type { Problem } from "../ui/form";
import { SubmitForm } from "../ui/submit-form";
import type { Filters } from "./audit";
import { Choice } from "./choice";
import { useConsole } from "./context";
import { Icon } from "./icons";
import { words } from "./words";

type Change = (part: Partial<Filters>) => void;

const NETWORK = /^(\d{1,3}(\.\d{1,3}){3}|[\da-f]*:[\da-f:.]*)(\/\d{1,3})?$/i;

export function NarrowDown({ onFilter }: { onFilter: Change }) {
  const { ask, isAdmin } = useConsole();
  const t = words().audit;
  const form = useAction("narrow");
  const [typed, setTyped] = useState("");
  const userOf = async (email: string): Promise<string | null> => {
    try {
      return (await ask(PERSON_BY_EMAIL, { email })).user?.id ?? null;
    } catch (error) {
      if (error instanceof ApiError && error.code === "NOT_FOUND") return null;
      throw error;
    }
  };
  const submit = () =>
    form.act(async (): Promise<Problem | void> => {
      const wanted = typed.trim();
      if (!wanted) return undefined;
      if (NETWORK.test(wanted)) onFilter({ network: wanted });
      else if (wanted.includes("@")) {
        const user = await userOf(wanted);
        if (user) onFilter({ user, email: "" });
        // Someone may have tried an address that has no account. Only administrators can look for it.
        else if (isAdmin) onFilter({ email: wanted, user: "" });
        else return { field: "narrow", message: t.noSuchUser };
      } else onFilter({ session: wanted });
      setTyped("");
      return undefined;
    });
  return (
    <SubmitForm class="narrow" onSubmit={submit}>
      <label class="search">
        <span class="sr-only">{t.narrow}</span>
        <Icon name="search" />
        <input
          ref={form.input("narrow")}
          class="input"
          type="search"
          name="narrow"
          placeholder={t.narrow}
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          maxLength={254}
          value={typed}
          aria-invalid={form.problem ? "true" : undefined}
          aria-describedby="narrow-error"
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      </label>
      <p class="error" role="alert" id="narrow-error">
        {form.problem?.message ?? ""}
      </p>
    </SubmitForm>
  );
}

export function Chips({ filters, onChange }: { filters: Filters; onChange: Change }) {
  const t = words().audit;
  const { user, as, network, session, email } = filters;
  if (!user && !network && !session && !email) return null;
  return (
    <ul class="chips" aria-label={t.filters}>
      {user && (
        <li>
          <UserName id={user} />
          <Choice label={t.as} value={as || "subject"} options={{ subject: t.asSubject, actor: t.asActor }} onChoose={(next) => onChange({ as: next === "actor" ? next : "" })} />
          <Remove label={t.removeUser} onRemove={() => onChange({ user: "", as: "" })} />
        </li>
      )}
      {email && (
        <li>
          {t.chipEmail(email)} <Remove label={t.removeEmail} onRemove={() => onChange({ email: "" })} />
        </li>
      )}
      {network && (
        <li>
          {t.chipNetwork(network)}
          {widened(network) && (
            <button type="button" class="link" onClick={() => onChange({ network: widened(network) ?? "" })}>
              {t.widen(widened(network) ?? "")}
            </button>
          )}
          <Remove label={t.removeNetwork} onRemove={() => onChange({ network: "" })} />
        </li>
      )}
      {session && (
        <li>
          {t.chipSession} <code>{session.length > 13 ? `${session.slice(0, 12)}…` : session}</code>
          <Remove label={t.removeSession} onRemove={() => onChange({ session: "" })} />
        </li>
      )}
    </ul>
  );
}

/** The network of an IPv4 address, because attackers have many neighbouring addresses. */
function widened(network: string): string | null {
  const [, start] = /^(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}$/.exec(network) ?? [];
  return start ? `${start}.0/24` : null;
}

function UserName({ id }: { id: string }) {
  const { ask } = useConsole();
  const [name, setName] = useState("…");
  useEffect(() => {
    ask(PERSON_BY_ID, { id }).then(
      ({ user }) => setName(user ? (user.name ?? user.email) : id),
      () => setName(id), // The list says what is wrong with it.
    );
  }, [id]);
  return <span>{name}</span>;
}

function Remove({ label, onRemove }: { label: string; onRemove: () => void }) {
  return (
    <button type="button" class="remove" aria-label={label} onClick={onRemove}>
      <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
        <path d="m4 4 8 8m0-8-8 8" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" />
      </svg>
    </button>
  );
}
