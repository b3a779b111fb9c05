// The account: profile, security, API keys and data, each as a tab with an address of its own.

import { useEffect, useRef, useState } from "preact/hooks";
import type { AccountProps } from "../app";
import { ApiError } from "../api/call";
import { text } from "../i18n";
import * as session from "../session/session";
import { passwordsOn, shell } from "../shell";
import { notify, speak, Status } from "../ui/announce";
import { Button } from "../ui/button";
import { Footer, Logo } from "../ui/card";
import { errorText, useForm } from "../ui/form";
import { Icon } from "../ui/icon";
import { AccountContext, NotConfirmed, type AccountApp } from "./context";
import { Data } from "./data";
import { Profile } from "./profile";
import { Security } from "./security";
import { StepUp } from "./step-up";

const tabs = ["profile", "security", "data"] as const;
type Tab = (typeof tabs)[number];

const tabOfAddress = (): Tab => tabs.find((tab) => location.hash === `#${tab}`) ?? "profile";

export function AccountPage({ person, arrival, changesPassword, onPerson, onSignOut }: AccountProps) {
  const t = text();
  const [tab, setTab] = useState<Tab>(changesPassword && passwordsOn() ? "security" : tabOfAddress);
  const [openPassword] = useState(changesPassword && passwordsOn());
  const [firstTab] = useState(tab);
  const confirming = useRef<((confirmed: boolean) => void) | null>(null);
  const [asksForCode, setAsksForCode] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);

  useEffect(() => {
    document.title = `${t.account.title} · ${shell.brand}`;
    if (!openPassword) heading.current?.focus();
    const onHash = () => {
      notify("");
      setTab(tabOfAddress());
      heading.current?.focus();
    };
    addEventListener("hashchange", onHash);
    return () => removeEventListener("hashchange", onHash);
  }, []);

  const app: AccountApp = {
    person,
    update: (part) => onPerson({ ...person, ...part }),
    async ask(query, variables) {
      try {
        return await session.ask(query, variables);
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== "REAUTHENTICATION_REQUIRED") throw error;
      }
      setAsksForCode(true);
      const confirmed = await new Promise<boolean>((resolve) => (confirming.current = resolve));
      setAsksForCode(false);
      if (!confirmed) throw new NotConfirmed();
      speak(t.stepUp.done);
      return session.ask(query, variables);
    },
    signedOut: onSignOut,
  };

  return (
    <AccountContext.Provider value={app}>
      <div class="account">
        <Bar onSignOut={onSignOut} />
        <div class="columns">
          <Tabs current={tab} />
          <main class="parts">
            <h1 ref={heading} tabIndex={-1}>
              {t.account[tab]}
            </h1>
            {tab === firstTab && <Welcome arrival={arrival} />}
            <Status />
            {person.role === "GUEST" && <p class="notice">{t.account.guest}</p>}
            {tab === "profile" && <Profile />}
            {tab === "security" && <Security openPassword={openPassword} />}
            {tab === "data" && <Data />}
          </main>
        </div>
        <Footer />
      </div>
      {asksForCode && <StepUp email={person.email} onDone={(confirmed) => confirming.current?.(confirmed)} />}
    </AccountContext.Provider>
  );
}

function Tabs({ current }: { current: Tab }) {
  const t = text();
  return (
    <nav class="tabs" aria-label={t.account.sections}>
      {tabs.map((name) => (
        <a href={`/account#${name}`} aria-current={name === current ? "page" : undefined} key={name}>
          <Icon name={name} />
          {t.account[name]}
        </a>
      ))}
    </nav>
  );
}

function Bar({ onSignOut }: { onSignOut: (notice: string) => void }) {
  const t = text();
  const leaving = useForm();
  const signOut = () =>
    leaving.run(async () => {
      const notice = await session.end().then(() => t.session.signedOut, (error) => t.session.signedOutHere(errorText(error)));
      onSignOut(notice);
    });

  return (
    <header class="bar">
      <a class="home" href="/account">
        <Logo small />
        <span>{shell.brand}</span>
      </a>
      <Button kind="secondary" small busy={leaving.busy} onClick={signOut}>
        {t.account.signOut}
      </Button>
    </header>
  );
}

/** What to know right after a sign-in. */
function Welcome({ arrival }: { arrival: AccountProps["arrival"] }) {
  const t = text().session;
  if (!arrival || !(arrival.isNewUser || arrival.notice)) return null;
  return <p class={`notice ${arrival.notice ? "caution" : "good"}`}>{arrival.notice ?? t.welcome}</p>;
}

