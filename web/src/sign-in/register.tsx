// Creating an account with a password. A code by email proves the address.

import { call } from "../api/call";
import { REGISTER } from "../api/operations";
import { language, text } from "../i18n";
import { deviceToken } from "../session/devices";
import { shell } from "../shell";
import { Button, LinkButton } from "../ui/button";
import { Card } from "../ui/card";
import { Field, FormError, Remember } from "../ui/field";
import { refusal, useForm, type Problem } from "../ui/form";
import { Rich } from "../ui/rich";
import { SubmitForm } from "../ui/submit-form";
import { useSignIn, type SignInApp } from "./context";

async function register(app: SignInApp): Promise<Problem | void> {
  const { email, newPassword, name, remember } = app.draft;
  const t = text();
  if (!email.trim()) return { field: "email", message: t.errors.noEmail };
  if (!newPassword) return { field: "new-password", message: t.errors.noNewPassword };
  const input = {
    email: email.trim(),
    password: newPassword,
    name: name.trim() || null,
    remember,
    deviceToken: deviceToken(email),
    locale: language(),
  };
  const ask = async () => (await call(REGISTER, { input })).register;
  const outcome = await ask();
  switch (outcome.__typename) {
    case "CodeSent":
      return app.awaitCode({ purpose: "register", sent: outcome, remember, tried: false }, ask);
    case "WeakPassword":
      return refusal(outcome, "new-password");
    case "InvalidEmail":
      return refusal(outcome, "email");
    case "RateLimited":
      return refusal(outcome);
  }
}

export function Register() {
  const app = useSignIn();
  const t = text();
  const { draft } = app;
  const form = useForm();
  return (
    <Card
      title={t.register.title}
      lead={t.register.lead}
      foot={
        <p>
          {t.register.haveAccount} <LinkButton onClick={() => app.go({ name: "start" })}>{t.signIn.submit}</LinkButton>
        </p>
      }
    >
      <SubmitForm onSubmit={() => form.run(() => register(app))}>
        <Field
          form={form}
          name="email"
          type="email"
          label={t.fields.email}
          autocomplete="username"
          value={draft.email}
          onInput={(email) => app.change({ email })}
          autofocus={!draft.email}
        />
        <Field
          form={form}
          name="new-password"
          type="password"
          label={t.fields.password}
          autocomplete="new-password"
          value={draft.newPassword}
          onInput={(newPassword) => app.change({ newPassword })}
          autofocus={Boolean(draft.email)}
          hint={t.fields.passwordHint(shell.passwordMin ?? 0)}
        />
        <Field
          form={form}
          name="name"
          label={t.fields.name}
          optional
          autocomplete="name"
          maxlength={200}
          value={draft.name}
          onInput={(name) => app.change({ name })}
        />
        <FormError form={form} />
        <Remember value={draft.remember} onChange={(remember) => app.change({ remember })} />
        <Button type="submit" wide busy={form.busy} until={form.until} label={t.register.submit}>
          {t.register.submit}
        </Button>
        <Agreement />
      </SubmitForm>
    </Card>
  );
}

function Agreement() {
  const t = text();
  const { termsUrl, privacyUrl } = shell;
  const sentence =
    termsUrl && privacyUrl ? t.register.agreement : termsUrl ? t.register.agreementTerms : privacyUrl && t.register.agreementPrivacy;
  if (!sentence) return null;
  return (
    <p class="hint agreement">
      <Rich
        text={sentence}
        terms={<a href={termsUrl ?? ""}>{t.terms}</a>}
        privacy={<a href={privacyUrl ?? ""}>{t.privacy}</a>}
      />
    </p>
  );
}
