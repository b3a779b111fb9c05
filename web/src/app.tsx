// The pages as one app: which form or page is shown, and at which address.

import type { ComponentType } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ME, type Me } from "./api/operations";
import { text, whenChanged } from "./i18n";
import { lastSignIn } from "./session/devices";
import * as session from "./session/session";
import { passwordsOn, shell } from "./shell";
import { notify, Spoken } from "./ui/announce";
import { errorText, handleEverywhere } from "./ui/form";
import { EnterCode } from "./sign-in/code";
import { SignInContext, type Arrival, type Draft, type SignInApp, type View } from "./sign-in/context";
import { Disowned, Elsewhere, SignInLink, TakeBack, Wait } from "./sign-in/links";
import * as pending from "./sign-in/pending";
import { Register } from "./sign-in/register";
import { Forgot, Reset } from "./sign-in/reset";
import { Start } from "./sign-in/start";

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

const paths: Partial<Record<View["name"], string>> = { register: "/register", forgot: "/reset", account: "/account" };
const byPath: Record<string, View["name"]> = { "/register": "register", "/reset": "forgot" };

const loadAccount = async () => (await import("./account/account")).AccountPage;

/** Takes a link of an email from the address bar at once, to keep its token out of the history and screenshots. */
function takeLink(): View | null {
  const [, kind, token] = /^#(link|undo|disown)=(.+)$/.exec(location.hash) ?? [];
  if (!kind || !token) return null;
  history.replaceState(null, "", location.pathname + location.search);
  return { name: kind as "link" | "undo" | "disown", token };
}

/** Whether a password manager sent the user here. */
function takeChangePassword(): boolean {
  if (location.hash !== "#change-password") return false;
  history.replaceState(null, "", location.pathname + location.search);
  return passwordsOn();
}

function freshDraft(): Draft {
  const last = lastSignIn();
  const usesPassword = last ? last.password : shell.methods[0] === "PASSWORD";
  return { email: last?.password ? last.email : "", password: "", newPassword: "", name: "", remember: true, usesPassword };
}

/** The first form at this address, or the code in progress. */
function firstForm(): View {
  const waiting = pending.load();
  if (waiting) return { name: "code", pending: waiting };
  const named = byPath[location.pathname];
  if (!named || !passwordsOn() || (named === "register" && shell.signUp === "CLOSED")) return { name: "start" };
  return { name: named as "register" | "forgot" };
}

export function App() {
  const [view, setView] = useState<View>(() => takeLink() ?? (session.exists() ? { name: "wait" } : firstForm()));
  const [draft, setDraft] = useState<Draft>(freshDraft);
  const [person, setPerson] = useState<Person | null>(null);
  const [, renderAgain] = useState(0);
  const arrival = useRef<Arrival | null>(null);
  const changesPassword = useRef(takeChangePassword());
  const shown = useRef(view);
  const turn = useRef(0); // Counts changes of the view, so that a late answer replaces nothing.
  shown.current = view;

  const go = (next: View, notice = "") => {
    turn.current += 1;
    if (next.name !== "code") pending.forget();
    const leavesForm = next.name === "start" && ["/register", "/reset"].includes(location.pathname);
    const path = paths[next.name] ?? (leavesForm ? "/sign-in" : location.pathname);
    const query = next.name === "account" ? "" : location.search;
    if (path !== location.pathname) history.pushState(null, "", path + query);
    setView(next);
    notify(notice);
  };

  const startOver = (notice = "", signedOut = false) => {
    arrival.current = null;
    if (signedOut) history.replaceState(null, "", "/sign-in");
    setPerson(null);
    setDraft((old) => ({ ...freshDraft(), remember: old.remember }));
    const reason = changesPassword.current ? text().signIn.toChangePassword : "";
    const asksForAccount = location.pathname === "/account" ? text().signIn.toOpenAccount : "";
    go({ name: "start" }, notice || reason || asksForAccount);
  };

  /** Shows the account of the session, or the first form. Asks the server even right after sign-in. */
  const resume = async (notice = "", waits = true) => {
    if (!session.exists()) return startOver(notice);
    if (waits) setView({ name: "wait" });
    const before = (turn.current += 1);
    const remembered = session.isRemembered();
    const replaced = () => turn.current !== before; // A link may be opened meanwhile.
    try {
      const [{ me }] = await Promise.all([session.ask(ME, {}), loadAccount()]);
      if (replaced()) return undefined;
      if (!me) throw new session.SessionEnded();
      setPerson(me);
      return go({ name: "account" }, notice);
    } catch (error) {
      if (replaced()) return undefined;
      if (!(error instanceof session.SessionEnded)) return setView({ name: "wait", problem: errorText(error) });
      session.drop();
      // A session that was not to be remembered ends with the browser, as expected.
      return startOver(notice || (remembered ? text().session.ended : ""));
    }
  };

  const app: SignInApp = {
    draft,
    change: (part) => setDraft((old) => ({ ...old, ...part })),
    go,
    awaitCode(next, request) {
      pending.save(next, request);
      void loadAccount(); // Most likely needed next.
      go({ name: "code", pending: next });
    },
    async signedIn(signedIn, how) {
      arrival.current = how;
      await session.begin(signedIn, how.password);
      pending.forget();
      setDraft((old) => ({ ...freshDraft(), remember: old.remember }));
      await resume("", false);
    },
    leave: (notice) => void resume(notice),
  };

  useEffect(() => {
    if (view.name === "wait") void resume();
    else if (changesPassword.current) startOver();
    else if (location.pathname === "/account" && view.name === "start") notify(text().signIn.toOpenAccount);
    whenChanged(() => renderAgain((count) => count + 1));
    const onHash = () => {
      const link = takeLink();
      if (link) return go(link);
      if (!takeChangePassword()) return undefined;
      changesPassword.current = true;
      return void resume();
    };
    const onBack = () => {
      if (shown.current.name !== "account" && !location.hash) go(firstForm());
    };
    addEventListener("hashchange", onHash);
    addEventListener("popstate", onBack);
    return () => {
      removeEventListener("hashchange", onHash);
      removeEventListener("popstate", onBack);
    };
  }, []);

  useEffect(() => {
    const needsNoSession = () => ["link", "undo", "disown", "disowned", "code", "start", "register", "forgot"].includes(shown.current.name);
    session.whenOver(() => {
      if (!needsNoSession()) startOver(text().session.ended);
    });
    session.whenSignedIn(() => {
      const { name } = shown.current;
      if (name === "code") go({ name: "elsewhere" });
      else if (name === "account" || name === "start") void resume();
    });
    handleEverywhere(
      () => startOver(text().session.ended),
      (message) => {
        shell.methods = shell.methods.filter((method) => method !== "PASSWORD");
        setDraft((old) => ({ ...old, usesPassword: false }));
        go(session.exists() ? { name: "account" } : { name: "start" }, message);
      },
    );
  }, []);

  const account = {
    arrival: arrival.current,
    changesPassword: changesPassword.current,
    onPerson: setPerson,
    onSignOut: (notice: string) => startOver(notice, true),
  };
  if (view.name === "account") changesPassword.current = false;
  return (
    <SignInContext.Provider value={app}>
      {view.name === "account" && person ? (
        <Lazy load={loadAccount} props={{ person, ...account }} />
      ) : (
        <Form view={view} onRetry={() => void resume()} />
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
