// A copy of the user's data, and the deletion of the account.

import { useState } from "preact/hooks";
import { serverNow } from "../api/call";
import { DELETE_ACCOUNT, EXPORT_DATA } from "../api/operations";
import { text } from "../i18n";
import * as session from "../session/session";
import { notify } from "../ui/announce";
import { Button } from "../ui/button";
import { Field, FormError } from "../ui/field";
import { refusal, type Problem } from "../ui/form";
import { SubmitForm } from "../ui/submit-form";
import { useAccount } from "./context";
import { Part, Row, useAction } from "./part";

export function Data() {
  const { person } = useAccount();
  const t = text().data;
  return (
    <div class="stack">
      <Export />
      {person.role !== "GUEST" && (
        <Row title={t.deleteTitle} value={t.deleteHint} long open={t.deleteTitle}>
          {(close) => <DeleteForm close={close} />}
        </Row>
      )}
    </div>
  );
}

/** Offers a text to the browser as a file. */
function download(name: string, content: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type: "application/json" }));
  link.download = name;
  link.click();
  // The browser may still be reading the file.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function Export() {
  const { ask } = useAccount();
  const t = text().data;
  const form = useAction();
  const save = () =>
    form.act(async (): Promise<Problem | void> => {
      const { exportData } = await ask(EXPORT_DATA, {});
      if (exportData.__typename === "RateLimited") return refusal(exportData);
      const name = `account-${new Date(serverNow()).toISOString().slice(0, 10)}.json`;
      download(name, JSON.stringify(exportData.data, null, 2));
      notify(t.exported(name));
      return undefined;
    });
  return (
    <Part
      title={t.exportTitle}
      hint={t.exportHint}
      action={
        <Button kind="secondary" small busy={form.busy} until={form.until} label={t.export} onClick={save}>
          {t.export}
        </Button>
      }
    >
      <FormError form={form} />
    </Part>
  );
}

function DeleteForm({ close }: { close: (notice: string) => void }) {
  const { person, ask, signedOut } = useAccount();
  const t = text();
  const form = useAction("email");
  const [email, setEmail] = useState("");
  const submit = () =>
    form.act(async (): Promise<Problem | void> => {
      // Check for an empty field here, because the server would first ask for a recent sign-in.
      if (!email.trim()) return { field: "email", message: t.data.noAddress };
      const { deleteAccount } = await ask(DELETE_ACCOUNT, { input: { email: email.trim() } });
      if (deleteAccount.__typename !== "AccountDeleted") return refusal(deleteAccount, "email");
      await session.forgetAccount(person.email);
      signedOut(deleteAccount.message);
      return undefined;
    });
  return (
    <SubmitForm class="inner" onSubmit={submit}>
      <Field form={form} name="email" type="email" label={t.data.deleteField} value={email} onInput={setEmail} autofocus />
      <div class="actions">
        <Button type="submit" kind="danger" busy={form.busy} until={form.until} label={t.data.delete}>
          {t.data.delete}
        </Button>
        <Button kind="quiet" onClick={() => close("")}>
          {t.cancel}
        </Button>
      </div>
    </SubmitForm>
  );
}
