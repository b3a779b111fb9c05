// Entering the code from the email, to sign in or to finish a registration.

import { useState } from "preact/hooks";
import { VERIFY, type Verify } from "../api/operations";
import { text } from "../i18n";
import * as session from "../session/session";
import { passwordsOn, shell } from "../shell";
import { Button, LinkButton } from "../ui/button";
import { Card } from "../ui/card";
import { CodeInput } from "../ui/code-input";
import { useForm, type Problem } from "../ui/form";
import { Rich } from "../ui/rich";
import { SubmitForm } from "../ui/submit-form";
import { Attempts, CodeHelp, refusedCode } from "./code-help";
import { useSignIn, type SignInApp } from "./context";
import { save, type Pending } from "./pending";

/** The sentence that says where the code is. It does not reveal whether an address may sign in. */
function Lead({ pending, onChange }: { pending: Pending; onChange: () => void }) {
  const t = text().code;
  const everyone = pending.purpose === "register" || shell.signUp === "OPEN";
  return (
    <>
      <Rich text={everyone ? t.sent : t.sentIfAllowed} email={<strong>{pending.sent.email}</strong>} />{" "}
      <LinkButton onClick={onChange}>{t.change}</LinkButton>
    </>
  );
}

/** The way back, or to a password. */
function OtherWays({ pending }: { pending: Pending }) {
  const app = useSignIn();
  const t = text().code;
  const registers = pending.purpose === "register";
  const usePassword = () => {
    app.change({ usesPassword: true, email: pending.sent.email });
    app.go({ name: "start" });
  };
  if (passwordsOn() && !registers) return <LinkButton onClick={usePassword}>{t.usePassword}</LinkButton>;
  return (
    <LinkButton onClick={() => app.go({ name: registers ? "register" : "start" })}>
      {registers ? t.changeTyped : t.otherAddress}
    </LinkButton>
  );
}

async function verify(app: SignInApp, pending: Pending, code: string): Promise<Verify["verify"]> {
  const outcome = (await session.callSignedIn(VERIFY, { input: { challenge: pending.sent.challenge, code } })).verify;
  if (outcome.__typename === "SignedIn") {
    const { isNewUser } = outcome;
    const registers = pending.purpose === "register";
    const arrival = { isNewUser, password: registers && isNewUser };
    await app.signedIn(outcome, registers && !isNewUser ? { ...arrival, notice: text().session.notSaved } : arrival);
  }
  return outcome;
}

export function EnterCode({ pending: first }: { pending: Pending }) {
  const app = useSignIn();
  const t = text();
  const form = useForm("code");
  const [pending, setPending] = useState(first);
  const [code, setCode] = useState("");
  const { sent } = pending;
  const registers = pending.purpose === "register";
  const label = registers ? t.register.submit : t.signIn.submit;

  const change = (part: Partial<Pending>) => {
    const next = { ...pending, ...part };
    setPending(next);
    save(next);
    return next;
  };
  const submit = (typed: string) =>
    form.run(async (): Promise<Problem | void> => {
      if (typed.length !== sent.codeLength) return { field: "code", message: t.codeLength(sent.codeLength) };
      const outcome = await verify(app, pending, typed);
      if (outcome.__typename === "SignedIn") return undefined;
      return refusedCode(outcome, sent, (next) => change({ sent: next, tried: true }));
    });
  const complete = (typed: string) => {
    if (pending.tried) return;
    change({ tried: true });
    submit(typed);
  };

  return (
    <Card
      title={t.code.title}
      lead={<Lead pending={pending} onChange={() => app.go({ name: registers ? "register" : "start" })} />}
      foot={<OtherWays pending={pending} />}
    >
      <SubmitForm onSubmit={() => submit(code)}>
        <CodeInput form={form} length={sent.codeLength} value={code} onInput={setCode} onComplete={complete} note={<Attempts form={form} sent={sent} />} />
        <Button type="submit" wide busy={form.busy} until={form.until} label={label}>
          {label}
        </Button>
      </SubmitForm>
      <CodeHelp
        pending={pending}
        form={form}
        onResent={(next) => {
          change({ sent: next, tried: false });
          setCode("");
        }}
        onFill={(found) => {
          setCode(found);
          complete(found);
        }}
      />
    </Card>
  );
}
