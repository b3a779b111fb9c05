// Confirms with a code that the user is present, in a dialog over the page. The interrupted action then continues.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, call } from "../api/call";
import { LOGIN, VERIFY, type Document } from "../api/operations";
import { language, text } from "../i18n";
import { deviceToken } from "../session/devices";
import * as session from "../session/session";
import { Attempts, CodeHelp, refusedCode } from "../sign-in/code-help";
import type { Pending } from "../sign-in/pending";
import { speak } from "../ui/announce";
import { Button } from "../ui/button";
import { CodeInput } from "../ui/code-input";
import { Dialog } from "../ui/dialog";
import { FormError } from "../ui/field";
import { refusal, useForm, type Problem } from "../ui/form";
import { Rich } from "../ui/rich";
import { SubmitForm } from "../ui/submit-form";
import { NotConfirmed } from "./context";

/** Runs an operation. If it needs a recent sign-in, asks for a code first and then runs it again. */
export type Ask = <Data, Variables>(query: Document<Data, Variables>, variables: Variables) => Promise<Data>;

/** An `Ask` for the user with this address, and the dialog that asks for the code. */
export function useStepUp(email: string): { ask: Ask; dialog: ComponentChildren } {
  // Two actions can wait for the same confirmation.
  const confirming = useRef<((confirmed: boolean) => void)[]>([]);
  const [asksForCode, setAsksForCode] = useState(false);
  const ask: Ask = async (query, variables) => {
    try {
      return await session.ask(query, variables);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "REAUTHENTICATION_REQUIRED") throw error;
    }
    setAsksForCode(true);
    const confirmed = await new Promise<boolean>((resolve) => confirming.current.push(resolve));
    setAsksForCode(false);
    if (!confirmed) throw new NotConfirmed();
    speak(text().stepUp.done);
    return session.ask(query, variables);
  };
  const done = (confirmed: boolean) => confirming.current.splice(0).forEach((resolve) => resolve(confirmed));
  return { ask, dialog: asksForCode && <StepUp email={email} onDone={done} /> };
}

interface Props {
  email: string;
  onDone: (confirmed: boolean) => void;
}

function StepUp({ email, onDone }: Props) {
  const t = text();
  const [pending, setPending] = useState<Pending | null>(null);
  const form = useForm();
  const remember = session.isRemembered();

  const send = () =>
    form.run(async (): Promise<Problem | void> => {
      const input = { email, remember, deviceToken: deviceToken(email), locale: language() };
      const { login } = await call(LOGIN, { input });
      if (login.__typename === "CodeSent") setPending({ purpose: "sign-in", sent: login, remember, tried: false });
      else if (login.__typename !== "SignedIn") return refusal(login);
      return undefined;
    });

  return (
    <Dialog title={t.stepUp.title} onClose={() => onDone(false)}>
      <p class="lead">
        {pending ? (
          <Rich text={t.code.sent} email={<strong>{email}</strong>} />
        ) : (
          <Rich text={t.stepUp.lead} email={<strong>{email}</strong>} />
        )}
      </p>
      {pending ? (
        <Confirm pending={pending} onPending={setPending} onDone={() => onDone(true)} />
      ) : (
        <>
          <FormError form={form} />
          <Button wide busy={form.busy} until={form.until} label={t.stepUp.send} onClick={send} autofocus>
            {t.stepUp.send}
          </Button>
        </>
      )}
    </Dialog>
  );
}

function Confirm({ pending, onPending, onDone }: { pending: Pending; onPending: (next: Pending) => void; onDone: () => void }) {
  const t = text();
  const form = useForm("code");
  const [code, setCode] = useState("");
  const [tried, setTried] = useState(false);
  const { sent } = pending;
  const keep = (next: Pending["sent"]) => onPending({ ...pending, sent: next });
  const submit = (typed: string) =>
    form.run(async (): Promise<Problem | void> => {
      if (typed.length !== sent.codeLength) return { field: "code", message: t.codeLength(sent.codeLength) };
      const { verify } = await session.callSignedIn(VERIFY, { input: { challenge: sent.challenge, code: typed } });
      if (verify.__typename !== "SignedIn") return refusedCode(verify, sent, keep);
      await session.begin(verify, null);
      onDone();
      return undefined;
    });
  const complete = (typed: string) => {
    if (tried) return;
    setTried(true);
    submit(typed);
  };
  useEffect(() => setTried(false), [sent.resendAt]);

  return (
    <>
      <SubmitForm onSubmit={() => submit(code)}>
        <CodeInput form={form} length={sent.codeLength} value={code} onInput={setCode} onComplete={complete} note={<Attempts form={form} sent={sent} />} />
        <Button type="submit" wide busy={form.busy} until={form.until} label={t.stepUp.submit}>
          {t.stepUp.submit}
        </Button>
      </SubmitForm>
      <CodeHelp
        pending={pending}
        form={form}
        onResent={(next) => {
          keep(next);
          setCode("");
        }}
        onFill={(found) => {
          setCode(found);
          complete(found);
        }}
      />
    </>
  );
}
