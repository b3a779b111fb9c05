// The form for a new user.

import { useId, useState } from "preact/hooks";
import { CREATE_USER, type Role } from "../api/operations";
import { languages, text } from "../i18n";
import { Field } from "../ui/field";
import type { Problem } from "../ui/form";
import { useConsole } from "./context";
import { Question } from "./question";
import { link } from "./route";
import { leaveNotice } from "./notice";
import { words } from "./words";

export function Invite({ onClose }: { onClose: () => void }) {
  const { ask } = useConsole();
  const t = words();
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("USER");
  const [locale, setLocale] = useState("");
  const [invite, setInvite] = useState(true);
  const submit = async (): Promise<Problem | void> => {
    if (!email.trim()) return { field: "email", message: text().errors.noEmail };
    const input = { email: email.trim(), name: name.trim() || null, role, locale: locale || null, invite };
    const { createUser } = await ask(CREATE_USER, { input });
    if (createUser.__typename !== "UserSaved") return { field: "email", message: createUser.message };
    leaveNotice(invite ? t.invite.invited(createUser.user.email) : t.invite.created(createUser.user.email));
    onClose();
    location.hash = link("people", createUser.user.id);
    return undefined;
  };
  return (
    <Question title={t.invite.title} submit={invite ? t.invite.submit : t.invite.submitQuietly} main="email" onSubmit={submit} onClose={onClose}>
      {(form) => (
        <>
          <Field form={form} name="email" type="email" label={text().fields.email} value={email} onInput={setEmail} autofocus />
          <Field form={form} name="name" label={text().fields.name} optional maxlength={100} value={name} onInput={setName} />
          <RoleField role={role} onChange={setRole} />
          <LanguageField locale={locale} onChange={setLocale} />
          <label class="option">
            <input type="checkbox" name="invite" checked={invite} onChange={(event) => setInvite(event.currentTarget.checked)} />
            {t.invite.send}
          </label>
        </>
      )}
    </Question>
  );
}

/** A list of the roles, with what the chosen one may do. */
export function RoleField({ role, onChange }: { role: Role; onChange: (role: Role) => void }) {
  const t = words();
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{t.people.role}</label>
      <select id={id} name="role" class="input" value={role} aria-describedby={`${id}-hint`} onChange={(event) => onChange(event.currentTarget.value as Role)}>
        {(Object.keys(t.roles) as Role[]).map((each) => (
          <option value={each} key={each}>
            {t.roles[each]}
          </option>
        ))}
      </select>
      <p class="hint" id={`${id}-hint`}>
        {t.roleMeans[role]}
      </p>
    </div>
  );
}

function LanguageField({ locale, onChange }: { locale: string; onChange: (locale: string) => void }) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{text().account.languageTitle}</label>
      <select id={id} name="locale" class="input" value={locale} onChange={(event) => onChange(event.currentTarget.value)}>
        <option value="">{words().invite.anyLanguage}</option>
        {Object.entries(languages).map(([code, own]) => (
          <option value={code} lang={code} key={code}>
            {own}
          </option>
        ))}
      </select>
    </div>
  );
}
