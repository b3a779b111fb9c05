// The question before each action. It says what will happen.

import { useState } from "preact/hooks";
import {
  DELETE_USER, END_USER_SESSIONS, SEND_PASSWORD_RESET, SUSPEND_USER, UPDATE_USER, type UpdateUserInput,
} from "../api/operations";
import { text } from "../i18n";
import { Field } from "../ui/field";
import type { Problem } from "../ui/form";
import { useConsole } from "./context";
import { RoleField } from "./invite";
import type { Account } from "./person";
import { nameOf, type ActionProps } from "./person-actions";
import { Question } from "./question";
import { words } from "./words";

interface Props extends ActionProps {
  /** Undoes a suspension or a deletion. */
  restore: (user: Account) => void;
  onClose: () => void;
}

export function Edit({ user, change, onSaved, onClose }: Props) {
  const { ask } = useConsole();
  const t = words().person;
  const [name, setName] = useState(user.name ?? "");
  const [email, setEmail] = useState(user.email);
  const [role, setRole] = useState(user.role);
  const changesEmail = email.trim().toLowerCase() !== user.email;
  const submit = () =>
    change(async (): Promise<Problem | void> => {
      if (!email.trim()) return { field: "email", message: text().errors.noEmail };
      // Unchanged fields are left out, because a new address also ends all sessions.
      const input: UpdateUserInput = { id: user.id, version: user.version };
      if (name.trim() !== (user.name ?? "")) input.name = name.trim() || null;
      if (changesEmail) input.email = email.trim();
      if (role !== user.role) input.role = role;
      if (Object.keys(input).length === 2) return onClose();
      const { updateUser } = await ask(UPDATE_USER, { input });
      if (updateUser.__typename === "EmailTaken") return { field: "email", message: updateUser.message };
      if (updateUser.__typename !== "UserSaved") return { message: updateUser.message };
      onClose();
      onSaved(updateUser.user, t.saved(nameOf(updateUser.user)));
      return undefined;
    }, onClose);
  return (
    <Question title={t.editTitle(nameOf(user))} submit={text().save} main="name" onSubmit={submit} onClose={onClose}>
      {(form) => (
        <>
          <Field form={form} name="name" label={text().fields.name} optional maxlength={100} value={name} onInput={setName} autofocus />
          <RoleField role={role} onChange={setRole} />
          <Field form={form} name="email" type="email" label={text().fields.email} value={email} onInput={setEmail} />
          {changesEmail && (
            <div class="notice caution">
              <ul class="effects">
                {t.emailEffects.map((effect) => (
                  <li key={effect}>{effect}</li>
                ))}
              </ul>
            </div>
          )}
        </>
      )}
    </Question>
  );
}

export function Suspend({ user, change, onSaved, restore, onClose }: Props) {
  const { ask } = useConsole();
  const t = words().person;
  const [reason, setReason] = useState("");
  const submit = () =>
    change(async (): Promise<Problem | void> => {
      const input = { id: user.id, version: user.version, reason: reason.trim() || null };
      const { suspendUser } = await ask(SUSPEND_USER, { input });
      if (suspendUser.__typename !== "UserSaved") return { message: suspendUser.message };
      const { user: next } = suspendUser;
      onClose();
      onSaved(next, t.suspended(nameOf(next)), () => restore(next));
      return undefined;
    }, onClose);
  return (
    <Question title={t.suspendTitle(nameOf(user))} effects={t.suspendEffects} submit={t.suspend} danger main="reason" onSubmit={submit} onClose={onClose}>
      {(form) => (
        <Field form={form} name="reason" label={t.reason} hint={t.reasonHint} optional maxlength={200} value={reason} onInput={setReason} autofocus />
      )}
    </Question>
  );
}

export function Delete({ user, change, onSaved, restore, onClose }: Props) {
  const { ask } = useConsole();
  const t = words().person;
  const submit = () =>
    change(async (): Promise<Problem | void> => {
      const { deleteUser } = await ask(DELETE_USER, { input: { id: user.id, version: user.version } });
      if (deleteUser.__typename !== "UserSaved") return { message: deleteUser.message };
      const { user: next } = deleteUser;
      onClose();
      onSaved(next, t.deletedNotice(nameOf(next)), () => restore(next));
      return undefined;
    }, onClose);
  return <Question title={t.deleteTitle(nameOf(user))} effects={t.deleteEffects} submit={t.delete} danger onSubmit={submit} onClose={onClose} />;
}

export function EndAll({ user, onEnded, onClose }: Props) {
  const { ask } = useConsole();
  const t = words().person;
  const submit = async () => {
    const { endUserSessions } = await ask(END_USER_SESSIONS, { input: { id: user.id } });
    onClose();
    onEnded(t.endedAll(endUserSessions.count));
  };
  return <Question title={t.endAllTitle(nameOf(user))} effects={t.endAllEffects} submit={t.endAll} danger onSubmit={submit} onClose={onClose} />;
}

export function Reset({ user, onEnded, onClose }: Props) {
  const { ask } = useConsole();
  const t = words().person;
  const submit = async (): Promise<Problem | void> => {
    const { sendPasswordReset } = await ask(SEND_PASSWORD_RESET, { input: { id: user.id } });
    if (sendPasswordReset.__typename === "RateLimited") return { message: sendPasswordReset.message, retryAt: sendPasswordReset.retryAt };
    onClose();
    onEnded(t.resetSent(user.email));
    return undefined;
  };
  return <Question title={t.resetTitle(nameOf(user))} effects={t.resetEffects(user.email)} submit={t.resetSend} onSubmit={submit} onClose={onClose} />;
}
