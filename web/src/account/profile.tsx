// Name, email address and language.

import { useState } from "preact/hooks";
import { CHANGE_EMAIL, CONFIRM_EMAIL, UPDATE_PROFILE } from "../api/operations";
import { date, language, languages, text } from "../i18n";
import { renameAddress } from "../session/devices";
import { Attempts, refusedCode } from "../sign-in/code-help";
import type { CodeSent } from "../sign-in/pending";
import { notify } from "../ui/announce";
import { Button, LinkButton } from "../ui/button";
import { CodeInput } from "../ui/code-input";
import { Field, FormError } from "../ui/field";
import { refusal, type Problem } from "../ui/form";
import { Rich } from "../ui/rich";
import { SubmitForm } from "../ui/submit-form";
import { useAccount } from "./context";
import { Part, Row, useAction } from "./part";

export function initials(name: string | null, email: string): string {
  const words = (name ?? "").trim().split(/\s+/).filter(Boolean);
  const [first, last] = [words[0], words.length > 1 ? words.at(-1) : undefined];
  const letters = first ? [first, last].map((word) => (word ? [...word][0] : "")).join("") : email[0];
  return (letters ?? "").toLocaleUpperCase();
}

export function Profile() {
  const { person } = useAccount();
  const t = text().account;
  const editable = person.role !== "GUEST";
  return (
    <>
      <div class="person">
        <span class="avatar" aria-hidden="true">
          {initials(person.name, person.email)}
        </span>
        <div>
          <p class="person-name">{person.name ?? person.email}</p>
          <p class="hint">{person.name ? person.email : t.memberSince(date(person.createdAt))}</p>
        </div>
      </div>
      <div class="stack">
        <Row title={t.nameTitle} value={person.name ?? t.none} open={editable ? text().edit : null}>
          {(close) => <NameForm close={close} />}
        </Row>
        <Row title={t.emailTitle} value={<Breakable email={person.email} />} open={editable ? t.changeEmail : null}>
          {(close) => <EmailForms close={close} />}
        </Row>
        {editable && <LanguagePart />}
      </div>
    </>
  );
}

/** An address that a narrow window breaks before the domain. */
export function Breakable({ email }: { email: string }) {
  const at = email.lastIndexOf("@");
  return (
    <>
      {email.slice(0, at)}
      <wbr />
      {email.slice(at)}
    </>
  );
}

function NameForm({ close }: { close: (notice: string) => void }) {
  const { person, update, ask } = useAccount();
  const t = text();
  const form = useAction("name");
  const [name, setName] = useState(person.name ?? "");
  const submit = () =>
    form.act(async (): Promise<Problem | void> => {
      const { updateProfile } = await ask(UPDATE_PROFILE, { input: { name: name.trim() || null } });
      if (updateProfile.__typename === "RateLimited") return refusal(updateProfile, "name");
      update({ name: updateProfile.user.name });
      close(updateProfile.user.name ? t.account.nameSaved(updateProfile.user.name) : t.account.nameRemoved);
      return undefined;
    });
  return (
    <SubmitForm class="inner" onSubmit={submit}>
      <Field form={form} name="name" label={t.account.nameHint} optional autocomplete="name" maxlength={200} value={name} onInput={setName} autofocus />
      <div class="actions">
        <Button type="submit" busy={form.busy} until={form.until} label={t.save}>
          {t.save}
        </Button>
        <Button kind="quiet" onClick={() => close("")}>
          {t.cancel}
        </Button>
      </div>
    </SubmitForm>
  );
}

function LanguagePart() {
  const { person, update, ask } = useAccount();
  const t = text();
  const form = useAction("locale");
  const save = (locale: string | null) =>
    form.act(async (): Promise<Problem | void> => {
      const { updateProfile } = await ask(UPDATE_PROFILE, { input: { locale } });
      if (updateProfile.__typename === "RateLimited") return refusal(updateProfile);
      update({ locale: updateProfile.user.locale });
      notify(t.account.languageSaved);
      return undefined;
    });
  return (
    <Part
      title={t.account.languageTitle}
      action={
        <select
          class="input select"
          aria-label={t.account.languageTitle}
          value={person.locale ?? ""}
          onChange={(event) => save(event.currentTarget.value || null)}
        >
          <option value="">{t.account.languageDefault}</option>
          {Object.entries(languages).map(([code, name]) => (
            <option value={code} key={code}>
              {name}
            </option>
          ))}
        </select>
      }
    >
      <FormError form={form} />
    </Part>
  );
}

