// The console as one app: who may open it, its sections, and what happens to the session in other tabs.

import { useEffect, useRef, useState } from "preact/hooks";
import { useStepUp } from "../account/step-up";
import { ME } from "../api/operations";
import { text, whenChanged } from "../i18n";
import * as session from "../session/session";
import { shell, usesConsole } from "../shell";
import { Wait } from "../sign-in/links";
import { notify, Spoken } from "../ui/announce";
import { Button } from "../ui/button";
import { Card, Footer, Logo } from "../ui/card";
import { errorText, handleEverywhere, useForm } from "../ui/form";
import { Audit } from "./audit";
import { ConsoleContext, type ConsoleApp } from "./context";
import { Icon } from "./icons";
import { clearNotices, Notices } from "./notice";
import { Overview } from "./overview";
import { People } from "./people";
import { Person } from "./person";
import { link, sections, useRoute, type Section } from "./route";
import { loadWords, words } from "./words";

type State = { name: "wait"; problem?: string } | { name: "open" | "refused"; person: ConsoleApp["person"] };

// Where the user was when the session ended, for after the next sign-in in this tab.
const VIEW = "doorcode.console";

function leave(): void {
  try {
    sessionStorage.setItem(VIEW, location.hash);
  } catch {
    // Without storage, the console opens with its first section.
  }
  location.replace("/sign-in?to=console");
}

function returnToView(): void {
  try {
    const view = sessionStorage.getItem(VIEW);
    sessionStorage.removeItem(VIEW);
    if (view && !location.hash) location.replace(view);
  } catch {
    // See above.
  }
}

export function Console() {
  const [state, setState] = useState<State>({ name: "wait" });
  const [, renderAgain] = useState(0);
  const load = async () => {
    if (!session.exists()) return leave();
    setState({ name: "wait" });
    try {
      const { me } = await session.ask(ME, {});
      if (!me) throw new session.SessionEnded();
      returnToView();
      return setState({ name: usesConsole(me.role) ? "open" : "refused", person: me });
    } catch (error) {
      if (error instanceof session.SessionEnded) {
        session.drop();
        return leave();
      }
      return setState({ name: "wait", problem: errorText(error) });
    }
  };
  useEffect(() => {
    void load();
    session.whenOver(leave);
    session.whenSignedIn(() => void load());
    handleEverywhere(leave, notify);
    whenChanged(() => void loadWords().then(() => renderAgain((count) => count + 1)));
  }, []);

  return (
    <>
      {state.name === "wait" && <Wait problem={state.problem} onRetry={() => void load()} />}
      {state.name === "refused" && <Refused email={state.person.email} />}
      {state.name === "open" && <Open person={state.person} key={state.person.id} />}
      <Spoken />
    </>
  );
}

function useSignOut() {
  const form = useForm();
  const signOut = () =>
    form.run(async () => {
      await session.end().catch(() => {});
      location.replace("/sign-in");
    });
  return { busy: form.busy, signOut };
}

/** For users who may not open the console. */
function Refused({ email }: { email: string }) {
  const t = words();
  const { busy, signOut } = useSignOut();
  return (
    <Card title={t.refusedTitle} lead={t.refusedLead(email)} focusTitle>
      <a class="button primary wide" href="/account">
        {t.toAccount}
      </a>
      <Button kind="quiet" wide busy={busy} onClick={signOut}>
        {text().account.signOut}
      </Button>
    </Card>
  );
}

function Open({ person }: { person: ConsoleApp["person"] }) {
  const { section, id, visit } = useRoute();
  const { ask, dialog } = useStepUp(person.email);
  const heading = useRef<HTMLHeadingElement>(null);
  const t = words();
  const title = t.sections[section];
  const isPerson = section === "people" && id !== "";

  useEffect(() => {
    clearNotices();
    if (!isPerson) {
      document.title = `${title} · ${t.title} · ${shell.brand}`;
      heading.current?.focus();
    }
    scrollTo(0, 0);
  }, [section, id, visit]);

  return (
    <ConsoleContext.Provider value={{ person, isAdmin: person.role === "ADMIN", ask }}>
      <div class="console">
        <Bar email={person.email} />
        <Sections current={section} />
        <main class="view">
          {isPerson ? (
            <Person id={id} key={id} />
          ) : (
            <>
              <h1 class="sr-only" ref={heading} tabIndex={-1}>
                {title}
              </h1>
              <Notices />
              {section === "overview" && <Overview />}
              {section === "people" && <People />}
              {section === "audit" && <Audit />}
            </>
          )}
        </main>
        <Footer />
      </div>
      {dialog}
    </ConsoleContext.Provider>
  );
}

function Bar({ email }: { email: string }) {
  const { busy, signOut } = useSignOut();
  return (
    <header class="console-bar">
      <a class="home" href={link("overview")}>
        <Logo small />
        <span>{shell.brand}</span>
        <span class="badge">{words().title}</span>
      </a>
      <a class="own" href="/account">
        {email}
      </a>
      <Button kind="secondary" small busy={busy} onClick={signOut}>
        {text().account.signOut}
      </Button>
    </header>
  );
}

function Sections({ current }: { current: Section }) {
  const nav = useRef<HTMLElement>(null);
  // In a narrow window, the sections scroll.
  useEffect(() => nav.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" }), [current]);
  return (
    <nav ref={nav} class="tabs sections" aria-label={text().account.sections}>
      {sections.map((name) => (
        <a href={link(name)} aria-current={name === current ? "page" : undefined} key={name}>
          <Icon name={name} />
          {words().sections[name]}
        </a>
      ))}
    </nav>
  );
}
