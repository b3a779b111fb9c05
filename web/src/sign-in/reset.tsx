// Resetting a forgotten password: the address, then the code from the email together with a new password.

import { useState } from "preact/hooks";
import { call } from "../api/call";
import { REQUEST_PASSWORD_RESET, RESET_PASSWORD } from "../api/operations";
import { language, text } from "../i18n";
import { deviceToken } from "../session/devices";
import * as session from "../session/session";
import { shell } from "../shell";
import { Button, LinkButton } from "../ui/button";
import { Card } from "../ui/card";
import { CodeInput } from "../ui/code-input";
import { Field, Remember } from "../ui/field";
import { refusal, useForm, type Problem } from "../ui/form";
import { Rich } from "../ui/rich";
import { PasswordOwner, SubmitForm } from "../ui/submit-form";
import { Attempts, CodeHelp, refusedCode } from "./code-help";
import { useSignIn } from "./context";
import { save, type Pending } from "./pending";

export function Forgot() {
  const app = useSignIn();
  const t = text();
  const { draft } = app;
  const form = useForm("email");
  const submit = () =>
    form.run(async (): Promise<Problem | void> => {
      const email = draft.email.trim();
      if (!email) return { field: "email", message: t.errors.noEmail };
      const input = { email, deviceToken: deviceToken(email), locale: language() };
      const ask = async () => (await call(REQUEST_PASSWORD_RESET, { input })).requestPasswordReset;
      const outcome = await ask();
      if (outcome.__typename === "CodeSent") {
        return app.awaitCode({ purpose: "reset", sent: outcome, remember: draft.remember, tried: true }, ask);
      }
      return refusal(outcome, "email");
    });
  return (
    <Card
      title={t.reset.title}
      lead={t.reset.lead}
      foot={<LinkButton onClick={() => app.go({ name: "start" })}>{t.back}</LinkButton>}
    >
      <SubmitForm onSubmit={submit}>
        <Field
          form={form}
          name="email"
          type="email"
          label={t.fields.email}
          autocomplete="username"
          value={draft.email}
          onInput={(email) => app.change({ email })}
          autofocus
        />
        <Button type="submit" wide busy={form.busy} until={form.until} label={t.signIn.sendCode}>
          {t.signIn.sendCode}
        </Button>
      </SubmitForm>
    </Card>
  );
}

export function Reset({ pending: first }: { pending: Pending }) {
  const app = useSignIn();
  const t = text();
  const form = useForm("code");
  const [pending, setPending] = useState(first);
  const [code, setCode] = useState("");
  const [newPassword, setNewPassword] = useState("");
  const { sent, remember } = pending;
  const change = (part: Partial<Pending>) => {
    const next = { ...pending, ...part };
    setPending(next);
    save(next);
  };
  const submit = () =>
    form.run(async (): Promise<Problem | void> => {
      if (code.length !== sent.codeLength) return { field: "code", message: t.codeLength(sent.codeLength) };
      if (!newPassword) return { field: "new-password", message: t.errors.noNewPassword };
      const input = { challenge: sent.challenge, code, newPassword, remember };
      const { resetPassword: outcome } = await session.callSignedIn(RESET_PASSWORD, { input });
      if (outcome.__typename === "SignedIn") return app.signedIn(outcome, { password: true });
      if (outcome.__typename === "WeakPassword") return refusal(outcome, "new-password");
      return refusedCode(outcome, sent, (next) => change({ sent: next }));
    });
  return (
    <Card
      title={t.reset.chooseTitle}
      lead={<Rich text={t.code.sentIfAccount} email={<strong>{sent.email}</strong>} />}
      foot={<LinkButton onClick={() => app.go({ name: "forgot" })}>{t.back}</LinkButton>}
    >
      <SubmitForm onSubmit={submit}>
        <PasswordOwner email={sent.email} />
        <CodeInput form={form} length={sent.codeLength} value={code} onInput={setCode} note={<Attempts form={form} sent={sent} />} />
        <Field
          form={form}
          name="new-password"
          type="password"
          label={t.fields.newPassword}
          autocomplete="new-password"
          value={newPassword}
          onInput={setNewPassword}
          hint={t.reset.hint(shell.passwordMin ?? 0)}
        />
        <Remember value={remember} onChange={(next) => change({ remember: next })} />
        <Button type="submit" wide busy={form.busy} until={form.until} label={t.reset.submit}>
          {t.reset.submit}
        </Button>
      </SubmitForm>
      <CodeHelp
        pending={pending}
        form={form}
        onResent={(next) => {
          change({ sent: next });
          setCode("");
        }}
        onFill={setCode}
      />
    </Card>
  );
}
