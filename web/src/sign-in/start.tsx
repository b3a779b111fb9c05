// The first form: the address, then a code by email or a password.

import { call } from "../api/call";
import { LOGIN } from "../api/operations";
import { language, text } from "../i18n";
import { deviceToken, lastSignIn } from "../session/devices";
import { asked, passwordsOn, shell } from "../shell";
import { Button, LinkButton } from "../ui/button";
import { Card } from "../ui/card";
import { Field, FormError, Remember } from "../ui/field";
import { refusal, useForm, type Form, type Problem } from "../ui/form";
import { SubmitForm } from "../ui/submit-form";
import { useSignIn, type SignInApp } from "./context";

/** Requests a code by email. */
export async function requestCode(app: SignInApp, email: string, remember: boolean): Promise<Problem | void> {
  const input = { email, remember, deviceToken: deviceToken(email), locale: language() };
  const ask = async () => (await call(LOGIN, { input })).login;
  const outcome = await ask();
  if (outcome.__typename === "CodeSent") {
    app.awaitCode({ purpose: "sign-in", sent: outcome, remember, tried: false }, ask);
    return undefined;
  }
  if (outcome.__typename === "SignedIn") return undefined; // Only with a password.
  // Show the hint for every address, so that it does not reveal whether a link was emailed.
  const refused = refusal(outcome, "email");
  return outcome.__typename === "RateLimited" ? { ...refused, message: `${outcome.message} ${text().signIn.linkHint}` } : refused;
}

async function usePassword(app: SignInApp): Promise<Problem | void> {
  const { email, password, remember } = app.draft;
  if (!password) return { field: "password", message: text().errors.noPassword };
  const input = { email: email.trim(), password, remember, deviceToken: deviceToken(email), locale: language() };
  const { login } = await call(LOGIN, { input });
  switch (login.__typename) {
    case "SignedIn":
      return app.signedIn(login, { password: true });
    case "InvalidEmail":
      return refusal(login, "email");
    case "InvalidCredentials":
      return refusal(login, "password");
    case "RateLimited":
      // Wrong passwords don't use up the attempts of codes.
      return { ...refusal(login, "password"), message: `${login.message} ${text().signIn.codeHint}` };
    case "CodeSent":
      return undefined; // Only without a password.
  }
}

export function Start() {
  const app = useSignIn();
  const t = text();
  const { draft } = app;
  const withPassword = draft.usesPassword && passwordsOn();
  const form = useForm("email");
  const canRegister = passwordsOn() && shell.signUp !== "CLOSED";

  const submit = (action: (email: string) => Promise<Problem | void>) =>
    form.run(async () => {
      const email = draft.email.trim();
      return email ? action(email) : { field: "email", message: t.errors.noEmail };
    });
  const byCode = () => submit((email) => requestCode(app, email, draft.remember));
  const byPassword = () => submit(() => usePassword(app));
  const offerPassword = () => {
    form.show(null);
    app.change({ usesPassword: true });
  };

  return (
    <Card
      title={t.signIn.title(shell.brand)}
      lead={lead()}
      foot={canRegister && <RegisterLink />}
    >
      <SubmitForm onSubmit={withPassword ? byPassword : byCode}>
        <Field
          form={form}
          name="email"
          type="email"
          label={t.fields.email}
          autocomplete={withPassword ? "username" : "email"}
          value={draft.email}
          onInput={(email) => app.change({ email })}
          autofocus={!withPassword || !draft.email}
        />
        {!draft.email && <LastUsed onUse={(email) => app.change({ email })} />}
        {withPassword && (
          <Field
            form={form}
            name="password"
            type="password"
            label={t.fields.password}
            autocomplete="current-password"
            value={draft.password}
            onInput={(password) => app.change({ password })}
            autofocus={Boolean(draft.email)}
            aside={<LinkButton onClick={() => app.go({ name: "forgot" })}>{t.signIn.forgot}</LinkButton>}
          />
        )}
        <FormError form={form} />
        <Remember value={draft.remember} onChange={(remember) => app.change({ remember })} />
        <Choices form={form} withPassword={withPassword} onCode={byCode} onPassword={offerPassword} />
      </SubmitForm>
    </Card>
  );
}

/** Which application the user signs in to, or that no password is needed. */
function lead(): string | undefined {
  const request = asked();
  if (request) return text().consent.toContinue(request.client.name);
  return passwordsOn() ? undefined : text().signIn.noPasswordNeeded;
}

function RegisterLink() {
  const app = useSignIn();
  const t = text().signIn;
  return (
    <p>
      {t.newHere(shell.brand)} <LinkButton onClick={() => app.go({ name: "register" })}>{t.register}</LinkButton>
    </p>
  );
}

interface ChoicesProps {
  form: Form;
  withPassword: boolean;
  onCode: () => void;
  onPassword: () => void;
}

/** A code and a password as equal choices. The form submits the first one. */
function Choices({ form, withPassword, onCode, onPassword }: ChoicesProps) {
  const t = text().signIn;
  const label = withPassword ? t.submit : t.sendCode;
  return (
    <div class="choices">
      <Button type="submit" wide busy={form.busy} until={form.until} label={label}>
        {label}
      </Button>
      {passwordsOn() && (
        <Button kind="secondary" wide disabled={form.busy} onClick={withPassword ? onCode : onPassword}>
          {withPassword ? t.sendCode : t.usePassword}
        </Button>
      )}
    </div>
  );
}

function LastUsed({ onUse }: { onUse: (email: string) => void }) {
  const last = lastSignIn();
  if (!last) return null;
  return (
    <button type="button" class="chip" onClick={() => onUse(last.email)}>
      <span class="avatar tiny" aria-hidden="true">
        {last.email[0]?.toUpperCase()}
      </span>
      <span class="chip-text">{last.email}</span>
      <span class="quiet">{text().signIn.lastUsed}</span>
    </button>
  );
}
