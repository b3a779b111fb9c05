// The pages as one app: what the forms and the account page can do, and what happens in other tabs.

import type { ComponentType } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ME, type Me } from "./api/operations";
import { text, whenChanged } from "./i18n";
import { cameFromConsole, firstForm, freshDraft, takeChangePassword, takeLink, useNavigation, type Navigation } from "./navigation";
import * as session from "./session/session";
import { asked, shell, usesConsole } from "./shell";
import { EnterCode } from "./sign-in/code";
import { Consent, needsSignIn, Unanswerable } from "./sign-in/consent";
import { SignInContext, type Arrival, type Draft, type SignInApp, type View } from "./sign-in/context";
import { Disowned, Elsewhere, SignInLink, TakeBack, Wait } from "./sign-in/links";
import * as pending from "./sign-in/pending";
import { Register } from "./sign-in/register";
import { Forgot, Reset } from "./sign-in/reset";
import { Start } from "./sign-in/start";
import { notify, Spoken } from "./ui/announce";
import { errorText, handleEverywhere } from "./ui/form";

export type Person = NonNullable<Me["me"]>;

/** What the account page gets from the app. */
export interface AccountProps {
  person: Person;
  arrival: Arrival | null;
  /** Whether to open the form for a new password, as password managers ask for. */
  changesPassword: boolean;
  onPerson(person: Person): void;
  onSignOut(notice: string): void;
}

/** Why the user is asked to sign in, if they wanted to open something. */
function purpose(): string {
  if (cameFromConsole()) return text().signIn.toOpenConsole;
  return location.pathname === "/account" ? text().signIn.toOpenAccount : "";
}

const loadAccount = async () => (await import("./account/account")).AccountPage;

interface Flow extends Navigation {
  app: SignInApp;
  account: Omit<AccountProps, "person"> & { person: Person | null };
  /** Whether a password manager asked for the form for a new password. */
  changesPassword: { current: boolean };
  /** Shows the first form, for the next user. */
  startOver(notice?: string, signedOut?: boolean): void;
  /** Shows the account of the session, or the first form. Asks the server even right after sign-in. */
  resume(notice?: string, waits?: boolean): Promise<void>;
}

function useFlow(): Flow {
  const nav = useNavigation();
  const [draft, setDraft] = useState<Draft>(freshDraft);
  const [person, setPerson] = useState<Person | null>(null);
  const arrival = useRef<Arrival | null>(null);
  const changesPassword = useRef(takeChangePassword());
  const forgetDraft = () => setDraft((old) => ({ ...freshDraft(), remember: old.remember }));

  const startOver: Flow["startOver"] = (notice = "", signedOut = false) => {
    arrival.current = null;
    if (signedOut && !asked()) history.replaceState(null, "", "/sign-in");
    setPerson(null);
    forgetDraft();
    const reason = changesPassword.current ? text().signIn.toChangePassword : "";
    nav.go({ name: "start" }, notice || reason || purpose());
  };

  const resume: Flow["resume"] = async (notice = "", waits = true) => {
    if (!session.exists()) return startOver(notice);
    if (waits) nav.wait();
    const before = (nav.turn.current += 1);
    const remembered = session.isRemembered();
    const replaced = () => nav.turn.current !== before; // A link may be opened meanwhile.
    try {
      const [{ me }] = await Promise.all([session.ask(ME, {}), asked() ? null : loadAccount()]);
      if (replaced()) return undefined;
      if (!me) throw new session.SessionEnded();
      if (needsSignIn()) return startOver(notice);
      if (cameFromConsole() && usesConsole(me.role)) return location.replace("/admin");
      setPerson(me);
      return nav.go({ name: asked() ? "consent" : "account" }, notice);
    } catch (error) {
      if (replaced()) return undefined;
      if (!(error instanceof session.SessionEnded)) return nav.wait(errorText(error));
      session.drop();
      // A session that was not to be remembered ends with the browser, as expected.
      return startOver(notice || (remembered ? text().session.ended : ""));
    }
  };

  const app: SignInApp = {
    draft,
    change: (part) => setDraft((old) => ({ ...old, ...part })),
    go: nav.go,
    awaitCode(next, request) {
      pending.save(next, request);
      if (!asked()) void loadAccount(); // Most likely needed next.
      nav.go({ name: "code", pending: next });
    },
    async signedIn(signedIn, how) {
      arrival.current = how;
      await session.begin(signedIn, how.password);
      pending.forget();
      forgetDraft();
      await resume("", false);
    },
    leave: (notice) => void resume(notice),
  };
  const account: Flow["account"] = {
    person,
    arrival: arrival.current,
    changesPassword: changesPassword.current,
    onPerson: setPerson,
    onSignOut: (notice) => startOver(notice, true),
  };
  return { ...nav, app, account, changesPassword, startOver, resume };
}