function EmailForms({ close }: { close: (notice: string) => void }) {
  const [sent, setSent] = useState<CodeSent | null>(null);
  const [email, setEmail] = useState("");
  const [taken, setTaken] = useState("");
  const startOver = (why: string) => {
    setTaken(why);
    setSent(null);
  };
  return sent ? (
    <ProveForm sent={sent} onSent={setSent} close={close} onStartOver={startOver} />
  ) : (
    <NewEmailForm email={email} onEmail={setEmail} problem={taken} onSent={setSent} close={close} />
  );
}

interface NewEmailProps {
  email: string;
  problem: string;
  onEmail: (email: string) => void;
  onSent: (sent: CodeSent) => void;
  close: (notice: string) => void;
}

function NewEmailForm({ email, problem, onEmail, onSent, close }: NewEmailProps) {
  const { ask } = useAccount();
  const t = text();
  const form = useAction("email");
  const [initial] = useState(problem);
  const shown = form.problem ?? (initial && !form.busy ? { field: "email", message: initial } : null);
  const submit = () =>
    form.act(async (): Promise<Problem | void> => {
      if (!email.trim()) return { field: "email", message: t.account.noNewEmail };
      const { changeEmail } = await ask(CHANGE_EMAIL, { input: { email: email.trim(), locale: language() } });
      if (changeEmail.__typename === "CodeSent") return onSent(changeEmail);
      return refusal(changeEmail, "email");
    });
  return (
    <SubmitForm class="inner" onSubmit={submit}>
      <Field
        form={{ ...form, problem: shown }}
        name="email"
        type="email"
        label={t.account.newEmail}
        hint={t.account.changeHint}
        autocomplete="email"
        value={email}
        onInput={onEmail}
        autofocus
      />
      <div class="actions">
        <Button type="submit" busy={form.busy} until={form.until} label={t.account.sendCode}>
          {t.account.sendCode}
        </Button>
        <Button kind="quiet" onClick={() => close("")}>
          {t.cancel}
        </Button>
      </div>
    </SubmitForm>
  );
}

interface ProveProps {
  sent: CodeSent;
  onSent: (sent: CodeSent) => void;
  onStartOver: (why: string) => void;
  close: (notice: string) => void;
}

function ProveForm({ sent, onSent, onStartOver, close }: ProveProps) {
  const { person, update, ask } = useAccount();
  const t = text();
  const form = useAction("code");
  const [code, setCode] = useState("");
  const [tried, setTried] = useState(false);
  const submit = (typed: string) =>
    form.act(async (): Promise<Problem | void> => {
      if (typed.length !== sent.codeLength) return { field: "code", message: t.codeLength(sent.codeLength) };
      const { confirmEmail } = await ask(CONFIRM_EMAIL, { input: { challenge: sent.challenge, code: typed } });
      if (confirmEmail.__typename === "EmailTaken") return onStartOver(confirmEmail.message);
      if (confirmEmail.__typename !== "EmailChanged") return refusedCode(confirmEmail, sent, onSent);
      const { email } = confirmEmail.user;
      renameAddress(person.email, email);
      update({ email });
      close(t.account.emailChanged);
      return undefined;
    });
  const complete = (typed: string) => {
    if (tried) return;
    setTried(true);
    submit(typed);
  };
  return (
    <SubmitForm class="inner" onSubmit={() => submit(code)}>
      <p class="hint">
        <Rich text={t.account.proveHint} email={<strong>{sent.email}</strong>} />
      </p>
      <CodeInput form={form} length={sent.codeLength} value={code} onInput={setCode} onComplete={complete} note={<Attempts form={form} sent={sent} />} />
      <div class="actions">
        <Button type="submit" busy={form.busy} until={form.until} label={t.account.confirmEmail}>
          {t.account.confirmEmail}
        </Button>
        <LinkButton onClick={() => onStartOver("")}>{t.account.startOver}</LinkButton>
      </div>
    </SubmitForm>
  );
}
