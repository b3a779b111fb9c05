// What an administrator can do to a user.

import { useState } from "preact/hooks";
import { useAction } from "../account/part";
import { RESTORE_USER } from "../api/operations";
import { text } from "../i18n";
import { passwordsOn } from "../shell";
import { Button } from "../ui/button";
import { FormError } from "../ui/field";
import { useConsole } from "./context";
import type { Account, Change } from "./person";
import { Delete, Edit, EndAll, Reset, Suspend } from "./person-questions";
import { words } from "./words";

export interface ActionProps {
  user: Account;
  change: Change;
  onSaved: (user: Account, notice: string, undo?: () => void) => void;
  /** Called when sessions have ended, or an email was sent. */
  onEnded: (notice: string) => void;
}

type Asked = "edit" | "suspend" | "delete" | "end" | "reset";

export const nameOf = (user: Account) => user.name ?? user.email;

export function Actions(props: ActionProps) {
  const { person, isAdmin } = useConsole();
  const [asked, setAsked] = useState<Asked | null>(null);
  const { form, restore } = useRestore(props);
  const { user } = props;
  const t = words().person;
  if (!isAdmin) return null;
  if (user.id === person.id) {
    return (
      <p class="hint own-account">
        {t.ownAccount} <a href="/account">{words().toAccount}</a>
      </p>
    );
  }
  const open = (name: Asked, label: string, kind: "secondary" | "danger" = "secondary") => (
    <Button small kind={kind} onClick={() => setAsked(name)}>
      {label}
    </Button>
  );
  const question = { ...props, restore, onClose: () => setAsked(null) };
  return (
    <div class="head-actions">
      {user.status !== "ACTIVE" && (
        <Button small busy={form.busy} onClick={() => restore(user)}>
          {t.restore}
        </Button>
      )}
      {user.status !== "DELETED" && open("edit", text().edit)}
      {user.status === "ACTIVE" && passwordsOn() && open("reset", t.reset)}
      {user.status === "ACTIVE" && open("end", t.endAll)}
      {user.status === "ACTIVE" && open("suspend", t.suspend, "danger")}
      {user.status !== "DELETED" && open("delete", t.delete, "danger")}
      <FormError form={form} />
      {asked === "edit" && <Edit {...question} />}
      {asked === "suspend" && <Suspend {...question} />}
      {asked === "delete" && <Delete {...question} />}
      {asked === "end" && <EndAll {...question} />}
      {asked === "reset" && <Reset {...question} />}
    </div>
  );
}

/** Lifts a suspension or a deletion. Nothing is lost by it, so it asks no question. */
function useRestore({ change, onSaved }: ActionProps) {
  const { ask } = useConsole();
  const form = useAction();
  const restore = ({ id, version }: Account) =>
    form.act(() =>
      change(async () => {
        const { restoreUser } = await ask(RESTORE_USER, { input: { id, version } });
        onSaved(restoreUser.user, words().person.restored(nameOf(restoreUser.user)));
      }),
    );
  return { form, restore };
}
