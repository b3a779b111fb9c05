// What helps someone who waits for a code: sending it again, the way to their mail, and on a development server the
// code itself.

import { useEffect, useState } from "preact/hooks";
import { call, serverNow } from "../api/call";
import { NEWEST_CODE } from "../api/operations";
import { span, text } from "../i18n";
import { shell } from "../shell";
import { speak } from "../ui/announce";
import { Button, useCountdown } from "../ui/button";
import { refusal, useForm, type Form, type Problem } from "../ui/form";
import { mailApp } from "./mail-apps";
import { resend, type CodeSent, type Pending } from "./pending";

type Refusal = { __typename: string; message: string; attemptsLeft?: number; retryAt?: string };

/** The problem of a refused code. Keeps the number of attempts that are left. */
export function refusedCode(outcome: Refusal, sent: CodeSent, keep: (sent: CodeSent) => void): Problem {
  if (outcome.attemptsLeft !== undefined) keep({ ...sent, attemptsLeft: outcome.attemptsLeft });
  if (outcome.__typename === "CodeExpired") keep({ ...sent, attemptsLeft: 0 });
  return refusal(outcome, "code");
}

/** The attempts that are left, once there was an error, and the end of the code when it is near. */
export function Attempts({ form, sent }: { form: Form; sent: CodeSent }) {
  const t = text();
  const left = useCountdown(Date.parse(sent.expiresAt));
  const tries = form.problem?.field === "code" && sent.attemptsLeft > 0 ? t.attempts(sent.attemptsLeft) : "";
  const end = left === 0 ? t.code.expired : left < 60_000 ? t.code.expiresIn(span(left)) : "";
  const facts = [tries, end].filter(Boolean).join(" ");
  return facts ? <p class="hint facts">{facts}</p> : null;
}

interface Props {
  pending: Pending;
  form: Form;
  onResent: (sent: CodeSent) => void;
  onFill: (code: string) => void;
}

export function CodeHelp({ pending, form, onResent, onFill }: Props) {
  const t = text().code;
  const { sent } = pending;
  const resending = useForm();
  const app = mailApp(sent.email);
  const send = () =>
    resending.run(async () => {
      const outcome = await resend(pending);
      if (outcome.__typename !== "CodeSent") return refusal(outcome);
      onResent(outcome);
      form.show(null);
      speak(t.announceAgain(outcome.email));
      return undefined;
    });

  useEffect(() => speak(t.announce(sent.email)), []);

  return (
    <div class="code-help">
      <div class="row">
        <Button
          kind="quiet"
          busy={resending.busy}
          until={Math.max(Date.parse(sent.resendAt), resending.until)}
          label={t.resend}
          waiting={t.resendIn}
          onClick={send}
        >
          {t.resend}
        </Button>
        {app && (
          <a class="button quiet" href={app.url} target="_blank" rel="noopener noreferrer">
            {t.open(app.name)}
          </a>
        )}
      </div>
      <p class="error" role="alert">
        {resending.problem?.message}
      </p>
      {shell.inbox ? <FromInbox sent={sent} onFill={onFill} /> : <p class="hint center">{t.spam}</p>}
    </div>
  );
}

/** The newest code in the inbox of a development server. */
function FromInbox({ sent, onFill }: { sent: CodeSent; onFill: (code: string) => void }) {
  const t = text().code;
  const [code, setCode] = useState<string | null>(null);

  useEffect(() => {
    let timer = 0;
    let over = false;
    // The challenge may be minutes old after a reload, but no code of an earlier sign-in is newer than its email.
    const look = async () => {
      const inbox = await call(NEWEST_CODE, { to: sent.email }).then((data) => data.inbox, () => []);
      if (over) return;
      const [newest] = inbox;
      setCode(newest && serverNow() < Date.parse(sent.expiresAt) ? newest.code : null);
      timer = setTimeout(look, newest ? 3000 : 700);
    };
    void look();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [sent]);

  return (
    <div class="developer">
      <span>{t.fromInbox}</span>
      <a href="/inbox" target="_blank" rel="noopener">
        {t.inbox}
      </a>
      <div class="offer">
        {code && (
          <button type="button" class="button secondary small wide" onClick={() => onFill(code)}>
            <span>{t.fill(`${code.slice(0, Math.ceil(code.length / 2))} ${code.slice(Math.ceil(code.length / 2))}`)}</span>
          </button>
        )}
      </div>
    </div>
  );
}