/** Starts with what the address asks for, and follows it. */
function useAddress({ view, shown, go, startOver, resume, changesPassword }: Flow): void {
  useEffect(() => {
    if (view.name === "wait") void resume();
    else if (changesPassword.current) startOver();
    else if (view.name === "start") notify(purpose());
    const onHash = () => {
      const link = takeLink();
      if (link) return go(link);
      if (!takeChangePassword()) return undefined;
      changesPassword.current = true;
      return void resume();
    };
    const onBack = () => {
      if (shown.current.name !== "account" && !asked() && !location.hash) go(firstForm());
    };
    addEventListener("hashchange", onHash);
    addEventListener("popstate", onBack);
    return () => {
      removeEventListener("hashchange", onHash);
      removeEventListener("popstate", onBack);
    };
  }, []);
}

const needNoSession: View["name"][] = ["unanswerable", "link", "undo", "disown", "disowned", "code", "start", "register", "forgot"];

/** Follows what happens to the session, and to passwords, in other tabs and on the server. */
function useEvents({ shown, go, startOver, resume, app }: Flow): void {
  useEffect(() => {
    session.whenOver(() => {
      if (!needNoSession.includes(shown.current.name)) startOver(text().session.ended);
    });
    session.whenSignedIn(() => {
      const { name } = shown.current;
      if (name === "code") go({ name: "elsewhere" });
      else if (name === "account" || name === "consent" || name === "start") void resume();
    });
    handleEverywhere(
      () => startOver(text().session.ended),
      (message) => {
        shell.methods = shell.methods.filter((method) => method !== "PASSWORD");
        app.change({ usesPassword: false });
        go(session.exists() ? { name: "account" } : { name: "start" }, message);
      },
    );
  }, []);
}

export function App() {
  const flow = useFlow();
  const [, renderAgain] = useState(0);
  useAddress(flow);
  useEvents(flow);
  useEffect(() => whenChanged(() => renderAgain((count) => count + 1)), []);

  const { view, account } = flow;
  const { person } = account;
  if (view.name === "account") flow.changesPassword.current = false;
  return (
    <SignInContext.Provider value={flow.app}>
      {view.name === "account" && person ? (
        <Lazy load={loadAccount} props={{ ...account, person }} />
      ) : view.name === "consent" && person ? (
        <Consent person={person} onOther={(notice) => void flow.resume(notice)} onSignIn={flow.startOver} key={person.id} />
      ) : (
        <Form view={view} onRetry={() => void flow.resume()} />
      )}
      <Spoken />
    </SignInContext.Provider>
  );
}

function Form({ view, onRetry }: { view: View; onRetry: () => void }) {
  switch (view.name) {
    case "start":
      return <Start />;
    case "register":
      return <Register />;
    case "forgot":
      return <Forgot />;
    case "code":
      return view.pending.purpose === "reset" ? <Reset pending={view.pending} /> : <EnterCode pending={view.pending} />;
    case "link":
      return <SignInLink token={view.token} />;
    case "undo":
    case "disown":
      return <TakeBack kind={view.name} token={view.token} key={view.token} />;
    case "disowned":
      return <Disowned />;
    case "unanswerable":
      return <Unanswerable />;
    case "elsewhere":
      return <Elsewhere />;
    default:
      return <Wait problem={view.name === "wait" ? view.problem : undefined} onRetry={onRetry} />;
  }
}

/** A page in a file of its own, which is loaded when it is first needed. */
function Lazy({ load, props }: { load: () => Promise<ComponentType<AccountProps>>; props: AccountProps }) {
  const [Page, setPage] = useState<ComponentType<AccountProps> | null>(null);
  useEffect(() => {
    // After an upgrade of the server, the file may be gone: then load the new page.
    load().then((page) => setPage(() => page), () => location.reload());
  }, []);
  return Page && <Page {...props} />;
}
