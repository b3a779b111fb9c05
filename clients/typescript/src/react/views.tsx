// The forms: one for each way to sign in.

import type { PendingCode, PendingReset } from "../types.js";
import { CodeInput } from "./code-input.js";
import { Address, Card, Go, Link, Password, Remember, Submit, useCountdown, useFace } from "./fields.js";

const choices = (field: (name: string) => string) => ({ remember: field("remember") === "on" });

function RegisterLink() {
  const { t, state } = useFace();
  const { methods, signUp } = state.options ?? {};
  return methods?.includes("PASSWORD") && signUp !== "CLOSED" ? <Go to="register">{t.newHere}</Go> : null;
}

export function WithCode() {
  const { t, state, email } = useFace();
  return (
    <Card
      title={t.title(state.options?.brand ?? "")}
      onSubmit={(field) => void state.withCode(email, choices(field))}
      links={
        <>
          {state.options?.methods.includes("PASSWORD") && <Go to="password">{t.usePassword}</Go>}
          <RegisterLink />
        </>
      }
    >
      <Address />
      <Remember />
      <Submit>{t.sendCode}</Submit>
    </Card>
  );
}

export function WithPassword() {
  const { t, state, email } = useFace();
  return (
    <Card
      title={t.title(state.options?.brand ?? "")}
      onSubmit={(field) => void state.withPassword(email, field("password"), choices(field))}
      links={
        <>
          <Go to="code">{t.sendCode}</Go>
          <Go to="forgot">{t.forgot}</Go>
          <RegisterLink />
        </>
      }
    >
      <Address />
      <Password />
      <Remember />
      <Submit>{t.signIn}</Submit>
    </Card>
  );
}

export function Register() {
  const { t, state, email } = useFace();
  return (
    <Card
      title={t.registerTitle}
      onSubmit={(field) => {
        void state.register(email, field("password"), { ...choices(field), name: field("name") || undefined });
      }}
      links={<Go to="code">{t.back}</Go>}
    >
      <Address />
      <Password isNew />
      <label>
        {t.name}
        <input name="name" autoComplete="name" maxLength={100} />
      </label>
      <Remember />
      <Submit>{t.register}</Submit>
    </Card>
  );
}

export function Forgot() {
  const { t, state, email } = useFace();
  return (
    <Card
      title={t.resetTitle}
      lead={t.resetLead}
      onSubmit={() => void state.requestReset(email)}
      links={<Go to="password">{t.back}</Go>}
    >
      <Address />
      <Submit>{t.sendCode}</Submit>
    </Card>
  );
}

export function EnterCode({ pending }: { pending: PendingCode | PendingReset }) {
  const { t, state, alert } = useFace();
  const { busy, problem, options } = state;
  const wait = useCountdown(pending.resendAt);
  const isReset = pending.kind === "reset";
  // Only where everyone can sign up is it certain that an email was sent.
  const isCertain = !isReset && options?.signUp === "OPEN";
  return (
    <Card
      title={t.codeTitle}
      lead={(isCertain ? t.codeSent : t.codeSentIfKnown)(pending.email)}
      onSubmit={(field) => {
        void (isReset ? state.finish(field("code"), field("password")) : state.verify(field("code")));
      }}
      links={
        <>
          <Link waits={busy || wait > 0} onClick={() => void state.resend()}>
            {wait > 0 ? t.resendIn(wait) : t.resend}
          </Link>
          <Go to={{ signIn: "code", registration: "register", reset: "forgot" }[pending.kind] as "code"}>{t.back}</Go>
        </>
      }
    >
      <CodeInput
        // Starts empty after a new email and after a wrong code.
        key={`${+pending.expiresAt} ${pending.attemptsLeft}`}
        length={pending.codeLength}
        label={t.code}
        describedBy={alert}
        isInvalid={problem?.code === "INVALID_CODE" || problem?.code === "CODE_EXPIRED"}
        submits={!isReset && !problem}
      />
      {/* Password managers store the new password under this address. */}
      {isReset && <input type="email" autoComplete="username" value={pending.email} readOnly hidden />}
      {isReset && <Password isNew />}
      <Submit>{isReset ? t.setPassword : t.signIn}</Submit>
    </Card>
  );
}
