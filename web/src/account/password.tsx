// The password of the signed-in user: setting, changing and removing it. The server wants the current password or a
// recent sign-in by email.

import { useState } from "preact/hooks";
import { REMOVE_PASSWORD, SET_PASSWORD, type RemovePassword, type SetPassword } from "../api/operations";
import { date, text } from "../i18n";
import { keepLast } from "../session/devices";
import * as session from "../session/session";
import { shell } from "../shell";
import { Button } from "../ui/button";
import { Field } from "../ui/field";
import { refusal, type Form, type Problem } from "../ui/form";
import { PasswordOwner, SubmitForm } from "../ui/submit-form";
import { useAccount } from "./context";
import { Row, useAction } from "./part";

export function PasswordRow({ initiallyOpen }: { initiallyOpen: boolean }) {
  const { person } = useAccount();
  const t = text().security;
  const since = person.passwordChangedAt && t.passwordSince(date(person.passwordChangedAt));
  return (
    <Row
      title={t.passwordTitle}
      value={person.hasPassword ? since : t.noPassword}
      open={person.hasPassword ? t.changePassword : t.setPassword}
      initiallyOpen={initiallyOpen}
    >
      {(close) => <PasswordForm close={close} />}
    </Row>
  );
}

type Refused = Extract<SetPassword["setPassword"] | RemovePassword["removePassword"], { message: string }>;

const refused = (outcome: Refused): Problem =>
  refusal(outcome, outcome.__typename === "WeakPassword" ? "new-password" : "current-password");

function CurrentPassword({ form, value, onInput }: { form: Form; value: string; onInput: (value: string) => void }) {
  const t = text();
  return (
    <Field
      form={form}
      name="current-password"
      type="password"
      label={t.fields.currentPassword}
      autocomplete="current-password"
      value={value}
      onInput={onInput}
      hint={t.security.forgot}
      autofocus
    />
  );
}

function PasswordForm({ close }: { close: (notice: string) => void }) {
  const { person, update, ask } = useAccount();
  const t = text();
  const form = useAction("new-password");
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");

  const finish = (user: { hasPassword: boolean | null; passwordChangedAt: string | null }, notice: string) => {
    if (session.isRemembered()) keepLast({ email: person.email, password: Boolean(user.hasPassword) });
    update(user);
    close(notice);
  };
  const save = () =>
    form.act(async (): Promise<Problem | void> => {
      if (!next) return { field: "new-password", message: t.errors.noNewPassword };
      const input = { currentPassword: current || null, newPassword: next };
      const { setPassword } = await ask(SET_PASSWORD, { input });
      if (setPassword.__typename !== "PasswordSet") return refused(setPassword);
      return finish(setPassword.user, t.security.saved);
    });
  const remove = () =>
    form.act(async (): Promise<Problem | void> => {
      const { removePassword } = await ask(REMOVE_PASSWORD, { input: { currentPassword: current || null } });
      if (removePassword.__typename !== "PasswordRemoved") return refused(removePassword);
      return finish(removePassword.user, t.security.removed);
    });

  return (
    <SubmitForm class="inner" onSubmit={save}>
      <p class="hint">{t.security.hint}</p>
      <PasswordOwner email={person.email} />
      {person.hasPassword && <CurrentPassword form={form} value={current} onInput={setCurrent} />}
      <Field
        form={form}
        name="new-password"
        type="password"
        label={t.fields.newPassword}
        autocomplete="new-password"
        value={next}
        onInput={setNext}
        hint={t.fields.passwordHint(shell.passwordMin ?? 0)}
        autofocus={!person.hasPassword}
      />
      <div class="actions">
        <Button type="submit" busy={form.busy} until={form.until} label={t.security.savePassword}>
          {t.security.savePassword}
        </Button>
        <Button kind="quiet" onClick={() => close("")}>
          {t.cancel}
        </Button>
        {person.hasPassword && (
          <Button kind="danger" disabled={form.busy} onClick={remove}>
            {t.security.removePassword}
          </Button>
        )}
      </div>
    </SubmitForm>
  );
}
