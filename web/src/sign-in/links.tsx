// Pages that links in emails open. Opening a link does not use it, because mail scanners open links: the user must
// press a button.

import { useEffect, useState } from "preact/hooks";
import { call } from "../api/call";
import { DISOWN_SESSION, ME, UNDO_EMAIL_CHANGE, VERIFY_LINK } from "../api/operations";
import { text } from "../i18n";
import { keepLast, lastSignIn } from "../session/devices";
import * as session from "../session/session";
import { passwordsOn } from "../shell";
import { Button } from "../ui/button";
import { Card } from "../ui/card";
import { FormError } from "../ui/field";
import { refusal, useForm, type Problem } from "../ui/form";
import { useSignIn } from "./context";

/**
 * Signs in with a link. The link may be one that an attacker requested for their own account, so this shows which
 * account is signed in, both before and after.
 */
export function SignInLink({ token }: { token: string }) {
  const app = useSignIn();
  const t = text();
  const form = useForm();
  const [email, setEmail] = useState("");
  const [used, setUsed] = useState(false);
  const signedIn = session.exists();

  useEffect(() => {
    // Offer the link even if this request fails.
    if (signedIn) session.ask(ME, {}).then((data) => setEmail(data.me?.email ?? ""), () => {});
  }, []);

  const submit = () =>
    form.run(async (): Promise<Problem | void> => {
      const { verifyLink } = await session.callSignedIn(VERIFY_LINK, { input: { token } });
      if (verifyLink.__typename === "SignedIn") {
        return app.signedIn(verifyLink, { password: false, notice: t.session.notYours });
      }
      setUsed(verifyLink.__typename !== "RateLimited");
      return refusal(verifyLink);
    });

  return (
    <Card title={t.link.title} lead={t.link.lead} focusTitle>
      {signedIn && <p class="notice">{email ? t.link.signedInAs(email) : t.link.signedIn}</p>}
      <FormError form={form} />
      <div class="choices">
        {!used && (
          <Button wide busy={form.busy} until={form.until} label={t.link.submit} onClick={submit}>
            {t.link.submit}
          </Button>
        )}
        <Button kind="secondary" wide onClick={() => app.leave()} key={String(used)} autofocus={used}>
          {signedIn ? t.link.stay : t.link.codeInstead}
        </Button>
      </div>
    </Card>
  );
}

const takeBack = {
  undo: async (token: string) => (await call(UNDO_EMAIL_CHANGE, { input: { token } })).undoEmailChange,
  disown: async (token: string) => (await call(DISOWN_SESSION, { input: { token } })).disownSession,
};

/** Takes an account back: undoes an address change, or signs out everywhere after “This wasn’t me”. */
export function TakeBack({ kind, token }: { kind: "undo" | "disown"; token: string }) {
  const app = useSignIn();
  const t = text();
  const texts = t[kind];
  const form = useForm();
  const [used, setUsed] = useState(false);

  const submit = () =>
    form.run(async (): Promise<Problem | void> => {
      const outcome = await takeBack[kind](token);
      if (outcome.__typename === "RateLimited") return refusal(outcome);
      // This may have ended the sessions of all tabs. This tab checks its own when the user continues.
      session.recheckOtherTabs();
      if (outcome.__typename !== "SessionDisowned" && outcome.__typename !== "EmailChangeUndone") {
        setUsed(true);
        return refusal(outcome);
      }
      const last = lastSignIn();
      if (last) keepLast({ ...last, password: false }); // There is none now.
      app.change({ usesPassword: false });
      if (kind === "disown" && passwordsOn()) app.go({ name: "disowned" }, outcome.message);
      else app.leave(outcome.message);
      return undefined;
    });

  return (
    <Card title={texts.title} focusTitle>
      {!used && (
        <>
          <p>{texts.lead}</p>
          <ul class="effects">
            {kind === "undo" && <li>{t.undo.address}</li>}
            <li>{t.takeBack.signOut}</li>
            {passwordsOn() && <li>{t.takeBack.password}</li>}
            <li>{t.takeBack.keys}</li>
            <li>{t.takeBack.devices}</li>
          </ul>
          <p>{texts.after}</p>
          <p class="hint">{texts.close}</p>
        </>
      )}
      <FormError form={form} />
      <div class="choices">
        {!used && (
          <Button wide busy={form.busy} until={form.until} label={texts.submit} onClick={submit}>
            {texts.submit}
          </Button>
        )}
        <Button kind="secondary" wide onClick={() => app.leave()} key={String(used)} autofocus={used}>
          {used ? t.takeBack.toSignIn : t.takeBack.keep}
        </Button>
      </div>
    </Card>
  );
}

/** After “This wasn’t me”: offers a new password. */
export function Disowned() {
  const app = useSignIn();
  const t = text();
  return (
    <Card title={t.disown.doneTitle} focusTitle>
      <p>{t.disown.doneLead}</p>
      <div class="choices">
        <Button wide onClick={() => app.leave()}>
          {t.takeBack.toSignIn}
        </Button>
        <Button kind="secondary" wide onClick={() => app.go({ name: "forgot" })}>
          {t.disown.resetPassword}
        </Button>
      </div>
    </Card>
  );
}

/** In a tab that waited for a code: the user signed in in another one. */
export function Elsewhere() {
  const app = useSignIn();
  const t = text().elsewhere;
  return (
    <Card title={t.title} lead={t.lead} focusTitle>
      <Button wide onClick={() => app.leave()}>
        {t.submit}
      </Button>
    </Card>
  );
}

/** While the page contacts the server, and when it can't. */
export function Wait({ problem, onRetry }: { problem?: string | undefined; onRetry: () => void }) {
  const t = text();
  return (
    <Card title={problem ? t.failed : t.moment} quiet={!problem} focusTitle key={problem ? "problem" : "wait"}>
      {problem ? (
        <>
          <p class="error" role="alert">
            {problem}
          </p>
          <Button wide onClick={onRetry} autofocus>
            {t.retry}
          </Button>
        </>
      ) : (
        <div class="loading" aria-hidden="true" />
      )}
    </Card>
  );
}

